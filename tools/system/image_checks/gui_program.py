"""The GUI compiles for the device's processor, with the recipe's arguments, against Debian's Qt for arm64.

The recipe itself would compile all of Qt first, which takes hours and sources from the network.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tools.gui.arm64_build import WORK, build_for_arm64
from tools.gui.gui_error import GuiError
from tools.system.image_checks.verdict import CannotCheck, CheckFailed
from tools.system.image_checks.workshop import Workshop

_PROCESSOR: Final = "cortex-a72"
_SOURCES: Final = frozenset({".cpp", ".h", ".moc"})
_START_SECONDS: Final = 180.0


def check(workshop: Workshop) -> str:
    """Raises: CheckFailed: it does not compile, warns, or is for another processor."""
    try:
        gui = build_for_arm64(workshop.cache, workshop.logs)
    except GuiError as error:
        raise CannotCheck(str(error)) from error
    if not gui.program.is_file():
        raise CheckFailed(f"cmake installs no /usr/bin/{gui.program.name}")
    header = subprocess.run(
        ["file", "-b", gui.program], capture_output=True, text=True, check=True
    ).stdout
    if "ARM aarch64" not in header:
        raise CheckFailed(f"the program is not for arm64: {header.strip()}")
    leaks = leaking_sources(workshop.cache / WORK)
    if leaks:
        raise CheckFailed(
            f"{len(leaks)} generated sources, which -src has, name the build's folder, such as {leaks[0]}"
        )
    size = f"{gui.program.stat().st_size / 1e6:.1f} MB"
    return f"compiled without a warning, {size}, {_started(workshop, gui.sysroot, gui.program)}"


def leaking_sources(work: Path) -> list[str]:
    """Generated sources that name the folder in which they were compiled.

    bitbake packs for the debugger what was compiled, and its check ``buildpaths`` warns of such a name.

    Args:
        work: bitbake's WORKDIR.
    """
    build = work / "build"
    return sorted(
        str(file.relative_to(build))
        for file in build.rglob("*")
        # What CMake compiles to know the compiler is not in the program.
        if file.suffix in _SOURCES and "CMakeFiles" not in file.parts
        if str(work).encode() in file.read_bytes()
    )


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
