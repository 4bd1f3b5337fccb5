"""tools/build_container: what it says when it cannot build; the built images are tested with its library."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tools.commands.build_container import main
from tools.root import ROOT

BUNDLED = ROOT / "backend/rtap/models/cabin-en"


@pytest.fixture
def with_mmdebstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that must not be reached."""
    program = tmp_path / "bin/mmdebstrap"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'E: it was started' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def test_without_mmdebstrap(start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = start(main, "--output", tmp_path / "out")
    assert done.status == 2
    assert done.err == ("tool: error: mmdebstrap is not installed: apt-get install mmdebstrap\n")
    assert not (tmp_path / "out").exists()


def test_unknown_processor(start: Any) -> None:
    done = start(main, "--arch", "riscv64")
    assert done.status == 2
    assert "invalid choice: 'riscv64'" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.usefixtures("with_mmdebstrap")
def test_model_without_manifest(start: Any, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    done = start(main, "--model", tmp_path / "model", "--output", tmp_path / "out")
    assert done.status == 2
    assert "has no manifest.json" in done.err
    assert "run tools/convert_whisper on the checkpoint" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.usefixtures("with_mmdebstrap")
def test_missing_model(start: Any, tmp_path: Path) -> None:
    done = start(main, "--model", tmp_path / "none")
    assert done.status == 2
    assert f"no model directory at {tmp_path / 'none'}" in done.err


@pytest.mark.usefixtures("with_mmdebstrap")
def test_damaged_model(start: Any, tmp_path: Path) -> None:
    model = shutil.copytree(BUNDLED, tmp_path / "model")
    (model / "decoder.onnx").write_bytes(bytes((model / "decoder.onnx").stat().st_size))
    done = start(main, "--model", model)
    assert done.status == 2
    assert "decoder.onnx is damaged" in done.err


@pytest.mark.usefixtures("with_mmdebstrap")
def test_too_little_room(start: Any, small_disk: Any) -> None:
    done = start(main, "--output", small_disk.path / "out")
    assert done.status == 2
    assert "MB left and the build takes 12" in done.err
    assert "choose another --output" in done.err


@pytest.mark.usefixtures("with_mmdebstrap")
def test_failed_build_leaves_the_earlier_one(start: Any, tmp_path: Path) -> None:
    earlier = tmp_path / "whisper-backend.tar"
    earlier.write_text("earlier")
    done = start(main, "--output", tmp_path)
    assert done.status == 1
    (complaint,) = done.complaints
    assert "mmdebstrap failed with status 1 (E: it was started): check the network" in complaint
    assert earlier.read_text() == "earlier"
    assert {path.name for path in tmp_path.iterdir()} == {"bin", earlier.name}
