"""The GUI compiles for the device's processor, with the recipe's arguments, against Debian's Qt for arm64.

The recipe itself would compile all of Qt first, which takes hours and sources from the network.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tools.image_checks.verdict import CannotCheck, CheckFailed
from tools.image_checks.workshop import Workshop
from tools.yocto.images import ROOT
from tools.yocto.process import ProgramError, run

INSTALLED: Final = "gui/installed/usr/bin/qt6-voice-assistant"
"""The program, in the cache."""
RECIPE: Final = ROOT / "meta-userapp/recipes-gui/qt6-voice-assistant"
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
_PROCESSOR: Final = "cortex-a72"
_START_SECONDS: Final = 180.0


def check(workshop: Workshop) -> str:
    """Raises: CheckFailed: it does not compile, warns, or is for another processor."""
    host = next(_HOST_QT.glob("*-linux-gnu/cmake/Qt6LinguistTools"), None)
    if host is None:
        raise CannotCheck(
            "no Qt 6 for this machine: tools/install_packages.sh @tools/image_packages.txt"
        )
    sysroot = _sysroot(workshop)
    folder = workshop.cache / "gui"
    folder.mkdir(exist_ok=True)
    toolchain = folder / "toolchain.cmake"
    toolchain.write_text(_TOOLCHAIN.replace("@SYSROOT@", str(sysroot)))
    build = folder / "build"
    # What an earlier Qt or an earlier list of files left there does not always fit.
    shutil.rmtree(build, ignore_errors=True)
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
    run(configure, workshop.logs / "gui-configure.log", seconds=_HALF_AN_HOUR).require_success()
    run(
        ["cmake", "--build", build], workshop.logs / "gui-build.log", seconds=_HALF_AN_HOUR
    ).require_success()
    install: list[str | Path] = [
        "env",
        f"DESTDIR={folder / 'installed'}",
        "cmake",
        "--install",
        build,
    ]
    run(install, workshop.logs / "gui-install.log", name="cmake").require_success()
    program = workshop.cache / INSTALLED
    if not program.is_file():
        raise CheckFailed(f"cmake installs no /usr/bin/{program.name}")
    header = subprocess.run(
        ["file", "-b", program], capture_output=True, text=True, check=True
    ).stdout
    if "ARM aarch64" not in header:
        raise CheckFailed(f"the program is not for arm64: {header.strip()}")
    size = f"{program.stat().st_size / 1e6:.1f} MB"
    return f"compiled without a warning, {size}, {_started(workshop, sysroot, program)}"


def _started(workshop: Workshop, sysroot: Path, program: Path) -> str:
    """How far the program came on the device's processor, emulated."""
    emulator = shutil.which("qemu-aarch64-static")
    if emulator is None:
        return "not started (apt-get install qemu-user-static)"
    qt = sysroot / "usr/lib/aarch64-linux-gnu/qt6"
    log = workshop.logs / "gui-started.log"
    with TemporaryDirectory() as home:
        environment = {
            # What Qt looks for by listing directories is not found through the emulator's prefix.
            "QT_PLUGIN_PATH": str(qt / "plugins"),
            "QML_IMPORT_PATH": str(qt / "qml"),
            "QT_QPA_PLATFORM": "offscreen",
            "QT_QUICK_BACKEND": "software",
            "LANG": "C.UTF-8",
            "HOME": home,
            "XDG_RUNTIME_DIR": home,
        }
        command = [emulator, "-cpu", _PROCESSOR, "-L", str(sysroot), str(program), "--report"]
        with log.open("w") as output:
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            _wait_for_screen(process, log)
        finally:
            process.terminate()
            process.wait()
    return f"shows its first screen on an emulated {_PROCESSOR}"


def _wait_for_screen(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while "screen: {" not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise CheckFailed(f"the program shows no screen on an emulated {_PROCESSOR}: see {log}")
        time.sleep(0.5)


def recipe_arguments(recipe: str) -> list[str]:
    """What the recipe gives to CMake beyond what its classes do."""
    found = re.findall(r'^EXTRA_OECMAKE[:\w]*\s*\+?=\s*"([^"]*)"', recipe, re.MULTILINE)
    return [word for text in found for word in shlex.split(text.replace("\\\n", " "))]


def _sysroot(workshop: Workshop) -> Path:
    """Debian's Qt for arm64 with its headers, unpacked and never run."""
    sysroot = workshop.cache / "arm64-qt"
    stamp = sysroot / ".complete"
    wanted = " ".join(_PACKAGES)
    if stamp.is_file() and stamp.read_text() == wanted:
        return sysroot
    run(["rm", "-rf", sysroot], workshop.logs / "arm64-qt-remove.log")
    mode = "root" if workshop.is_root() else "unshare"
    command = ["mmdebstrap", f"--mode={mode}", "--variant=extract", "--architectures=arm64"]
    command += [f"--include={','.join(_PACKAGES)}", "bookworm", str(sysroot)]
    try:
        log = workshop.logs / "arm64-qt.log"
        run(command, log, seconds=_HALF_AN_HOUR).require_success()
    except ProgramError as error:
        raise CannotCheck(f"Debian's Qt for arm64 cannot be fetched: {error}") from error
    stamp.write_text(wanted)
    return sysroot
