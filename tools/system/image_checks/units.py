"""systemd takes the units as they are packaged, and a service that runs for long may do little."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tools.process.run import run
from tools.system.image_checks.packages import built_packages
from tools.system.image_checks.verdict import CheckFailed
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.images import RELEASES

MAX_EXPOSURE: Final = 4.0
"""Of systemd's 0 to 10, where 5 begins to be medium. For services that keep running: what runs once, before
anything else does, makes file systems and loads images as root, and nobody can reach it."""
_HOST_UNITS: Final = Path("/lib/systemd/system")
_EXPOSURE: Final = re.compile(r"Overall exposure level for \S+: ([0-9.]+)")


def check(workshop: Workshop) -> str:
    """Raises: CheckFailed: systemd complains of a unit, or a service may do too much."""
    root, units = _root(workshop)
    exposures = []
    for unit in units:
        log = workshop.logs / f"verify-{unit}.log"
        command = ["systemd-analyze", f"--root={root}", "--man=no", "--generators=no"]
        done = run([*command, "verify", unit], log)
        # It succeeds with complaints about keys that it ignores.
        if done.status or done.text.strip():
            raise CheckFailed(f"{unit}: {done.text.strip().splitlines()[0]}")
        if refused := refused_by_libinput((root / "usr/lib/systemd/system" / unit).read_text()):
            raise CheckFailed(f"{unit}: {refused}")
        if unit.endswith(".service") and not _runs_once(root, unit):
            exposure = _exposure(root, unit, workshop.logs / f"security-{unit}.log")
            exposures.append(f"{unit} {exposure}")
            if exposure > MAX_EXPOSURE:
                raise CheckFailed(f"{unit} has exposure {exposure}, more than {MAX_EXPOSURE}")
    return f"{len(units)} units; exposure: {', '.join(exposures)}"


def refused_by_libinput(unit: str) -> str:
    """Why a program of this unit gets no touch and no key; empty: it does, or it wants none.

    libinput opens devices with O_RDWR (``libinput_interface.open_restricted``), and the kernel's device
    filter refuses an open as a whole.

    Args:
        unit: a unit's text.
    """
    for line in unit.splitlines():
        name, _, allowed = line.partition("=")
        if name == "DeviceAllow" and allowed.startswith("char-input"):
            access = allowed.removeprefix("char-input").strip()
            if not set("rw") <= set(access):
                return f"{line} leaves touch screens and keyboards dead: write DeviceAllow=char-input rw"
    return ""


def _root(workshop: Workshop) -> tuple[Path, list[str]]:
    """A root file system of our packages and the host's units, and the names of ours."""
    release = next(iter(RELEASES))
    packages = built_packages(workshop, release)
    root = workshop.cache / "units-root"
    shutil.rmtree(root, ignore_errors=True)
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", str(package), str(root)], check=True)
    folder = root / "usr/lib/systemd/system"
    units = sorted(file.name for file in folder.iterdir() if file.is_file())
    # Targets and sockets that ours refer to; what is ours stays.
    for file in _HOST_UNITS.iterdir():
        if file.is_file() and not (folder / file.name).exists():
            shutil.copy2(file, folder / file.name)
    (root / "lib").symlink_to("usr/lib")
    return root, units


def _runs_once(root: Path, unit: str) -> bool:
    return "Type=oneshot" in (root / "usr/lib/systemd/system" / unit).read_text()


def _exposure(root: Path, unit: str, log: Path) -> float:
    command = ["systemd-analyze", "security", "--offline=true", f"--root={root}", unit]
    done = run(command, log).require_success()
    found = _EXPOSURE.search(done.text)
    if found is None:
        raise CheckFailed(f"systemd-analyze tells no exposure of {unit}; see {log}")
    return float(found[1])
