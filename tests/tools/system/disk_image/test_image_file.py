"""Images: plain and compressed give the same chunks; damage is named."""

from __future__ import annotations

import gzip
import lzma
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.tools.system.disk_image.sample_image import BLOCK, MIB, Sample, bmap_text
from tools.system.disk_image.bmap import Bmap
from tools.system.disk_image.image_file import (
    CHUNK_BYTES,
    Chunk,
    DamagedImageError,
    ImageFile,
    read_ahead,
)


def parsed(sample: Sample) -> Bmap:
    return Bmap.parse(sample.bmap.read_bytes(), sample.bmap.name)


def spread(chunks: Iterator[Chunk], length: int) -> bytes:
    content = bytearray(length)
    for start, data in chunks:
        assert len(data) <= CHUNK_BYTES
        content[start : start + len(data)] = data
    return bytes(content)


@pytest.mark.parametrize("ending", ["", ".bz2", ".gz", ".xz"])
def test_every_kind_gives_the_mapped_ranges(sample: Sample, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"a.wic{ending}"
    if ending == ".gz":
        file.write_bytes(gzip.compress(sample.content, 1))
    elif ending == ".xz":
        file.write_bytes(lzma.compress(sample.content, preset=0))
    else:
        shutil.copy(sample.compressed if ending else sample.plain, file)
    bmap = parsed(sample)
    chunks = list(ImageFile(file).mapped_chunks(bmap))
    assert sum(len(chunk.data) for chunk in chunks) == bmap.mapped_bytes
    assert spread(iter(chunks), bmap.image_bytes) == sample.content


def test_all_chunks(sample: Sample) -> None:
    chunks = ImageFile(sample.compressed).all_chunks()
    assert spread(chunks, len(sample.content)) == sample.content


def test_reading_ahead_changes_nothing(sample: Sample) -> None:
    image = ImageFile(sample.plain)
    bmap = parsed(sample)
    assert list(read_ahead(image.mapped_chunks(bmap))) == list(image.mapped_chunks(bmap))


def test_reading_ahead_passes_errors_on(sample: Sample) -> None:
    other = Bmap.parse(bmap_text(bytes(30 * MIB), [(0, BLOCK)]), "other")
    with pytest.raises(DamagedImageError):
        list(read_ahead(ImageFile(sample.plain).mapped_chunks(other)))


def test_head(sample: Sample) -> None:
    assert ImageFile(sample.compressed).head(512) == sample.content[:512]


def test_wrong_range_checksum_names_the_range(sample: Sample, tmp_path: Path) -> None:
    content = bytearray(sample.content)
    content[12 * MIB + 5] ^= 1
    file = tmp_path / "a.wic"
    file.write_bytes(content)
    message = "a.wic differs from its block map between byte 12582912 .* fetch both again"
    with pytest.raises(DamagedImageError, match=message):
        list(ImageFile(file).mapped_chunks(parsed(sample)))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.99])
def test_truncated_bz2(sample: Sample, tmp_path: Path, share: float) -> None:
    file = tmp_path / "a.wic.bz2"
    packed = sample.compressed.read_bytes()
    file.write_bytes(packed[: int(len(packed) * share)])
    with pytest.raises(DamagedImageError, match="fetch both again"):
        list(ImageFile(file).all_chunks())


def test_flipped_bit_in_bz2(sample: Sample, tmp_path: Path) -> None:
    file = tmp_path / "a.wic.bz2"
    packed = bytearray(sample.compressed.read_bytes())
    packed[len(packed) // 2] ^= 4
    file.write_bytes(packed)
    with pytest.raises(DamagedImageError, match="cannot be unpacked"):
        list(ImageFile(file).mapped_chunks(parsed(sample)))


@pytest.mark.parametrize("kind", ["plain", "compressed"])
def test_shorter_than_its_map(sample: Sample, tmp_path: Path, kind: str) -> None:
    content = sample.content[: 8 * MIB]
    file = tmp_path / ("a.wic" if kind == "plain" else "a.wic.gz")
    file.write_bytes(content if kind == "plain" else gzip.compress(content, 1))
    with pytest.raises(DamagedImageError, match=r"ends at byte 8388608 \(8.0 MiB\)"):
        list(ImageFile(file).mapped_chunks(parsed(sample)))


def test_not_bz2_at_all(tmp_path: Path) -> None:
    file = tmp_path / "a.wic.bz2"
    file.write_text("<html>404</html>")
    with pytest.raises(DamagedImageError, match="cannot be unpacked"):
        ImageFile(file).head(512)


def test_kinds_that_are_not_read_name_the_program(tmp_path: Path) -> None:
    file = tmp_path / "a.wic.zst"
    file.touch()
    with pytest.raises(ConfigurationError, match=r"run `zstd -d .*a\.wic\.zst` first"):
        ImageFile(file)


def test_missing_image(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is no file"):
        ImageFile(tmp_path / "a.wic")


@pytest.mark.parametrize("name", ["a.wic.bmap", "a.wic.bz2.bmap", "a.bmap"])
def test_finds_the_map_under_every_usual_name(tmp_path: Path, name: str) -> None:
    image = tmp_path / "a.wic.bz2"
    image.touch()
    (tmp_path / name).touch()
    assert ImageFile(image).bmap_path() == tmp_path / name


def test_missing_map_is_named_as_wic_names_it(tmp_path: Path) -> None:
    image = tmp_path / "a.wic.bz2"
    image.touch()
    assert ImageFile(image).bmap_path() == tmp_path / "a.wic.bmap"
