"""tools.system.image_checks.masked_build: our recipes, and what they lack when they are alone."""

from __future__ import annotations

from tools.system.image_checks.masked_build import SMALL_RECIPES, missing_packages, our_recipes
from tools.system.image_checks.package_rules import REQUIRED

SAID = """\
ERROR: Nothing RPROVIDES 'docker-moby' (but /x/whisper-backend.bb RDEPENDS on it)
NOTE: Runtime target 'docker-moby' is unbuildable, removing...
ERROR: Nothing RPROVIDES 'whisper-backend' (but /x/packagegroup.bb RDEPENDS on it)
ERROR: Nothing RPROVIDES 'whisper-backend-dev' (but /x/packagegroup.bb RDEPENDS on it)
ERROR: Nothing RPROVIDES 'docker-moby' (but /x/packagegroup.bb RDEPENDS on it)
ERROR: Nothing RPROVIDES 'alsa-states' (but /x/alsa-state.bb RDEPENDS on it)
ERROR: Nothing PROVIDES 'qtbase' (but /x/gui.bb DEPENDS on it)
"""


def test_packages_of_others_are_named_once() -> None:
    assert missing_packages(SAID, ["whisper-backend", *SMALL_RECIPES]) == ["docker-moby"]


def test_every_required_package_has_a_recipe() -> None:
    assert REQUIRED.keys() <= set(our_recipes())
