"""Compiles the GUI for the device's processor, with the recipe's arguments, against Debian's Qt for arm64."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.gui_screens.build import ROOT
from tools.gui_screens.gui_error import GuiError
from tools.yocto.process import ProgramError, run

RECIPE: Final = ROOT / "meta-userapp/recipes-gui/qt6-voice-assistant"
INSTALLED: Final = "gui/installed"
"""What the build installs, in its cache."""
PROGRAM: Final = "usr/bin/qt6-voice-assistant"
_QML_MODULES: Final = (
    "qtqml",
    "qtqml-workerscript",
    "qtquick",
    "qtquick-controls",
    "qtquick-layouts",
)
_PACKAGES: Final = (
    *(f"qml6-module-{name}" for name in (*_QML_MODULES, "qtquick-templates", "qtquick-window")),
    "libc6-dev",
    "libstdc++-12-dev",
    "qt6-base-dev",
    "qt6-declarative-dev",
    "qt6-multimedia-dev",
    "qt6-websockets-dev",
)
_TOOLCHAIN: Final = """\
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_SYSROOT @SYSROOT@)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
"""
_HOST_QT: Final = Path("/usr/lib")
_HALF_AN_HOUR: Final = 1800


@dataclass(frozen=True, slots=True)
class Arm64Gui:
    """The compiled GUI."""

    installed: Path
    """The root that it is installed into."""
    sysroot: Path
    """Qt and what it needs, for arm64."""

    @property
    def program(self) -> Path:
        """The program, which may be missing."""
        return self.installed / PROGRAM


def build_for_arm64(cache: Path, logs: Path) -> Arm64Gui:
    """Compile and install the GUI.

    Args:
        cache: keeps Qt for arm64 and the build.
        logs: gets what the programs say.

    Raises:
        GuiError: something is not installed, or cannot be fetched.
        ProgramError: it does not compile.
    """
    host = next(_HOST_QT.glob("*-linux-gnu/cmake/Qt6LinguistTools"), None)
    if host is None:
        raise GuiError(
            "no Qt 6 for this machine: tools/install_packages.sh @tools/image_packages.txt"
        )
    sysroot = _sysroot(cache, logs)
    folder = cache / "gui"
    folder.mkdir(exist_ok=True)
    toolchain = folder / "toolchain.cmake"
    toolchain.write_text(_TOOLCHAIN.replace("@SYSROOT@", str(sysroot)))
    build = folder / "build"
    # What an earlier Qt or an earlier list of files left there does not always fit.
    shutil.rmtree(build, ignore_errors=True)
    shutil.rmtree(cache / INSTALLED, ignore_errors=True)
    configure: list[str | Path] = [
        *("cmake", "-G", "Ninja", "-S", RECIPE / "files/gui", "-B", build),
        f"-DCMAKE_TOOLCHAIN_FILE={toolchain}",
        "-DQT_HOST_PATH=/usr",
        f"-DQT_HOST_PATH_CMAKE_DIR={host.parent}",
        # Debian's package for arm64 names programs for arm64.
        f"-DQt6LinguistTools_DIR={host}",
        *("-DCMAKE_INSTALL_PREFIX=/usr", "-DCMAKE_BUILD_TYPE=Release", "-DWARNINGS_AS_ERRORS=ON"),
        *recipe_arguments(next(RECIPE.glob("*.bb")).read_text()),
    ]
    steps: tuple[tuple[str, Sequence[str | Path]], ...] = (
        ("configure", configure),
        ("build", ["cmake", "--build", build]),
        ("install", ["env", f"DESTDIR={cache / INSTALLED}", "cmake", "--install", build]),
    )
    for name, command in steps:
        log = logs / f"gui-{name}.log"
        run(command, log, name="cmake", seconds=_HALF_AN_HOUR).require_success()
    return Arm64Gui(cache / INSTALLED, sysroot)


def recipe_arguments(recipe: str) -> list[str]:
    """What the recipe gives to CMake beyond what its classes do."""
    found = re.findall(r'^EXTRA_OECMAKE[:\w]*\s*\+?=\s*"([^"]*)"', recipe, re.MULTILINE)
    return [word for text in found for word in shlex.split(text.replace("\\\n", " "))]


def _sysroot(cache: Path, logs: Path) -> Path:
    """Debian's Qt for arm64 with its headers, unpacked and never run."""
    sysroot = cache / "arm64-qt"
    stamp = sysroot / ".complete"
    wanted = " ".join(_PACKAGES)
    if stamp.is_file() and stamp.read_text() == wanted:
        return sysroot
    run(["rm", "-rf", sysroot], logs / "arm64-qt-remove.log")
    mode = "root" if os.geteuid() == 0 else "unshare"
    command = ["mmdebstrap", f"--mode={mode}", "--variant=extract", "--architectures=arm64"]
    command += [f"--include={','.join(_PACKAGES)}", "bookworm", str(sysroot)]
    try:
        run(command, logs / "arm64-qt.log", seconds=_HALF_AN_HOUR).require_success()
    except ProgramError as error:
        raise GuiError(f"Debian's Qt for arm64 cannot be fetched: {error}") from error
    stamp.write_text(wanted)
    return sysroot
