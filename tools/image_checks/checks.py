"""All checks of ``tools/image_check``, in the order in which they are made: quick ones first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from tools.image_checks import (
    faults,
    gui_program,
    kas_files,
    layer_rules,
    needs,
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
from tools.image_checks.verdict import Check
from tools.yocto.images import RELEASES, all_images


def _checks() -> Iterator[Check]:
    yield Check(
        "scripts",
        "shellcheck on every shell script of the layer",
        shell_scripts.check,
        (needs.layer, needs.programs("shellcheck")),
    )
    yield Check("style", "oelint-adv on every recipe", recipe_style.check, (needs.layer,))
    yield Check(
        "kas",
        "every combination of kas files against kas's schema, every commit pinned",
        kas_files.check,
        (needs.git_checkout, needs.readable_checkout),
    )
    yield Check(
        "gui",
        "the GUI compiled for arm64 against Debian's Qt",
        gui_program.check,
        (needs.layer, needs.programs("cmake", "ninja", "aarch64-linux-gnu-g++", "mmdebstrap")),
    )
    for release in RELEASES:
        yield Check(
            f"packages-{release}",
            "our recipes built by bitbake to packages, and what is in them",
            packages.for_release(release),
            needs.MASKED,
        )
    yield Check(
        "units",
        "systemd-analyze verify and security on the packaged units",
        units.check,
        (needs.programs("systemd-analyze", "dpkg-deb"),),
    )
    for release in RELEASES:
        yield Check(
            f"wic-{release}",
            "the disk image: partitions, labels, boot files, data that a reflash spares",
            wic_image.for_release(release),
            (
                needs.root,
                needs.programs("sfdisk", "mkdosfs", "parted", "mcopy", "bmaptool", "debugfs"),
            ),
        )
    for release in RELEASES:
        yield Check(
            f"faults-{release}",
            "deliberate faults that bitbake has to refuse",
            faults.for_release(release),
            needs.MASKED,
        )
    for release in RELEASES:
        yield Check(
            f"sources-{release}",
            "where the board's boot files come from",
            sources.for_release(release),
            needs.MASKED,
        )
    for release in RELEASES:
        yield Check(
            f"weaknesses-{release}",
            "cve-check with and without a database of known weaknesses",
            weaknesses.for_release(release),
            needs.MASKED,
        )
    for release in RELEASES:
        yield Check(
            f"rules-{release}",
            "yocto-check-layer",
            layer_rules.for_release(release),
            needs.MASKED,
        )
    for release in RELEASES:
        yield Check(
            f"signatures-{release}",
            "the layer without its feature changes no task of a stranger's image",
            signatures.for_release(release),
            needs.BITBAKE,
        )
    for image in all_images():
        yield Check(
            f"graph-{image.release}-{image.machine}",
            "the whole image: all layers parsed, every task's way found (10 minutes the first time)",
            task_graph.for_image(image),
            needs.BITBAKE,
        )


CHECKS: Final[Mapping[str, Check]] = MappingProxyType({check.name: check for check in _checks()})
