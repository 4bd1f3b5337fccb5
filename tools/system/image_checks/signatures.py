"""Who adds the layer and does not ask for its feature gets the very image that he had before."""

from __future__ import annotations

import re
from typing import Final

from tools.system.image_checks.verdict import CheckFailed
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.images import DEFAULT_MACHINE, Image

TARGETS: Final = ("core-image-base", "virtual/kernel", "rpi-bootfiles", "rpi-config", "rpi-cmdline")
"""All that the layer appends to is below these."""
_HANDLERS: Final = {"kirkstone": "none"}
"""What makes bitbake write the file; it was renamed since."""
_SIGNATURE: Final = re.compile(r"^\s+(\S+:do_\S+):([0-9a-f]{64})", re.MULTILINE)


def read_signatures(text: str) -> dict[str, str]:
    """Signatures by recipe and task, from bitbake's locked-sigs.inc."""
    return dict(_SIGNATURE.findall(text))


def check(workshop: Workshop, release: str) -> str:
    """Raises: CheckFailed: tasks change."""
    image = Image(release, DEFAULT_MACHINE)
    before = _signatures(workshop, image, "signatures-without")
    after = _signatures(workshop, image, "signatures")
    changed = sorted(task for task in before.keys() | after if before.get(task) != after.get(task))
    if changed:
        raise CheckFailed(f"{len(changed)} tasks change, such as {', '.join(changed[:3])}")
    return f"{len(before)} tasks, none changes"


def _signatures(workshop: Workshop, image: Image, kind: str) -> dict[str, str]:
    build = workshop.build_folder(image, kind)
    file = build.path / "locked-sigs.inc"
    file.unlink(missing_ok=True)
    handler = _HANDLERS.get(image.release, "lockedsigs")
    build.run("bitbake", "-S", handler, *TARGETS, log="bitbake-S.log").require_success()
    signatures = read_signatures(file.read_text())
    if not signatures:
        raise CheckFailed(f"bitbake wrote no signatures into {file}")
    return signatures
