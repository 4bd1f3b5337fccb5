"""Our recipes build to packages, with every check that bitbake has, and what they contain is right."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tools.gui.arm64_build import INSTALLED, PROGRAM
from tools.system.image_checks.bitbake_warnings import OF_MASKED_RECIPES, require_no_warning
from tools.system.image_checks.deb_package import DebPackage
from tools.system.image_checks.masked_build import (
    SMALL_RECIPES,
    MaskedBuild,
    masked_folder,
    our_recipes,
)
from tools.system.image_checks.package_rules import MEGABYTE, complaints, doubly_owned
from tools.system.image_checks.verdict import CannotCheck, CheckFailed
from tools.system.image_checks.workshop import Workshop

BOOT_FILES: Final = ("rpi-cmdline", "rpi-config")
"""Recipes of the board's layer that ours extends and that are built from no source."""


def check(workshop: Workshop, release: str) -> str:
    """Raises: CheckFailed: bitbake warns, or a package is not as it shall be."""
    build = MaskedBuild.prepare(workshop, release)
    passed = {"CHECK_GUI_PROGRAM": str(gui_program(workshop))}
    recipes = [*our_recipes(), *SMALL_RECIPES, *BOOT_FILES]
    done = build.bitbake(*recipes, log="packages.log", passed=passed)
    done.require_success()
    require_no_warning(done, besides=OF_MASKED_RECIPES)
    packages = [DebPackage.read(file) for file in packages_in(build.folder.path)]
    others = [DebPackage.read(file) for file in small_packages_in(build.folder.path)]
    faults = complaints(packages) + doubly_owned([*packages, *others])
    if faults:
        raise CheckFailed(f"{len(faults)} faults in packages: {'; '.join(faults[:5])}")
    files = sum(len(package.files()) for package in packages)
    size = sum(member.size for package in packages for member in package.members)
    return f"{len(packages)} packages, {files} files, {size / MEGABYTE:.1f} MB"


def built_packages(workshop: Workshop, release: str) -> list[Path]:
    """What the check of packages has built.

    Raises:
        CannotCheck: it has not been made yet.
    """
    packages = packages_in(masked_folder(workshop, release))
    if not packages:
        raise CannotCheck(f"no packages yet: run the check packages-{release} first")
    return packages


def packages_in(folder: Path) -> list[Path]:
    """Packages of our recipes that a build folder holds, less those for developing."""
    ours = tuple(our_recipes())
    return [
        file
        for file in sorted(folder.glob("tmp/deploy/deb/*/*.deb"))
        # voice-assistant-zram comes from a recipe of another name.
        if file.name.startswith((*ours, "voice-assistant-"))
        and not file.name.partition("_")[0].endswith(("-dev", "-dbg", "-src"))
    ]


def small_packages_in(folder: Path) -> list[Path]:
    """Packages of the recipes of others that are built beside ours."""
    files = sorted(folder.glob("tmp/deploy/deb/*/*.deb"))
    return [file for file in files if file.name.startswith(SMALL_RECIPES)]


def gui_program(workshop: Workshop) -> Path:
    """The GUI, as the check of its compilation leaves it; otherwise a program that does nothing."""
    folder = workshop.folder("gui-program")
    program = folder / "qt6-voice-assistant"
    compiled = workshop.cache / INSTALLED / PROGRAM
    if compiled.is_file():
        shutil.copy2(compiled, program)
    else:
        source = folder / "nothing.c"
        source.write_text("int main(void) { return 0; }\n")
        command = ["aarch64-linux-gnu-gcc", "-o", str(program), str(source)]
        subprocess.run(command, check=True, capture_output=True)
    return program
