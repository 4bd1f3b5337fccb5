"""tools.system.image_checks.owners: which recipe of others claims a file of ours."""

from __future__ import annotations

from typing import Any

import pytest

from tools.system.image_checks.owners import Recipe, check, taken
from tools.system.image_checks.verdict import CannotCheck
from tools.system.image_checks.workshop import Workshop

OURS = {
    "/etc/asound.conf": "voice-assistant-audio",
    "/usr/lib/systemd/system/data.mount": "voice-assistant-data",
}


def document(**changes: Any) -> dict[str, Any]:
    """As ``recipe_reader.py`` writes it of a recipe that installs nothing of ours."""
    return {
        "root": "/build/image",
        "units": "/usr/lib/systemd/system",
        "sources": "https://example.org/x.tar.gz file://init;subdir=x",
        "install": "install -d /build/image/etc",
        "links": [],
        "files": {"x": "/etc /usr/bin/* /etc/*.conf", "x-doc": ""},
        "conffiles": {"x": ""},
        "systemd_service": {"x": "x.service"},
    } | changes


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"files": {"x": "/etc/init.d /etc/asound.conf"}}, "FILES"),
        ({"conffiles": {"x": "/etc/asound.conf"}}, "FILES"),
        ({"links": ["/etc/asound.conf"]}, "ALTERNATIVE"),
        ({"install": "install /w/asound.conf /build/image/etc"}, "do_install"),
        (
            {
                "install": "install /w/*.conf /build/image/etc",
                "sources": "file://asound.conf file://a.state",
            },
            "do_install",
        ),
    ],
)
def test_a_claim_is_told_with_its_place(changes: dict[str, Any], place: str) -> None:
    recipe = Recipe.read("alsa-state", document(**changes))
    line = f"/etc/asound.conf of voice-assistant-audio is also in alsa-state ({place})"
    assert list(taken(OURS, [recipe])) == [line]


def test_a_unit_of_the_same_name_is_a_claim() -> None:
    recipe = Recipe.read("disks", document(systemd_service={"x": "x.service data.mount"}))
    [line] = taken(OURS, [recipe])
    assert line.endswith("data.mount of voice-assistant-data is also in disks (SYSTEMD_SERVICE)")


def test_folders_and_patterns_are_no_claims() -> None:
    assert list(taken(OURS, [Recipe.read("x", document())])) == []


def test_without_packages_there_is_nothing_to_compare(workshop: Workshop) -> None:
    with pytest.raises(CannotCheck, match="run the check packages-scarthgap first"):
        check(workshop, "scarthgap")
