"""A virtual environment with the peers, apart from the project's own: nobody else needs them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from tools.model.conversion.staging import storage_errors
from tools.root import ROOT

LOCK: Final = ROOT / "requirements-bench.lock"
_STAMP = ".made-of"
"""Written last: what the environment was made of."""
_TAIL = 3
"""Last lines of pip's that are shown when it fails."""


def peers_python(place: Path, lock: Path = LOCK) -> Path:
    """Python of an environment in ``place``, made unless it is there and of the same lock.

    It has the packages of ``lock``, and behind them those of the running Python, ``rtap`` and ``tools``.

    Raises:
        ConfigurationError: there is no such lock, or pip cannot install it.
        StorageError: the place cannot be written.
    """
    if not lock.is_file():
        raise ConfigurationError(
            f"{lock} is missing: run make lock, or take it from the repository"
        )
    folder = place / "venv"
    python = folder / "bin/python"
    stamp = _made_of(lock)
    with storage_errors(folder):
        if not (python.exists() and _read(folder / _STAMP) == stamp):
            if folder.exists():
                shutil.rmtree(folder)  # half made, or of another lock
            _make(folder, lock)
            (folder / _STAMP).write_text(stamp, encoding="utf-8")
    return python


def installed_python(place: Path) -> Path:
    """Python of the environment in ``place`` if it is whole, of whatever lock; otherwise the running one."""
    folder = place / "venv"
    return folder / "bin/python" if (folder / _STAMP).is_file() else Path(sys.executable)


def _make(folder: Path, lock: Path) -> None:
    # Without pip and the setuptools that comes with it: both would stand before the project's.
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)], "Python's venv module")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "install"]
    # The lock is complete: nothing outside it may come in through a dependency.
    arguments = ["--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
    _run([*pip, *arguments, "-r", str(lock)], f"pip install -r {lock.name}")
    # Only now, so that pip takes none of the project's packages for one of the environment.
    _packages(folder).joinpath("zz-project.pth").write_text(
        "".join(f"{path}\n" for path in _project_paths()), encoding="utf-8"
    )


def _project_paths() -> list[Path]:
    """What comes after the environment's own packages; a ``.pth`` file is not followed from another."""
    return [Path(sysconfig.get_path("purelib")), ROOT / "backend", ROOT]


def _packages(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))


def _made_of(lock: Path) -> str:
    text = f"{sys.version} {_project_paths()} {lock.read_text(encoding='utf-8')}"
    return hashlib.sha256(text.encode()).hexdigest()


def _read(stamp: Path) -> str:
    return stamp.read_text(encoding="utf-8") if stamp.is_file() else ""


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = " ".join((done.stderr or done.stdout).strip().split("\n")[-_TAIL:])
        raise ConfigurationError(
            f"{what} failed ({last}): mend the cause and run tools/benchmark asr --install again"
        )
