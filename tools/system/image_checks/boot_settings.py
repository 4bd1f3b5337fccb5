"""config.txt and cmdline.txt, as bitbake makes them: what the Pi's firmware has to find in them.

The firmware reports no mistake: it ignores what it doesn't know, and a missing overlay costs the picture.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tools.system.image_checks.bitbake_warnings import OF_MASKED_RECIPES, require_no_warning
from tools.system.image_checks.masked_build import MaskedBuild
from tools.system.image_checks.packages import BOOT_FILES
from tools.system.image_checks.verdict import CheckFailed
from tools.system.image_checks.workshop import Workshop

DISPLAYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "touch-7inch": "vc4-kms-dsi-7inch",
        "touch-2-5inch": "vc4-kms-dsi-ili9881-5inch",
        "touch-2-7inch": "vc4-kms-dsi-ili9881-7inch",
    }
)
"""What ``VOICE_ASSISTANT_DISPLAY`` may be, and the overlay that it loads."""

DETECTED: Final[Mapping[str, Collection[str]]] = MappingProxyType(
    {
        "scarthgap": tuple(DISPLAYS.values()),
        # Firmware of 2022 and kernel 5.15 know nothing of the Touch Display 2, which is of 2024.
        "kirkstone": (DISPLAYS["touch-7inch"],),
    }
)
"""Overlays that the firmware of a release loads by itself for an official display."""

GPU_MEMORY_MB: Final = 76
"""The firmware's own default on boards with 1 GB and more (config.txt in Raspberry Pi's documentation)."""
SMALLEST_BOARD_MB: Final = 1024
FREE_MB: Final = 800
"""What Linux has to have on the smallest board, beside what is kept for pictures: README measures 286 MB of
the service and 93 MB of the screen; docker and the system take 200 MB, and files are cached in the rest."""
LONGEST_LINE: Final = 80
"""Characters of a line that every version of the firmware reads; newer ones read 98."""
DRIVER_CMA_MB: Final = 508
"""What the Pi 4's KMS overlay takes where it is given no size."""
MEMORY_CGROUP: Final = ("cgroup_enable=memory", "cgroup_memory=1")

KMS: Final = "vc4-kms-v3d"
_ON_A_PI_4: Final = MappingProxyType({KMS: "vc4-kms-v3d-pi4"})
"""What overlay_map.dtb, which the firmware reads, replaces on this board."""
_MAP: Final = "overlay_map.dtb"
_MANY: Final = ("dtoverlay", "dtparam")
"""Keys that may be given several times."""
_FOR_THIS_BOARD: Final = ("all", "pi4")


@dataclass(frozen=True, slots=True)
class ConfigTxt:
    """What a Pi 4's firmware reads in config.txt."""

    settings: Mapping[str, tuple[str, ...]]
    """Every value that a key gets; the last one holds."""
    overlays: tuple[str, ...]
    """With their parameters."""
    longest: int
    """Characters of the longest line that is no comment."""

    @classmethod
    def parse(cls, text: str) -> ConfigTxt:
        """Leave out comments and sections for other boards."""
        settings: dict[str, tuple[str, ...]] = {}
        overlays = []
        section = "all"
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        for line in lines:
            key, equals, value = line.partition("=")
            if found := re.fullmatch(r"\[(.*)\]\s*", line):
                section = found[1]
            elif not equals or section not in _FOR_THIS_BOARD:
                continue
            elif key == "dtoverlay":
                overlays.append(value)
            else:
                settings[key] = (*settings.get(key, ()), value)
        return cls(settings, tuple(overlays), max(map(len, lines), default=0))

    def value(self, key: str) -> str | None:
        """What holds; None: the firmware's default."""
        return self.settings.get(key, (None,))[-1]

    def names(self) -> list[str]:
        """The overlays alone."""
        return [overlay.partition(",")[0] for overlay in self.overlays]

    def cma_mb(self) -> int:
        """MB that the graphics driver keeps free for pictures."""
        found = re.findall(rf"^{KMS}.*,cma-(\d+)", "\n".join(self.overlays), re.MULTILINE)
        return int(found[-1]) if found else DRIVER_CMA_MB


def complaints(
    config: ConfigTxt, cmdline: str, installed: Collection[str], detected: Collection[str]
) -> list[str]:
    """What is wrong with the default configuration, each as a line; empty when nothing is.

    Args:
        installed: KERNEL_DEVICETREE, the files beside the kernel.
        detected: overlays that the firmware may load by itself.
    """
    return [
        *_about_the_display(config, installed, detected),
        *_about_memory(config),
        *_about_lines(config, cmdline),
    ]


def _about_the_display(
    config: ConfigTxt, installed: Collection[str], detected: Collection[str]
) -> Iterator[str]:
    if config.value("display_auto_detect") != "1":
        yield "config.txt lacks display_auto_detect=1: official displays stay dark"
    if KMS not in config.names():
        yield f"config.txt lacks dtoverlay={KMS}: there is no graphics driver"
    wanted = {_ON_A_PI_4.get(name, name) for name in (*config.names(), *detected)}
    for file in sorted({_MAP, *(f"{name}.dtbo" for name in wanted)}):
        if f"overlays/{file}" not in installed:
            yield f"overlays/{file} is not in KERNEL_DEVICETREE: the image is built without it"


def _about_memory(config: ConfigTxt) -> Iterator[str]:
    taken = config.value("gpu_mem") or ""
    if taken != str(GPU_MEMORY_MB):
        yield f"config.txt has gpu_mem={taken} instead of {GPU_MEMORY_MB}"
    if taken.isdigit():
        free = SMALLEST_BOARD_MB - int(taken) - config.cma_mb()
        if free < FREE_MB:
            yield f"a board with {SMALLEST_BOARD_MB} MB has {free} MB left instead of {FREE_MB}"


def _about_lines(config: ConfigTxt, cmdline: str) -> Iterator[str]:
    if config.longest > LONGEST_LINE:
        yield f"config.txt has a line of {config.longest} characters: the firmware cuts it"
    given = [*config.settings.items(), ("dtoverlay", config.overlays)]
    for key, values in given:
        for value in values:
            if value != value.strip():
                yield f"config.txt has a space at the end of {key}={value.strip()}"
        if key not in _MANY and len(set(values)) > 1:
            yield f"config.txt sets {key} to {' and to '.join(values)}"
    if len(cmdline.strip().splitlines()) != 1:
        yield "cmdline.txt has more than one line: the firmware reads the first"
    for word in MEMORY_CGROUP:
        if word not in cmdline.split():
            yield f"cmdline.txt lacks {word}: docker ignores memory limits"


def check(workshop: Workshop, release: str) -> str:
    """Raises: CheckFailed: the firmware would read something else than is meant."""
    build = MaskedBuild.prepare(workshop, release)
    config, installed = _built(build, {})
    cmdline = (build.deployed / "bootfiles/cmdline.txt").read_text()
    faults = complaints(config, cmdline, installed, DETECTED[release])
    if faults:
        raise CheckFailed(f"{len(faults)} faults: {'; '.join(faults)}")
    for display, overlay in DISPLAYS.items():
        if overlay in DETECTED[release]:
            _require_chosen(build, display, overlay)
    displays = len(DETECTED[release])
    return (
        f"gpu_mem={GPU_MEMORY_MB}, {config.cma_mb()} MB for pictures, {displays} official displays"
    )


def _require_chosen(build: MaskedBuild, display: str, overlay: str) -> None:
    """Raises: CheckFailed: a display that is chosen is not the one that the firmware loads."""
    config, _ = _built(build, {"VOICE_ASSISTANT_DISPLAY": display, "GPU_MEM": "256"})
    loaded = config.names().count(overlay)
    if loaded != 1 or config.value("display_auto_detect") != "0":
        raise CheckFailed(f"VOICE_ASSISTANT_DISPLAY={display} loads {overlay} {loaded} times")
    if config.value("gpu_mem") != "256":
        raise CheckFailed(f"GPU_MEM=256 makes gpu_mem={config.value('gpu_mem')}")


def _built(build: MaskedBuild, passed: dict[str, str]) -> tuple[ConfigTxt, frozenset[str]]:
    """config.txt, and what is installed beside the kernel."""
    name = "-".join(["boot-files", *passed.values()])
    done = build.bitbake(*BOOT_FILES, log=f"{name}.log", passed=passed)
    done.require_success()
    require_no_warning(done, besides=OF_MASKED_RECIPES)
    config = ConfigTxt.parse((build.deployed / "bootfiles/config.txt").read_text())
    return config, frozenset((build.deployed / "kernel-devicetree.txt").read_text().split())
