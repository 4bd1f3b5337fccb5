"""All checks of ``tools/image_check``, in the order in which they are made: quick ones first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, Protocol

from tools.system.image_checks import (
    boot_settings,
    faults,
    gui_program,
    kas_files,
    layer_rules,
    needs,
    owners,
    packages,
    recipe_style,
    shell_scripts,
    signatures,
    sources,
    task_graph,
    units,
    weaknesses,
    wic_image,
)
from tools.system.image_checks.verdict import Check, Need
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.images import RELEASES, all_images


class _OfRelease(Protocol):
    """A check of one Yocto release."""

    def __call__(self, workshop: Workshop, /, release: str) -> str:
        """What was seen."""


def _each_release(name: str, what: str, check: _OfRelease, *wanted: Need) -> list[Check]:
    return [
        Check(f"{name}-{release}", what, partial(check, release=release), wanted)
        for release in RELEASES
    ]


_BEFORE_BITBAKE: Final = (
    Check(
        "scripts",
        "shellcheck on every shell script of the layer",
        shell_scripts.check,
        (needs.layer, needs.programs("shellcheck")),
        is_quick=True,
    ),
    Check(
        "style",
        "oelint-adv on every recipe",
        recipe_style.check,
        (needs.layer,),
        is_quick=True,
    ),
    Check(
        "kas",
        "every combination of kas files against kas's schema, every commit pinned",
        kas_files.check,
        (needs.git_checkout, needs.readable_checkout),
        is_quick=True,
    ),
    Check(
        "gui",
        "the GUI compiled for arm64 against Debian's Qt",
        gui_program.check,
        (needs.layer, needs.programs("cmake", "ninja", "aarch64-linux-gnu-g++", "mmdebstrap")),
    ),
)

_OF_OUR_RECIPES: Final = (
    *_each_release(
        "packages",
        "our recipes built by bitbake to packages, and what is in them",
        packages.check,
        *needs.MASKED,
    ),
    *_each_release(
        "boot-files",
        "config.txt and cmdline.txt: displays, overlays, memory",
        boot_settings.check,
        *needs.MASKED,
    ),
    Check(
        "units",
        "systemd-analyze verify and security on the packaged units",
        units.check,
        (needs.programs("systemd-analyze", "dpkg-deb"),),
    ),
    *_each_release(
        "wic",
        "the disk image: partitions, labels, boot files, data that a reflash spares",
        wic_image.check,
        needs.root,
        needs.programs("sfdisk", "mkdosfs", "parted", "mcopy", "bmaptool", "debugfs"),
    ),
    *_each_release(
        "faults",
        "deliberate faults that bitbake has to refuse",
        faults.check,
        *needs.MASKED,
    ),
    *_each_release(
        "sources",
        "where the board's boot files come from",
        sources.check,
        *needs.MASKED,
    ),
    *_each_release(
        "weaknesses",
        "cve-check with and without a database of known weaknesses",
        weaknesses.check,
        *needs.MASKED,
    ),
    *_each_release("rules", "yocto-check-layer", layer_rules.check, *needs.MASKED),
)

_OF_ALL_LAYERS: Final = (
    *_each_release(
        "signatures",
        "the layer without its feature changes no task of a stranger's image",
        signatures.check,
        *needs.BITBAKE,
    ),
    *(
        Check(
            f"graph-{image.release}-{image.machine}",
            "the whole image: all layers parsed, every task's way found (10 minutes the first time)",
            partial(task_graph.check, image=image),
            needs.BITBAKE,
        )
        for image in all_images()
    ),
    *_each_release(
        "owners",
        "no other recipe of the image installs a file of ours",
        owners.check,
        *needs.BITBAKE,
        needs.programs("dpkg-deb"),
    ),
)

CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {check.name: check for check in (*_BEFORE_BITBAKE, *_OF_OUR_RECIPES, *_OF_ALL_LAYERS)}
)
