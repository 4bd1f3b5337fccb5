"""The part of the container that comes from wheels: the locked packages, and rtap itself."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, distributions
from pathlib import Path
from typing import Any, Final

from rtap.whisper.model_directory import file_sha256
from tools.process.programs import run
from tools.system.container.architecture import Architecture
from tools.system.container.lock import PYTHON, Locked

_SOURCES: Final = ("pyproject.toml", "README.md", "LICENSE", "backend/rtap")
"""What rtap's wheel is made from."""
_OF_THE_INSTALLATION: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""What pip notes about itself and the machine that it ran on."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """One installed wheel."""

    name: str
    version: str
    file: str
    sha256: str
    licence: str
    """As the wheel says it; empty where it says nothing."""
    is_expression: bool
    """Whether the licence is an SPDX expression, and not just a name."""


def install_locked(
    packages: Sequence[Locked], architecture: Architecture, target: Path, work: Path
) -> list[Wheel]:
    """Install packages for another machine, with their hashes checked.

    Raises:
        BuildError: a wheel is not to be had, or has another hash.
    """
    requirements = work / "requirements.txt"
    requirements.write_text("".join(f"{package.requirement}\n" for package in packages))
    report = work / "packages.json"
    _pip(
        ["install", *_for(architecture), "--require-hashes", "--report", str(report)],
        ["--target", str(target), "--requirement", str(requirements)],
    )
    installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    _clean(target)
    return sorted(
        (_wheel(entry, target, _hash(entry)) for entry in installed), key=lambda wheel: wheel.name
    )


def install_rtap(root: Path, architecture: Architecture, target: Path, work: Path) -> Wheel:
    """Make rtap's wheel from the checkout ``root`` and install it."""
    source = work / "rtap-source"
    for name in _SOURCES:
        # From a copy: setuptools builds in place, and would ship what an earlier build left there.
        place = source / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (root / name).is_dir():
            shutil.copytree(root / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(root / name, place)
    _pip(["wheel", "--no-build-isolation", "--wheel-dir", str(work / "rtap")], [str(source)])
    (file,) = (work / "rtap").glob("rtap-*.whl")
    report = work / "rtap.json"
    _pip(
        ["install", *_for(architecture), "--no-index", "--report", str(report)],
        ["--target", str(target), str(file)],
    )
    (entry,) = json.loads(report.read_text(encoding="utf-8"))["install"]
    _clean(target)
    # Older versions of pip say the hash of what they downloaded only.
    return _wheel(entry, target, file_sha256(file))


def _for(architecture: Architecture) -> list[str]:
    platforms = [f"--platform={tag}" for tag in architecture.wheel_platforms]
    abis = [f"--abi={tag}" for tag in (f"cp{PYTHON.replace('.', '')}", "abi3", "none")]
    return [
        *platforms,
        *abis,
        f"--python-version={PYTHON}",
        "--implementation=cp",
        "--only-binary=:all:",
        "--no-compile",
        "--quiet",
    ]


def _pip(options: Sequence[str], what: Sequence[str]) -> None:
    command, *rest = options
    if command == "install":
        rest.append("--root-user-action=ignore")
    run(
        [sys.executable, "-P", "-m", "pip", command, "--no-deps", *rest, *what],
        name="pip",
        advice="check the network and pip's configuration; a wrong hash means that the registry has another "
        "file than `make lock` found there",
    )


def _clean(target: Path) -> None:
    """Remove what differs between machines, and the scripts with this machine's Python in them."""
    shutil.rmtree(target / "bin", ignore_errors=True)
    for information in target.glob("*.dist-info"):
        for name in _OF_THE_INSTALLATION:
            (information / name).unlink(missing_ok=True)


def _wheel(entry: dict[str, Any], target: Path, sha256: str) -> Wheel:
    name, version = entry["metadata"]["name"], entry["metadata"]["version"]
    file = entry["download_info"]["url"].rpartition("/")[2]
    # pip's report leaves out what newer versions of the metadata have.
    (distribution,) = distributions(name=name, path=[str(target)])
    expression = distribution.metadata["License-Expression"]
    licence = expression or _named_licence(distribution.metadata)
    return Wheel(name, version, file, sha256, licence, is_expression=bool(expression))


def _hash(entry: dict[str, Any]) -> str:
    information = entry["download_info"]["archive_info"]
    return str(information.get("hash") or information["hashes"]["sha256"]).removeprefix("sha256=")


def _named_licence(metadata: PackageMetadata) -> str:
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in metadata.get_all("Classifier") or []
        if text.startswith("License :: ")
    ]
    text = (metadata["License"] or "").strip()
    # Some put the whole text there.
    return text if text and "\n" not in text and len(text) < 100 else " and ".join(classifiers)
