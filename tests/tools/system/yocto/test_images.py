"""tools.system.yocto.images: which images there are."""

from __future__ import annotations

import pytest

from rtap.errors import ConfigurationError
from tools.root import ROOT
from tools.system.yocto import images


def test_both_machines_on_both_releases() -> None:
    assert [str(image) for image in images.all_images()] == [
        "qemuarm64 on scarthgap",
        "raspberrypi4-64 on scarthgap",
        "qemuarm64 on kirkstone",
        "raspberrypi4-64 on kirkstone",
    ]


def test_the_default_release_takes_one_file() -> None:
    image = images.choose("raspberrypi4-64", "scarthgap")
    assert image.kas_files() == str(ROOT / "kas/raspberrypi4-64.yml")


def test_a_release_and_options_come_after_the_machine() -> None:
    files = images.choose("qemuarm64", "kirkstone").kas_files(["debug"]).split(":")
    names = ["qemuarm64.yml", "kirkstone.yml", "opt/debug.yml"]
    assert files == [str(ROOT / "kas" / name) for name in names]


@pytest.mark.parametrize(
    ("machine", "release", "message"),
    [
        ("raspberrypi5", "scarthgap", "choose one of qemuarm64, raspberrypi4-64"),
        ("qemuarm64", "dunfell", "choose one of scarthgap, kirkstone"),
        ("base", "scarthgap", "unknown MACHINE 'base'"),
        ("../kas/qemuarm64", "scarthgap", "unknown MACHINE"),
    ],
)
def test_what_is_unknown_is_refused_with_what_is_known(
    machine: str, release: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        images.choose(machine, release)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown option 'turbo': choose of .*debug"):
        images.option_file("turbo")


@pytest.mark.parametrize("release", images.RELEASES)
def test_layers_come_from_upstream(release: str) -> None:
    urls = images.repositories(release)
    assert set(urls) == {
        "poky",
        "meta-openembedded",
        "meta-raspberrypi",
        "meta-virtualization",
        "meta-qt6",
    }
    assert all(url.startswith("https://") for url in urls.values())
