"""The whole image: every recipe of every layer is read, and bitbake finds a way to build all of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from tools.system.image_checks.bitbake_warnings import require_no_warning
from tools.system.image_checks.samples import recipe_variables
from tools.system.image_checks.verdict import CheckFailed
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.build_folder import BuildFolder
from tools.system.yocto.images import Image

RECIPES: Final = frozenset(
    {
        "docker-moby",
        "packagegroup-voice-assistant",
        "qt6-voice-assistant",
        "qtbase",
        "qtdeclarative",
        "qtmultimedia",
        "qtwebsockets",
        "systemd",
        "voice-assistant-audio",
        "voice-assistant-data",
        "voice-assistant-tuning",
        "whisper-backend",
        "whisper-model",
    }
)
"""What has to be built for the image, whatever else is."""
_KERNELS: Final = {"raspberrypi4-64": {"linux-raspberrypi"}, "qemuarm64": {"linux-yocto"}}
_TASK: Final = re.compile(r'^"[^"]+\.do_[^"]+" \[', re.MULTILINE)


def check(workshop: Workshop, image: Image) -> str:
    """Raises: CheckFailed: bitbake warns, or builds the image without a recipe that it needs."""
    build = full_build(workshop, image)
    done = build.run(
        "bitbake",
        "-g",
        "core-image-base",
        log="bitbake-g.log",
        seconds=3 * 3600,
        passed=recipe_variables(workshop),
    )
    done.require_success()
    require_no_warning(done)
    recipes = set((build.path / "pn-buildlist").read_text().split())
    missing = missing_recipes(image, recipes)
    if missing:
        raise CheckFailed(f"the image is built without {', '.join(missing)}")
    tasks = len(_TASK.findall((build.path / "task-depends.dot").read_text()))
    return f"{len(recipes)} recipes, {tasks} tasks"


def full_build(workshop: Workshop, image: Image) -> BuildFolder:
    """The build folder in which no layer is masked."""
    return workshop.build_folder(image, "full")


def missing_recipes(image: Image, recipes: Collection[str]) -> list[str]:
    """What the image needs and is not among the recipes that are built for it."""
    return sorted((RECIPES | _KERNELS.get(image.machine, set())).difference(recipes))
