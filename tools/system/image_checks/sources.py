"""The board's boot files come from an address whose bytes stay the same."""

from __future__ import annotations

import re
from typing import Final

from tools.system.image_checks.verdict import CheckFailed
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.images import DEFAULT_MACHINE, Image

_UNSTABLE: Final = (
    (
        re.compile(r"//(api|codeload)\.github\.com/|github\.com/[^/]+/[^/]+/archive/"),
        "packs it anew",
    ),
    (re.compile(r"//(?!snapshot\.debian\.org/)[^\s;]+/pool/"), "may drop old versions"),
)


def check(workshop: Workshop, release: str) -> str:
    """Raises: CheckFailed: the bytes at the address may change or go."""
    folder = workshop.build_folder(Image(release, DEFAULT_MACHINE), "masked")
    command = ("bitbake-getvar", "-r", "rpi-bootfiles", "--value", "SRC_URI")
    done = folder.run(*command, log="boot-file-sources.log").require_success()
    address = done.text.strip().splitlines()[-1].strip()
    why = unstable(address)
    if why:
        raise CheckFailed(f"rpi-bootfiles comes from {address}: the server {why}")
    return address.partition(";")[0]


def unstable(address: str) -> str | None:
    """Why the bytes at an address may change or go; None where nothing is known of it."""
    return next((why for pattern, why in _UNSTABLE if pattern.search(address)), None)
