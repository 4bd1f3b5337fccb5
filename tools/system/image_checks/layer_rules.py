"""yocto-check-layer: the rules that every layer of the Yocto project has to keep."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tools.system.image_checks.verdict import CheckFailed
from tools.system.image_checks.workshop import OVERLAYS, Workshop
from tools.system.yocto.images import Image, machines
from tools.system.yocto.layer import LAYER

_OTHER_LAYERS: Final = "meta-*/**/conf/layer.conf"
"""Beside poky's checkout."""


def check(workshop: Workshop, release: str) -> str:
    """Raises: CheckFailed: yocto-check-layer says that a rule is broken."""
    build = workshop.build_folder(Image(release, machines()[0]), "layer-check")
    program = build.poky / "scripts/yocto-check-layer"
    # The program adds what our layer depends on, and stumbles over what is there already.
    # Of the recipes in meta-check there are signatures to compare.
    layers = [build.poky / "meta", build.poky / "meta-poky", OVERLAYS / "meta-check"]
    own = " ".join(map(str, layers))
    (build.path / "conf/bblayers.conf").write_text(
        f'BBPATH = "${{TOPDIR}}"\nBBFILES ?= ""\nBBLAYERS = "{own}"\n'
    )
    others = [file.parents[1] for file in sorted(build.poky.parent.glob(_OTHER_LAYERS))]
    arguments: list[str | Path] = ["--no-auto-dependency", "--dependency", *others, "--", LAYER]
    done = build.run(program, *arguments, log="yocto-check-layer.log")
    broken = broken_rules(done.text)
    if broken:
        raise CheckFailed(f"{', '.join(broken)}; see {done.log}")
    # A rule that is known to be broken elsewhere, and that our layer keeps, counts as a failure there.
    if "UNEXPECTED SUCCESS" not in done.text:
        done.require_success()
    tried = re.search(r"^INFO: Ran (\d+) tests", done.text, re.MULTILINE)
    if tried is None:
        raise CheckFailed(f"yocto-check-layer made no test; see {done.log}")
    return f"{tried[1]} rules kept"


def broken_rules(text: str) -> list[str]:
    """Names of the tests that yocto-check-layer says have failed."""
    return re.findall(r"^INFO: (?:FAIL|ERROR): (\S+)", text, re.MULTILINE)
