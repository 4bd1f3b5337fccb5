"""Fills the three folders that become the layers of the image.

What changes seldom comes first: a new commit of rtap changes the last layer only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtap.whisper.model_directory import ModelDirectory
from tools.system.container import debian
from tools.system.container.architecture import Architecture, this_architecture
from tools.system.container.bytecode import Interpreter, compile_modules
from tools.system.container.lock import for_container, read_lock
from tools.system.container.model import copy_model
from tools.system.container.root_files import (
    site_packages,
    write_application_files,
    write_system_files,
)
from tools.system.container.strip import PYTHON_LIBRARY, SITE_PACKAGES, strip_debian, strip_wheels
from tools.system.container.wheels import Wheel, install_locked, install_rtap

LAYERS: Final = ("debian", "packages", "rtap")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is to be built."""

    root: Path
    """The checkout."""
    architecture: Architecture
    model: ModelDirectory
    is_bundled: bool
    """Whether the model is in rtap's wheel already."""
    mirror: str | None
    """Of Debian's packages; None: Debian's own."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What the folders hold."""

    debian: list[debian.DebianPackage]
    wheels: list[Wheel]
    rtap: Wheel


def fill_layer_folders(
    recipe: Recipe, folders: Path, work: Path, on_progress: Callable[[str], None]
) -> Contents:
    """Make ``folders/debian``, ``folders/packages`` and ``folders/rtap``.

    Args:
        work: for what is needed on the way.

    Raises:
        ConfigurationError: a program or a lock file is missing.
        BuildError: something cannot be downloaded or built.
        StorageError: the disk is full.
    """
    # Whoever builds it may have a stricter umask than the container's user can live with.
    before = os.umask(0o022)
    try:
        return _fill(recipe, folders, work, on_progress)
    finally:
        os.umask(before)


def _fill(
    recipe: Recipe, folders: Path, work: Path, on_progress: Callable[[str], None]
) -> Contents:
    base, packages, application = (folders / name for name in LAYERS)
    on_progress("Debian's packages")
    system = debian.fetch(recipe.architecture, debian.PACKAGES, work / "debian", recipe.mirror)
    debian.unpack(system, base)
    strip_debian(base)
    interpreter = _interpreter(recipe, system, work)
    on_progress("wheels")
    locked = for_container(read_lock(recipe.root / "requirements.lock"), recipe.architecture)
    target = site_packages(packages)
    wheels = install_locked(locked, recipe.architecture, target, work)
    strip_wheels(target)
    on_progress("rtap")
    rtap = install_rtap(recipe.root, recipe.architecture, application / "app", work)
    on_progress("byte code")
    compile_modules(interpreter, base, [PYTHON_LIBRARY])
    compile_modules(interpreter, packages, [SITE_PACKAGES])
    compile_modules(interpreter, application, ["app"])
    write_system_files(base, recipe.architecture, system)
    health_check = recipe.root / "tools/system/container/health.py"
    write_application_files(application, recipe.root / "conf/profiles", health_check)
    if not recipe.is_bundled:
        copy_model(recipe.model, application / "app/models")
    return Contents(system, wheels, rtap)


def _interpreter(recipe: Recipe, system: list[debian.DebianPackage], work: Path) -> Interpreter:
    """Debian's Python, unpacked for this machine; the container's own may be for another processor."""
    here = this_architecture()
    packages = system
    if recipe.architecture != here:
        packages = debian.fetch(
            here, debian.INTERPRETER, work / "interpreter-debian", recipe.mirror
        )
    root = work / "interpreter"
    debian.unpack(packages, root)
    return Interpreter(root, here)
