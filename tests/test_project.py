"""What the repository promises about itself: its locks, its make targets, its README."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-demo.lock", "requirements-dev.lock")
ONLY_FOR_CONVERSION = ("torch", "transformers", "optimum", "onnx", "onnx_ir", "safetensors")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~; \[]", text, maxsplit=1)[0].lower() for text in requirements}


def documented_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))


def test_runtime_lock_has_every_dependency_and_no_conversion(project: dict[str, Any]) -> None:
    locked = pins("requirements.lock")
    assert names(project["dependencies"]) <= locked.keys()
    assert not locked.keys() & {"torch", "transformers", "optimum", "onnx", "pytest"}


def test_development_lock_has_everything_but_torch(project: dict[str, Any]) -> None:
    wanted = names(project["dependencies"])
    for group in project["optional-dependencies"].values():
        wanted |= names(group)
    assert wanted - {"torch"} <= pins("requirements-dev.lock").keys()


def test_what_is_tested_is_what_ships() -> None:
    small, development = pins("requirements-demo.lock"), pins("requirements-dev.lock")
    assert pins("requirements.lock").items() <= small.items() <= development.items()


def test_the_demonstration_takes_few_packages(project: dict[str, Any]) -> None:
    groups = project["optional-dependencies"]
    small = pins("requirements-demo.lock").keys()
    assert names(groups["convert"] + groups["evaluate"] + groups["tools"]) <= small
    assert not small & names(groups["reference"] + groups["train"] + groups["dev"])


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_is_hashed_and_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert not re.search(r"^(torch|nvidia|cuda|triton)", text, re.MULTILINE)


def test_every_phony_target_is_documented() -> None:
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == documented_targets()


def test_help_lists_every_target() -> None:
    done = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True)
    assert set(re.findall(r"^  make ([a-z-]+) ", done.stdout, re.MULTILINE)) >= documented_targets()


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_document_names_only_what_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
    tools = re.findall(r"\b(tools/[a-z_]+(?:\.(?:sh|txt))?)\b", text)
    assert [path for path in links + tools if not (ROOT / path).exists()] == []
    assert set(re.findall(r"\bmake ([a-z-]+)\b(?=[`\s])", text)) <= documented_targets()


def test_engine_imports_without_the_conversion_packages() -> None:
    program = f"""
import importlib, pkgutil, sys
for name in {ONLY_FOR_CONVERSION!r}:
    sys.modules[name] = None
import rtap
for module in pkgutil.walk_packages(rtap.__path__, "rtap."):
    importlib.import_module(module.name)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
