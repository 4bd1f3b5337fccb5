"""tools.system.image_checks.sample_container: an archive of docker's form."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

from tools.system.image_checks.sample_container import write_sample


def test_configuration_and_layer_have_the_digests_they_are_called_by(tmp_path: Path) -> None:
    with tarfile.open(write_sample(tmp_path)) as archive:

        def read(name: str) -> bytes:
            file = archive.extractfile(name)
            assert file is not None
            return file.read()

        [image] = json.loads(read("manifest.json"))
        written = read(image["Config"])
        assert image["Config"] == f"{hashlib.sha256(written).hexdigest()}.json"
        configuration = json.loads(written)
        layers = [hashlib.sha256(read(name)).hexdigest() for name in image["Layers"]]
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{digest}" for digest in layers]
    assert configuration["architecture"] == "arm64"


def test_it_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    assert write_sample(first).read_bytes() == write_sample(second).read_bytes()
