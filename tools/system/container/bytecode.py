"""Compiles the container's modules beforehand: its root is read-only, so each start would compile them anew.

Byte code belongs to one version of Python. The interpreter is therefore Debian's own, out of the packages
that were fetched for the container, run from where they were unpacked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.process.programs import run
from tools.system.container.architecture import Architecture


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Debian's Python, unpacked."""

    root: Path
    architecture: Architecture
    """Of this machine."""


def compile_modules(interpreter: Interpreter, layer: Path, folders: list[str]) -> None:
    """Compile everything in folders of a layer.

    The byte code is never compared with its source again, and so holds no time of the source.

    Args:
        folders: relative to ``layer``.

    Raises:
        BuildError: a module is not valid Python.
    """
    root, here = interpreter.root, interpreter.architecture
    libraries = [str(root / folder / here.triplet) for folder in ("lib", "usr/lib")]
    run(
        [
            *(root / here.loader, "--library-path", ":".join(libraries)),
            *(root / "usr/bin/python3.11", "-P", "-S", "-s", "-m", "compileall", "-q", "-f"),
            *("-s", str(layer), "-p", "/", "--invalidation-mode", "unchecked-hash"),
            *(layer / folder for folder in folders),
        ],
        environment={
            # Sets of constants are written in the order of their hashes.
            "PYTHONHASHSEED": "0",
            "PYTHONHOME": str(root / "usr"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        advice="one of its modules is not made for Python 3.11",
    )
