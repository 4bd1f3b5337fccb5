"""Puts the reference image together; the part of the work that needs root's rights or fakeroot's.

Started as a program of its own: ``python -m tools.system.reference.assemble PLAN.json``.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rtap.cli.guard import guarded
from tools.system.container.workplace import workplace
from tools.system.reference.debian_base import unpack_base
from tools.system.reference.disk import read_layout, write_disk
from tools.system.reference.kernel import find_kernel, write_boot_files
from tools.system.reference.payload import finish_as_image, install_by_recipes, install_packages
from tools.system.reference.system_files import (
    Identity,
    enable_units,
    write_accounts,
    write_system_files,
)
from tools.system.yocto.layer import LAYER, layer_variables

WKS: Final = LAYER / "wic/voice-assistant.wks.in"
# As on the board, but for the console's name: none on the screen, where it would write over the picture.
# apparmor=0, as the product's kernel has none.
_COMMAND_LINE: Final = (
    "console=ttyAMA0 root=PARTUUID={root} rootfstype=ext4 rootwait ro "
    "cgroup_enable=memory vt.global_cursor_default=0 apparmor=0"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes into an image. Paths are absolute."""

    target: str
    debian: tuple[str, ...]
    """The .deb files of the base system."""
    container: str
    gui: str
    model: str
    """Folder of the speech model; empty: there is none but the container's."""
    packages: tuple[str, ...]
    """Of our recipes, built by bitbake; none: the recipes' install rules."""
    version: str
    build: str
    debug: bool
    work: str
    """Gets a folder for the time of the work."""

    def write(self, file: Path) -> None:
        """For :func:`main`."""
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, file: Path) -> Plan:
        """What :meth:`write` wrote."""
        fields = json.loads(file.read_text())
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return cls(**(fields | lists))


def assemble(plan: Plan, work: Path) -> None:
    """Make the root, the boot files and the disk.

    Args:
        work: an empty folder.
    """
    root, boot = work / "root", work / "boot"
    boot.mkdir(parents=True)
    variables = layer_variables()
    disk = variables["VOICE_ASSISTANT_DISK_ID"]
    identity = Identity(plan.version, plan.build, plan.debug)
    unpack_base([Path(one) for one in plan.debian], root)
    write_system_files(root, identity)
    if plan.packages:
        payload = install_packages(root, [Path(one) for one in plan.packages])
    else:
        model = Path(plan.model) if plan.model else None
        places = (Path(plan.container), Path(plan.gui))
        payload = install_by_recipes(root, *places, plan.version, work / "recipes", model)
    write_accounts(root, payload, debug=plan.debug)
    enable_units(root, payload)
    finish_as_image(root, debug=plan.debug)
    line = _COMMAND_LINE.format(root=f"{disk}-02")
    write_boot_files(root, find_kernel(root), line, boot)
    # The root's own /boot is where the boot partition is mounted.
    shutil.rmtree(root / "boot")
    (root / "boot").mkdir()
    write_disk(Path(plan.target), read_layout(WKS, variables), disk, root, boot)


def main() -> int:
    """Read the plan and carry it out."""
    plan = Plan.read(Path(sys.argv[1]))
    # What the user's own says of new files is not for the image.
    os.umask(0o022)
    with workplace(Path(plan.work), 0) as work:
        assemble(plan, work)
    return 0


if __name__ == "__main__":
    # Whoever started this says that it was interrupted, and removes what it leaves.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(guarded("reference_image", main))
