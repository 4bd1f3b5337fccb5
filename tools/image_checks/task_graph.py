"""The whole image: every recipe of every layer is read, and bitbake finds a way to build all of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final

from tools.image_checks.sample_container import write_sample
from tools.image_checks.sample_model import write_sample_model
from tools.image_checks.verdict import CheckFailed
from tools.image_checks.workshop import Workshop
from tools.yocto.build_folder import BuildFolder
from tools.yocto.images import Image
from tools.yocto.process import Done

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


def for_image(image: Image) -> Callable[[Workshop], str]:
    """The check for one image."""

    def check(workshop: Workshop) -> str:
        build = full_build(workshop, image)
        done = build.run(
            "bitbake",
            "-g",
            "core-image-base",
            log="bitbake-g.log",
            seconds=3 * 3600,
            passed=graph_variables(workshop),
        )
        done.require_success()
        require_no_warning(done)
        recipes = set((build.path / "pn-buildlist").read_text().split())
        missing = missing_recipes(image, recipes)
        if missing:
            raise CheckFailed(f"the image is built without {', '.join(missing)}")
        tasks = len(_TASK.findall((build.path / "task-depends.dot").read_text()))
        return f"{len(recipes)} recipes, {tasks} tasks"

    return check


def full_build(workshop: Workshop, image: Image) -> BuildFolder:
    """The build folder in which no layer is masked."""
    return workshop.build_folder(image, "full")


def graph_variables(workshop: Workshop) -> dict[str, str]:
    """What the recipes are given; with other values bitbake would read all of them anew."""
    sample = write_sample(workshop.folder("sample"))
    model = write_sample_model(workshop.folder("sample"))
    return {"WHISPER_BACKEND_TARBALL": str(sample), "WHISPER_MODEL": str(model)}


def missing_recipes(image: Image, recipes: Collection[str]) -> list[str]:
    """What the image needs and is not among the recipes that are built for it."""
    return sorted((RECIPES | _KERNELS.get(image.machine, set())).difference(recipes))


def require_no_warning(done: Done) -> None:
    """Raises: CheckFailed: bitbake warns of something."""
    warnings = [line for line in done.text.splitlines() if line.startswith("WARNING:")]
    if warnings:
        raise CheckFailed(f"{len(warnings)} warnings, the first: {warnings[0]}; see {done.log}")
