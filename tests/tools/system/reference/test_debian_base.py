"""tools.system.reference.debian_base: packages that are fetched once, and unpacked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tools.process.programs import BuildError
from tools.system.reference import debian_base as module
from tools.system.reference.debian_base import packages, unpack_base

MakePackage = Callable[..., Path]


class Fetch:
    """Stands for the download."""

    def __init__(self) -> None:
        self.mirrors: list[str | None] = []
        self.fails = False
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self, _arch: object, _names: object, folder: Path, mirror: str | None) -> None:
        self.mirrors.append(mirror)
        (folder / "archives").mkdir(parents=True)
        (folder / "archives/thing_1.0_arm64.deb").touch()
        if self.fails:
            raise BuildError("mmdebstrap failed")
        self.meanwhile()


@pytest.fixture
def fetch(monkeypatch: pytest.MonkeyPatch) -> Fetch:
    stand_in = Fetch()
    monkeypatch.setattr(module, "fetch", stand_in)
    return stand_in


def test_fetched_once(fetch: Fetch, tmp_path: Path) -> None:
    first = packages(tmp_path, None)
    assert [file.name for file in first] == ["thing_1.0_arm64.deb"]
    assert packages(tmp_path, None) == first
    assert fetch.mirrors == [None]


def test_another_mirror_or_another_list_fetches_again(
    fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages(tmp_path, None)
    packages(tmp_path, "https://example.com/debian")
    monkeypatch.setattr(module, "PACKAGES", ("other",))
    packages(tmp_path, None)
    assert fetch.mirrors == [None, "https://example.com/debian", None]


def test_half_a_download_is_not_kept(fetch: Fetch, tmp_path: Path) -> None:
    fetch.fails = True
    with pytest.raises(BuildError):
        packages(tmp_path, None)
    assert list(tmp_path.iterdir()) == []


def test_two_at_once(fetch: Fetch, tmp_path: Path) -> None:
    def other() -> None:
        fetch.meanwhile = lambda: None
        packages(tmp_path, None)

    fetch.meanwhile = other
    first = packages(tmp_path, None)
    assert all(file.is_file() for file in first)
    assert len(fetch.mirrors) == 2
    assert len(list(tmp_path.iterdir())) == 1


def test_unpacked_with_the_old_folders_as_links(make_package: MakePackage, tmp_path: Path) -> None:
    root = tmp_path / "root"
    files = [
        make_package("thing", **{"bin/program": "1", "usr/share/doc/thing/README": "2"}),
        make_package("dpkg", **{"usr/bin/dpkg": "3"}),
    ]
    unpack_base(files, root)
    assert (root / "usr/bin/program").read_text() == "1"
    assert str((root / "bin").readlink()) == "usr/bin"
    assert not (root / "usr/share/doc/thing/README").exists()
    assert not (root / "usr/bin/dpkg").exists()


def test_damaged_download_says_what_to_remove(tmp_path: Path) -> None:
    file = tmp_path / "packages-0/archives/thing_1.0_arm64.deb"
    file.parent.mkdir(parents=True)
    file.write_text("no package")
    with pytest.raises(BuildError, match=r"is damaged .*: remove .*/packages-0 and run the same"):
        unpack_base([file], tmp_path / "root")
