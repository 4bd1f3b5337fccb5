"""The names under which either Yocto release leaves an image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.system.releasing.image_parts import find_image

SCARTHGAP = "core-image-base-raspberrypi4-64.rootfs"
KIRKSTONE = "core-image-base-raspberrypi4-64"
ENDINGS = (".wic.bz2", ".wic.bmap", ".spdx.tar.zst", ".testdata.json")
TIME = "20261121101500"


def deploy(folder: Path, prefix: str, timed: str, variables: dict[str, str] | None = None) -> Path:
    """A deploy folder: files with a time in their names, links to them, and other things."""
    folder.mkdir(exist_ok=True)
    for ending in ENDINGS:
        text = json.dumps(variables or {}) if ending.endswith("json") else f"{timed}{ending}"
        (folder / f"{timed}{ending}").write_text(text)
        link = folder / f"{prefix}{ending}"
        link.unlink(missing_ok=True)
        link.symlink_to(f"{timed}{ending}")
    (folder / "Image").touch()
    (folder / "core-image-minimal-raspberrypi4-64.rootfs.wic.bz2").touch()
    return folder


@pytest.mark.parametrize(
    ("prefix", "timed"),
    [(SCARTHGAP, f"{SCARTHGAP}-{TIME}"), (KIRKSTONE, f"{KIRKSTONE}-{TIME}.rootfs")],
    ids=["scarthgap", "kirkstone"],
)
def test_names_of_both_releases(tmp_path: Path, prefix: str, timed: str) -> None:
    variables = {"VOICE_ASSISTANT_VERSION": "1.0", "DISTRO_CODENAME": "x"}
    folder = deploy(tmp_path / "deploy", prefix, timed, variables)
    parts = find_image([folder])
    assert parts.machine == "raspberrypi4-64"
    assert parts.image == folder / f"{prefix}.wic.bz2"
    assert parts.bmap == folder / f"{prefix}.wic.bmap"
    assert parts.spdx == folder / f"{prefix}.spdx.tar.zst"
    assert (parts.version, parts.build_id) == ("1.0", TIME)
    assert parts.faults("1.0") == []


def test_kirkstone_s_files_without_their_links(tmp_path: Path) -> None:
    timed = f"{KIRKSTONE}-{TIME}"
    names = (f"{timed}.rootfs.wic.bz2", f"{timed}.rootfs.wic.bmap", f"{timed}.spdx.tar.zst")
    for name in names:
        (tmp_path / name).touch()
    parts = find_image([tmp_path / name for name in names])
    assert (parts.machine, parts.build_id) == ("raspberrypi4-64", TIME)
    assert parts.faults("1.0") == []


def test_last_build_is_taken(tmp_path: Path) -> None:
    deploy(tmp_path / "deploy", SCARTHGAP, f"{SCARTHGAP}-20250101000000")
    folder = deploy(tmp_path / "deploy", SCARTHGAP, f"{SCARTHGAP}-{TIME}")
    assert find_image([folder]).build_id == TIME
    for file in folder.iterdir():
        if file.is_symlink():
            file.unlink()
    assert find_image([folder]).image.name == f"{SCARTHGAP}-{TIME}.wic.bz2"


def test_stated_build_id_comes_first(tmp_path: Path) -> None:
    variables = {"VOICE_ASSISTANT_BUILD_ID": "nightly-7"}
    folder = deploy(tmp_path / "deploy", SCARTHGAP, f"{SCARTHGAP}-{TIME}", variables)
    assert find_image([folder]).build_id == "nightly-7"


def test_missing_parts_are_all_named(tmp_path: Path) -> None:
    (tmp_path / f"{SCARTHGAP}.wic.bz2").touch()
    bmap, spdx = find_image([tmp_path]).faults("1.0")
    assert "block map" in bmap
    assert "IMAGE_FSTYPES" in bmap
    assert "create-spdx" in spdx


def test_image_of_another_version(tmp_path: Path) -> None:
    variables = {"VOICE_ASSISTANT_VERSION": "0.9"}
    folder = deploy(tmp_path / "deploy", SCARTHGAP, f"{SCARTHGAP}-{TIME}", variables)
    (fault,) = find_image([folder]).faults("1.0")
    assert "version 1.0, as this one is of 0.9" in fault


@pytest.mark.parametrize("feature", ["debug-tweaks", "ssh-server-openssh"])
def test_image_for_developers_is_no_release(tmp_path: Path, feature: str) -> None:
    variables = {"IMAGE_FEATURES": f"splash {feature}"}
    folder = deploy(tmp_path / "deploy", SCARTHGAP, f"{SCARTHGAP}-{TIME}", variables)
    (fault,) = find_image([folder]).faults("1.0")
    assert f"without {feature}" in fault
    assert "kas/opt" in fault


def test_two_machines(tmp_path: Path) -> None:
    for machine in ("qemuarm64", "raspberrypi4-64"):
        (tmp_path / f"core-image-base-{machine}.rootfs.wic.bz2").touch()
    with pytest.raises(ConfigurationError, match=r"qemuarm64, raspberrypi4-64 .*--image"):
        find_image([tmp_path])


@pytest.mark.parametrize("places", [[], ["."]])
def test_nothing_built(tmp_path: Path, places: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=r"`make image`.*--image"):
        find_image([tmp_path / place for place in places])


def test_place_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none does not exist.*make image"):
        find_image([tmp_path / "none"])


@pytest.mark.parametrize("earlier", [False, True])
def test_only_a_report_on_this_very_image_counts(tmp_path: Path, *, earlier: bool) -> None:
    """The link to a report stays when a later build makes none."""
    folder = deploy(tmp_path / "deploy", SCARTHGAP, f"{SCARTHGAP}-{TIME}")
    for ending, time in ((".manifest", TIME), (".json", "20250101000000" if earlier else TIME)):
        (folder / f"{SCARTHGAP}-{time}{ending}").touch()
        (folder / f"{SCARTHGAP}{ending}").symlink_to(f"{SCARTHGAP}-{time}{ending}")
    report = find_image([folder]).weaknesses
    assert report == (None if earlier else folder / f"{SCARTHGAP}.json")
