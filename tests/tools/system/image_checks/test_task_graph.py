"""tools.system.image_checks.task_graph: what bitbake says of the whole image."""

from __future__ import annotations

from tools.system.image_checks.task_graph import RECIPES, missing_recipes
from tools.system.yocto.images import all_images


def test_each_machine_has_its_kernel() -> None:
    kernels = {image.machine: missing_recipes(image, RECIPES) for image in all_images()}
    assert kernels == {"raspberrypi4-64": ["linux-raspberrypi"], "qemuarm64": ["linux-yocto"]}


def test_a_recipe_that_is_left_out_is_named() -> None:
    [image, *_] = all_images()
    built = (RECIPES | {"linux-yocto", "busybox"}) - {"docker-moby"}
    assert missing_recipes(image, built) == ["docker-moby"]
