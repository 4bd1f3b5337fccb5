"""Recipes follow the style that oelint-adv knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tools.process.run import run
from tools.system.image_checks.verdict import CheckFailed
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.images import RELEASES
from tools.system.yocto.layer import LAYER

_COMPLAINT: Final = re.compile(r":(error|warning):(oelint\.[a-z0-9.-]+)", re.MULTILINE)
_IGNORED: Final = {
    "oelint.file.underscores": "the version of all recipes is one variable, not a part of file names",
    "oelint.task.noanonpython": "only one can add the container, whose place the environment names",
    "oelint.var.licenseremotefile": "the recipes are under the layer's own licence, not a download's",
    "oelint.var.mandatoryvar.HOMEPAGE": "what they package is of this repository, which has no page",
    "oelint.vars.mispell": "it does not know the variables of the board's layer",
    "oelint.vars.mispell.unknown": "it knows neither those nor the layer's own",
    "oelint.vars.noncoreoverride": "the layer's own variables do not exist without it",
    "oelint.vars.outofcontext": "it takes an image's .inc for a recipe",
}
"""Rules that are not ours, and why."""


def check(workshop: Workshop) -> str:
    """Raises: CheckFailed: oelint-adv complains."""
    recipes = sorted([*LAYER.rglob("*.bb"), *LAYER.rglob("*.bbappend"), *LAYER.rglob("*.inc")])
    workshop.kas.install()
    for release in RELEASES:
        log = workshop.logs / f"oelint-{release}.log"
        program: list[str | Path] = [
            workshop.kas.programs / "oelint-adv",
            "--quiet",
            "--exit-zero",  # it counts remarks, too
            "--release",
            release,
        ]
        program += [word for rule in _IGNORED for word in ("--suppress", rule)]
        done = run([*program, *recipes], log)
        complaints = _COMPLAINT.findall(done.text)
        if complaints:
            first = next(line for line in done.text.splitlines() if _COMPLAINT.search(line))
            raise CheckFailed(f"{release}: {len(complaints)} complaints, the first: {first}")
        done.require_success()
    return f"{len(recipes)} files, {' and '.join(RELEASES)}"
