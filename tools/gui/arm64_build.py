"""Compiles the GUI for the device's processor as bitbake does, against Debian's Qt for arm64.

Arguments and appended steps are the recipe's, flags those of the release that is built by default: what warns
or leaks there has to warn or leak here.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.gui.gui_error import GuiError
from tools.process.run import ProgramError, run
from tools.root import ROOT
from tools.system.yocto.layer import layer_variables
from tools.system.yocto.recipe import Recipe

RECIPE: Final = ROOT / "meta-userapp/recipes-gui/qt6-voice-assistant"
INSTALLED: Final = "gui/installed"
"""What the build installs, in its cache."""
PROGRAM: Final = "usr/bin/qt6-voice-assistant"
WORK: Final = "gui"
"""bitbake's WORKDIR, in the build's cache: the sources as ``gui``, what is compiled as ``build``."""
_QML_MODULES: Final = (
    "qtqml",
    "qtqml-workerscript",
    "qtquick",
    "qtquick-controls",
    "qtquick-layouts",
    "qtquick-shapes",
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
set(CMAKE_CXX_FLAGS "@CXX_FLAGS@" CACHE STRING "")
set(CMAKE_CXX_LINK_FLAGS "@LINK_FLAGS@" CACHE STRING "")
"""
_DEBUG_SOURCES: Final = "/usr/src/debug/qt6-voice-assistant"
_TUNE: Final = "-mbranch-protection=standard -mcpu=cortex-a72"
"""Poky's arch-arm64.inc and tune-cortexa72.inc."""
_SECURITY: Final = " ".join(
    (
        *("-fstack-protector-strong", "-O2", "-D_FORTIFY_SOURCE=2"),
        *("-Wformat", "-Wformat-security", "-Werror=format-security"),
    )
)
"""Poky's security_flags.inc."""
_OPTIMIZATION: Final = "-O2 -pipe -g -feliminate-unused-debug-types"
_LINKING: Final = "-Wl,-O1 -Wl,--hash-style=gnu -Wl,--as-needed -Wl,-z,relro,-z,now"
"""Both bitbake.conf, with the relocations that security_flags.inc makes read-only."""
_CMAKE_CLASS: Final = (
    "-DCMAKE_INSTALL_PREFIX:PATH=/usr",
    # Qt's headers are no system headers then, so what they warn of counts.
    "-DCMAKE_NO_SYSTEM_FROM_IMPORTED=1",
    "-DCMAKE_INSTALL_SO_NO_EXE=0",
    "-Wno-dev",
)
"""Of cmake.bbclass, which names no build type either."""
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
            "no Qt 6 for this machine: tools/setup/install_packages.sh @tools/setup/packages/image.txt"
        )
    sysroot = _sysroot(cache, logs)
    work = cache / WORK
    recipe = Recipe.read(
        next(RECIPE.glob("*.bb")),
        {**layer_variables(), "WORKDIR": str(work), "B": str(work / "build")},
    )
    # What an earlier Qt or an earlier list of files left there does not always fit.
    for folder in (work / "gui", work / "build", cache / INSTALLED):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(RECIPE / "files/gui", work / "gui")
    written = work / "toolchain.cmake"
    written.write_text(toolchain(sysroot, work))
    build = work / "build"
    configure: list[str | Path] = [
        *("cmake", "-G", "Ninja", "-S", work / "gui", "-B", build),
        f"-DCMAKE_TOOLCHAIN_FILE={written}",
        "-DQT_HOST_PATH=/usr",
        f"-DQT_HOST_PATH_CMAKE_DIR={host.parent}",
        # Debian's package for arm64 names programs for arm64.
        f"-DQt6LinguistTools_DIR={host}",
        "-DWARNINGS_AS_ERRORS=ON",
        *_CMAKE_CLASS,
        *recipe_arguments(recipe.file.read_text()),
    ]
    _run("configure", configure, logs)
    _run("build", ["cmake", "--build", build], logs)
    recipe.run_shell("do_compile:append")
    # bitbake strips what it packs.
    install: list[str | Path] = ["cmake", "--install", build, "--strip"]
    _run("install", ["env", f"DESTDIR={cache / INSTALLED}", *install], logs)
    return Arm64Gui(cache / INSTALLED, sysroot)


def _run(name: str, command: Sequence[str | Path], logs: Path) -> None:
    log = logs / f"gui-{name}.log"
    run(command, log, name="cmake", seconds=_HALF_AN_HOUR).require_success()


def toolchain(sysroot: Path, work: Path) -> str:
    """What cmake.bbclass writes for CMake: the cross compiler and bitbake's flags."""
    places = {work / "gui": _DEBUG_SOURCES, work / "build": _DEBUG_SOURCES, sysroot: ""}
    maps = [
        f"-f{kind}-prefix-map={place}={shown}"
        for place, shown in places.items()
        for kind in ("macro", "debug")
    ]
    flags = " ".join([_TUNE, _SECURITY, _OPTIMIZATION, *maps])
    return (
        _TOOLCHAIN.replace("@SYSROOT@", str(sysroot))
        .replace("@CXX_FLAGS@", flags)
        .replace("@LINK_FLAGS@", f"{flags} {_LINKING}")
    )


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
