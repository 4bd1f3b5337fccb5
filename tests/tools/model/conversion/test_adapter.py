"""Adapters: merged exactly, into their own checkpoint only, and found without being named."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from rtap.errors import ConfigurationError, ModelError, StorageError
from rtap.whisper.model_directory import ModelDirectory, file_sha256
from tests.tools.conftest import SmallDisk, Start
from tests.tools.model.conversion.ctranslate2_files import tiny_ctranslate2
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.commands import convert_whisper
from tools.model.conversion.adapter import Adapter, write_adapter
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.convert import convert
from tools.model.conversion.project_adapters import ADAPTERS, adapter_for
from tools.model.conversion.quantize import quantize
from tools.model.conversion.sources import open_checkpoint

RANK = 3
LINEAR = "encoder.layers.0.fc1.weight"
CONVOLUTION = "encoder.conv1.weight"
WHOLE = ("encoder.layer_norm.bias", "encoder.embed_positions.weight")
LARGEST = 5_000_000
"""Bytes that an adapter in the repository may have."""


def changes(checkpoint: Checkpoint, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    shapes = checkpoint.shapes()
    made = {}
    for name in (LINEAR, CONVOLUTION):
        out, *rest = shapes[name]
        made[f"{name}.lora_a"] = random.normal(0, 0.1, (RANK, int(np.prod(rest))))
        made[f"{name}.lora_b"] = random.normal(0, 0.1, (out, RANK))
    for name in WHOLE:
        made[f"{name}.delta"] = random.normal(0, 0.1, shapes[name])
    return {name: array.astype(np.float32) for name, array in made.items()}


def metadata(checkpoint: Checkpoint, **others: str) -> dict[str, str]:
    return {
        "checkpoint": checkpoint.digest,
        "source": "openai/whisper-tiniest",
        "elastic": "native",
        "margin": "0.5",
        "created_by": "a test",
        "record": json.dumps({"steps": 7}),
        **others,
    }


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    tiny_checkpoint(tmp_path / "tiniest")
    return open_checkpoint(str(tmp_path / "tiniest"))


@pytest.fixture
def path(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    made = tmp_path / "adapters" / "whisper-tiniest.safetensors"
    write_adapter(made, changes(checkpoint), metadata(checkpoint))
    return made


def test_is_read_as_it_was_written(path: Path, checkpoint: Checkpoint) -> None:
    opened = Adapter.read(path)
    assert (opened.name, opened.source) == ("whisper-tiniest", "openai/whisper-tiniest")
    assert (opened.elastic, opened.margin, opened.record) == ("native", 0.5, {"steps": 7})
    assert (opened.checkpoint, opened.sha256) == (checkpoint.digest, file_sha256(path))
    assert {array.dtype for array in load_file(path).values()} == {np.dtype(np.float16)}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_low_rank_change_is_added(path: Path, checkpoint: Checkpoint) -> None:
    stored = {name: array.astype(np.float32) for name, array in load_file(path).items()}
    merged = checkpoint.adapted(Adapter.read(path))
    for name in (LINEAR, CONVOLUTION):
        change = stored[f"{name}.lora_b"] @ stored[f"{name}.lora_a"]
        expected = checkpoint.tensor(name) + change.reshape(checkpoint.tensor(name).shape)
        np.testing.assert_array_equal(merged.tensor(name), expected)
        assert np.abs(change).max() > 0.01


def test_a_whole_change_is_added(path: Path, checkpoint: Checkpoint) -> None:
    stored = load_file(path)
    merged = checkpoint.adapted(Adapter.read(path))
    for name in WHOLE:
        expected = checkpoint.tensor(name) + stored[f"{name}.delta"].astype(np.float32)
        np.testing.assert_array_equal(merged.tensor(name), expected)


def test_nothing_else_changes(path: Path, checkpoint: Checkpoint) -> None:
    merged = checkpoint.adapted(Adapter.read(path))
    for name in set(checkpoint.shapes()) - {LINEAR, CONVOLUTION, *WHOLE}:
        np.testing.assert_array_equal(merged.tensor(name), checkpoint.tensor(name))
    assert (merged.digest, merged.parameters()) == (checkpoint.digest, checkpoint.parameters())


def test_the_graphs_compute_the_merged_weights(
    path: Path, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    # Parity is measured with a network that was filled with the merged tensors.
    manifest = convert(checkpoint.adapted(Adapter.read(path)), tmp_path / "merged")
    assert manifest.parity["passed"]
    plain = convert(checkpoint, tmp_path / "plain", verify=False)
    assert manifest.files["encoder.onnx.data"] != plain.files["encoder.onnx.data"]
    assert manifest.files["decoder.onnx.data"] == plain.files["decoder.onnx.data"]


def test_the_manifest_says_so_and_int8_inherits_it(
    path: Path, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    convert(checkpoint.adapted(Adapter.read(path)), tmp_path / "graphs", verify=False)
    quantize(ModelDirectory.open(tmp_path / "graphs"), tmp_path / "small", "int8")
    for name in ("graphs", "small"):
        manifest = ModelDirectory.open(tmp_path / name).manifest
        assert (manifest.elastic, manifest.margin_seconds) == ("native", 0.5)
        assert manifest.adapter == {
            "name": "whisper-tiniest",
            "sha256": file_sha256(path),
            "record": {"steps": 7},
        }


def test_other_layouts_of_the_same_weights_take_it(tmp_path: Path) -> None:
    tiny_ctranslate2(tmp_path / "faster")
    hub = open_checkpoint(str(tmp_path / "faster-hub"))
    made = tmp_path / "made.safetensors"
    write_adapter(made, changes(hub), metadata(hub))
    merged = open_checkpoint(str(tmp_path / "faster")).adapted(Adapter.read(made))
    np.testing.assert_allclose(
        merged.tensor(LINEAR), hub.adapted(Adapter.read(made)).tensor(LINEAR), atol=1e-3
    )


@pytest.mark.parametrize("shape", [{"seed": 1}, {"encoder_ffn_dim": 40}, {"d_model": 64}])
def test_another_checkpoint_is_refused(
    shape: dict[str, int], path: Path, tmp_path: Path, start: Start
) -> None:
    tiny_checkpoint(tmp_path / "other", **shape)  # type: ignore[arg-type]
    output = tmp_path / "graphs"
    done = start(convert_whisper.main, tmp_path / "other", output, "--adapter", path)
    assert done.status == 2
    [complaint] = done.complaints
    assert complaint == (
        f"tool: error: {path} belongs to openai/whisper-tiniest and not to the weights of other: "
        f"give --adapter the one of this checkpoint, or --no-adapter"
    )
    assert not output.exists()


@pytest.fixture
def projects(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The adapter is one that came with the project."""
    monkeypatch.setattr(convert_whisper, "adapter_for", lambda one: adapter_for(one, path.parent))
    return path


def converted_by(start: Start, checkpoint: Checkpoint, *arguments: str | Path) -> Mapping[str, Any]:
    output = checkpoint.path.with_name("graphs")
    done = start(convert_whisper.main, checkpoint.path, output, "--no-verify", "--json", *arguments)
    assert done.status == 0, done.err
    manifest: dict[str, Any] = json.loads(done.out)
    return manifest


def test_the_projects_adapter_is_merged_unasked(
    projects: Path, checkpoint: Checkpoint, start: Start
) -> None:
    manifest = converted_by(start, checkpoint)
    assert manifest["adapter"]["sha256"] == file_sha256(projects)
    assert (manifest["elastic"], manifest["margin_seconds"]) == ("native", 0.5)


@pytest.mark.usefixtures("projects")
def test_it_is_left_out_on_demand(checkpoint: Checkpoint, start: Start) -> None:
    manifest = converted_by(start, checkpoint, "--no-adapter")
    assert (manifest["adapter"], manifest["elastic"]) == ({}, "guarded")
    assert manifest["margin_seconds"] == 0


@pytest.mark.usefixtures("projects")
def test_a_checkpoint_of_the_same_shape_goes_without(tmp_path: Path, start: Start) -> None:
    tiny_checkpoint(tmp_path / "finetuned", seed=1)
    manifest = converted_by(start, open_checkpoint(str(tmp_path / "finetuned")))
    assert manifest["adapter"] == {}


def test_no_weights_are_read_for_an_adapter_of_another_shape(path: Path, tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "wide", d_model=64)
    wide = open_checkpoint(str(tmp_path / "wide"))
    assert adapter_for(wide, path.parent) is None
    assert "digest" not in vars(wide)


def test_both_options_at_once(path: Path, checkpoint: Checkpoint, start: Start) -> None:
    for option in (["--no-adapter"], ["--layout", "optimum"]):
        done = start(convert_whisper.main, checkpoint.path, "out", "--adapter", path, *option)
        assert done.status == 2
        assert "leave one of them out" in done.complaints[0]


def stored_again(
    change: Callable[[dict[str, Any], dict[str, str]], object],
) -> Callable[[Path, Checkpoint], None]:
    def rewrite(path: Path, checkpoint: Checkpoint) -> None:
        tensors, text = dict(load_file(path)), {"format": "1", **metadata(checkpoint)}
        change(tensors, text)
        save_file(tensors, path, metadata=text)

    return rewrite


DAMAGE: dict[str, Callable[[Path, Checkpoint], object]] = {
    "truncated": lambda path, _: path.write_bytes(path.read_bytes()[:-50]),
    "empty": lambda path, _: path.write_bytes(b""),
    "text": lambda path, _: path.write_text("not found"),
    "newer": stored_again(lambda _, text: text.update(format="2")),
    "not said whose": stored_again(lambda _, text: text.pop("checkpoint")),
    "another elastic": stored_again(lambda _, text: text.update(elastic="no")),
    "no margin": stored_again(lambda _, text: text.update(margin="")),
    "margin that is no number": stored_again(lambda _, text: text.update(margin="nan")),
    "record that is none": stored_again(lambda _, text: text.update(record="[1]")),
    "half of a pair": stored_again(lambda tensors, _: tensors.pop(f"{LINEAR}.lora_b")),
    "another rank": stored_again(
        lambda tensors, _: tensors.update({f"{LINEAR}.lora_b": np.ones((64, 9), np.float16)})
    ),
    "unknown part": stored_again(
        lambda tensors, _: tensors.update({f"{LINEAR}.scale": np.ones(3, np.float16)})
    ),
    "nothing": stored_again(lambda tensors, _: tensors.clear()),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_one_line(kind: str, path: Path, checkpoint: Checkpoint, start: Start) -> None:
    DAMAGE[kind](path, checkpoint)
    output = checkpoint.path.with_name("graphs")
    done = start(convert_whisper.main, checkpoint.path, output, "--adapter", path)
    assert done.status == 2
    assert len(done.complaints) == 1
    assert str(path) in done.complaints[0]
    assert "--no-adapter" in done.complaints[0]
    assert not output.exists()


def test_no_file(checkpoint: Checkpoint, start: Start) -> None:
    done = start(convert_whisper.main, checkpoint.path, "graphs", "--adapter", "nowhere")
    assert done.complaints == ["tool: error: there is no adapter at nowhere: check the path"]


def test_what_would_not_be_read_is_not_written(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "made.safetensors"
    large = {f"{LINEAR}.delta": np.full(checkpoint.shapes()[LINEAR], 1e6, np.float32)}
    with pytest.raises(ConfigurationError, match="fp16 cannot hold"):
        write_adapter(path, large, metadata(checkpoint))
    half = {f"{LINEAR}.lora_a": np.ones((3, 32), np.float32)}
    with pytest.raises(ConfigurationError, match="half of a pair"):
        write_adapter(path, half, metadata(checkpoint))
    with pytest.raises(ConfigurationError, match="elastic is 'no'"):
        write_adapter(path, changes(checkpoint), metadata(checkpoint, elastic="no"))
    assert not [file for file in tmp_path.iterdir() if "made" in file.name]


def test_a_full_disk(checkpoint: Checkpoint, small_disk: SmallDisk) -> None:
    with pytest.raises(StorageError, match="the disk is full"):
        write_adapter(
            small_disk.path / "made.safetensors", changes(checkpoint), metadata(checkpoint)
        )
    assert list(small_disk.path.iterdir()) == []


def test_those_of_the_project_are_whole_and_small() -> None:
    for path in ADAPTERS.glob("*"):
        assert path.suffix == ".safetensors", path
        assert path.stat().st_size <= LARGEST, path
        assert Adapter.read(path).source.endswith(f"/{Adapter.read(path).name}"), path


def test_a_mark_with_a_margin(checkpoint: Checkpoint, tmp_path: Path) -> None:
    mark = checkpoint.path / "elastic.json"
    mark.write_text('{"elastic": "native", "margin": 0.75}')
    manifest = convert(checkpoint, tmp_path / "graphs", verify=False)
    assert (manifest.elastic, manifest.margin_seconds) == ("native", 0.75)
    mark.write_text('{"elastic": "native", "margin": "long"}')
    with pytest.raises(ModelError, match="a margin of 'long'"):
        convert(checkpoint, tmp_path / "others", verify=False)
