"""tools/quantize: smaller models that still compute nearly the same."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from rtap.whisper.model_directory import MANIFEST_NAME, Manifest, ModelDirectory, Precision
from tests.tools.conftest import Start
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.commands import quantize as tool
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.convert import convert
from tools.model.conversion.manifest import store_manifest
from tools.model.conversion.parity import measure_parity
from tools.model.conversion.quantize import PASSES, quantize
from tools.model.conversion.sources import open_checkpoint

GRAPHS = ["encoder.onnx", "decoder.onnx"]
SMALLER = sorted(PASSES)
UNTOUCHED_OPERATORS = ("LayerNormalization", "SkipLayerNormalization", "Gelu")
ATTENTION = ("MultiHeadAttention", "GroupQueryAttention")


LAYERED: dict[str, Any] = {
    "d_model": 128,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 512,
    "decoder_layers": 3,
    "decoder_ffn_dim": 512,
}
"""Most of its weights are in the layers, as in a real one."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    path = tmp_path_factory.mktemp("source") / "source"
    tiny_checkpoint(path, **LAYERED)
    return open_checkpoint(str(path))


@pytest.fixture(scope="module")
def models(source: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One model of each precision; never change them."""
    place = tmp_path_factory.mktemp("precisions")
    made = {"fp32": place / "mini"}
    convert(source, made["fp32"], verify=False)
    full = ModelDirectory.open(made["fp32"])
    for precision in SMALLER:
        made[precision] = place / f"mini-{precision}"
        quantize(full, made[precision], cast("Precision", precision))
    return made


@pytest.fixture
def copy(models: dict[str, Path], tmp_path: Path) -> Path:
    """An fp32 model that a test may change."""
    return Path(shutil.copytree(models["fp32"], tmp_path / "mini"))


def graph(path: Path) -> onnx.GraphProto:
    return onnx.load(path).graph


def operators(path: Path) -> Counter[str]:
    return Counter(node.op_type for node in graph(path).node)


def rewrite_manifest(path: Path, **changes: object) -> None:
    document = json.loads((path / MANIFEST_NAME).read_text()) | changes
    store_manifest(path, Manifest.from_json(json.dumps(document), path))


def test_every_small_precision_can_be_made() -> None:
    assert {*PASSES, "fp32"} == set(get_args(Precision))


@pytest.mark.parametrize("precision", SMALLER)
def test_is_smaller_and_says_so(precision: str, models: dict[str, Path]) -> None:
    before = ModelDirectory.open(models["fp32"]).manifest
    directory = ModelDirectory.open(models[precision])
    directory.verify()
    after = directory.manifest
    assert after.precision == precision
    assert (after.source, after.parameters, after.elastic, after.opset) == (
        before.source,
        before.parameters,
        before.elastic,
        before.opset,
    )
    assert set(after.files) == set(before.files)
    for name in GRAPHS:
        record = after.quantization[name]
        for key, where in (("bytes_before", "fp32"), ("bytes_after", precision)):
            files = models[where].glob(f"{name}*")
            assert record[key] == sum(file.stat().st_size for file in files)
        assert record["bytes_after"] < 0.75 * record["bytes_before"]
        assert record["operators"] == operators(models[precision] / name)


def test_fewer_bits_take_less_room(models: dict[str, Path]) -> None:
    def weights(precision: str) -> int:
        return sum(file.stat().st_size for file in models[precision].glob("*.data"))

    assert weights("w4") < weights("int8") < weights("fp16") < weights("fp32")
    assert weights("w4") < weights("w8") < weights("fp16")


@pytest.mark.parametrize("precision", SMALLER)
def test_computes_nearly_the_same(
    precision: str, models: dict[str, Path], source: Checkpoint
) -> None:
    parity = measure_parity(ModelDirectory.open(models[precision]), source, steps=40)
    assert parity.failures == []
    # Something was rounded, or this compares a model with itself.
    assert all(part.relative_error > 1e-5 for part in parity.decoder)


@pytest.mark.slow
def test_int8_with_the_real_vocabulary_at_thirty_seconds(quantized: Path, checkpoint: Path) -> None:
    opened = open_checkpoint(str(checkpoint))
    parity = measure_parity(ModelDirectory.open(quantized), opened, steps=24)
    assert [part.seconds for part in parity.decoder] == [3, 30]
    assert parity.failures == []


@pytest.mark.parametrize("precision", SMALLER)
def test_widths_that_fill_no_block(precision: str, tmp_path: Path) -> None:
    shape: dict[str, Any] = {
        "d_model": 72,
        "encoder_attention_heads": 3,
        "decoder_attention_heads": 3,
    }
    tiny_checkpoint(tmp_path / "source", **shape, decoder_ffn_dim=100, num_mel_bins=128)
    source = open_checkpoint(str(tmp_path / "source"))
    convert(source, tmp_path / "full", verify=False)
    full = ModelDirectory.open(tmp_path / "full")
    quantize(full, tmp_path / "small", cast("Precision", precision))
    parity = measure_parity(ModelDirectory.open(tmp_path / "small"), source, steps=16)
    assert parity.failures == []


@pytest.mark.parametrize("precision", SMALLER)
def test_untied_projection(precision: str, tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "source", tie_word_embeddings=False)
    source = open_checkpoint(str(tmp_path / "source"))
    convert(source, tmp_path / "full", verify=False)
    full = ModelDirectory.open(tmp_path / "full")
    quantize(full, tmp_path / "small", cast("Precision", precision))
    parity = measure_parity(ModelDirectory.open(tmp_path / "small"), source, steps=16)
    assert parity.failures == []


@pytest.mark.parametrize("precision", ["int8", "w8", "w4"])
@pytest.mark.parametrize("name", GRAPHS)
def test_only_products_are_quantised(name: str, precision: str, models: dict[str, Path]) -> None:
    before, after = operators(models["fp32"] / name), operators(models[precision] / name)
    for operator in UNTOUCHED_OPERATORS:
        assert after[operator] == before[operator]
    assert sum(after[one] for one in ATTENTION) == sum(before[one] for one in ATTENTION)
    assert after["MatMul"] == 0
    assert not [operator for operator in after if operator.startswith(("ConvInteger", "QLinear"))]
    old = {tensor.name: tensor for tensor in graph(models["fp32"] / name).initializer}
    new = {tensor.name: tensor for tensor in graph(models[precision] / name).initializer}
    kept = [key for key in old if key.endswith("bias") or "norm" in key or "positions" in key]
    assert kept
    for key in kept:
        before_it, after_it = (numpy_helper.to_array(tensors[key]) for tensors in (old, new))
        if name == "encoder.onnx" and "norm" in key:
            # Divided by what the weights after them got.
            factors = before_it[after_it != 0] / after_it[after_it != 0]
            quarters = 4 * np.log2(factors)
            np.testing.assert_allclose(quarters, np.rint(quarters), atol=1e-3, err_msg=key)
        else:
            np.testing.assert_array_equal(after_it, before_it, key)


def test_the_projection_keeps_eight_bits(models: dict[str, Path]) -> None:
    nodes = [node for node in graph(models["w4"] / "decoder.onnx").node if "Bits" in node.op_type]
    bits: dict[bool, set[int]] = {}
    for node in nodes:
        attribute = next(entry for entry in node.attribute if entry.name == "bits")
        bits["logits" in node.output] = bits.get("logits" in node.output, set()) | {attribute.i}
    assert bits == {True: {8}, False: {4}}


@pytest.mark.parametrize("precision", SMALLER)
def test_twice_gives_the_same_bytes(
    precision: str, models: dict[str, Path], tmp_path: Path
) -> None:
    place = tmp_path / models[precision].name
    quantize(ModelDirectory.open(models["fp32"]), place, cast("Precision", precision))
    # The manifest holds the SHA-256 of every other file.
    assert (place / MANIFEST_NAME).read_bytes() == (models[precision] / MANIFEST_NAME).read_bytes()


def test_default_name_and_summary(copy: Path, start: Start) -> None:
    done = start(tool.main, copy)
    assert done.status == 0
    expected = copy.with_name("mini-int8")
    assert done.out.startswith(f"{expected}: int8, ")
    assert ModelDirectory.open(expected).manifest.name == "mini-int8"


def test_default_name_of_the_current_directory(
    copy: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    assert start(tool.main, ".", "--precision", "fp16").status == 0
    assert ModelDirectory.open(copy.with_name("mini-fp16")).manifest.precision == "fp16"


def test_json(copy: Path, tmp_path: Path, start: Start) -> None:
    done = start(tool.main, copy, tmp_path / "small", "--json")
    assert json.loads(done.out) == json.loads((tmp_path / "small" / MANIFEST_NAME).read_text())


def test_refuses_what_is_quantised_already(
    models: dict[str, Path], tmp_path: Path, start: Start
) -> None:
    done = start(tool.main, models["int8"], tmp_path / "smaller", "--precision", "w4")
    assert done.status == 2
    assert "is int8 already: quantise the fp32 model" in done.complaints[0]
    assert not (tmp_path / "smaller").exists()


def test_refuses_the_other_layout(copy: Path, tmp_path: Path, start: Start) -> None:
    rewrite_manifest(copy, layout="optimum")
    done = start(tool.main, copy, tmp_path / "small")
    assert done.status == 2
    assert "--layout rtap" in done.complaints[0]


def test_refuses_a_damaged_source(copy: Path, tmp_path: Path, start: Start) -> None:
    data = copy / "encoder.onnx.data"
    content = bytearray(data.read_bytes())
    content[100_000] ^= 1
    data.write_bytes(content)
    done = start(tool.main, copy, tmp_path / "small")
    assert done.status == 2
    assert len(done.complaints) == 1
    assert f"{data} is damaged" in done.complaints[0]
    assert not (tmp_path / "small").exists()


def test_refuses_what_is_no_model(tmp_path: Path, start: Start) -> None:
    for place in (tmp_path / "nothing", tmp_path):
        done = start(tool.main, place)
        assert done.status == 2
        assert len(done.complaints) == 1


def test_an_output_that_exists(copy: Path, tmp_path: Path, start: Start) -> None:
    (tmp_path / "mini-int8").mkdir()
    done = start(tool.main, copy)
    assert done.status == 2
    assert "exists already: add --force" in done.complaints[0]
    done = start(tool.main, copy, "--force")
    assert "not a model directory" in done.complaints[0]
    assert list((tmp_path / "mini-int8").iterdir()) == []


def test_does_not_replace_its_own_source(copy: Path, start: Start) -> None:
    for place in (copy, copy / "..", Path(f"{copy}/../{copy.name}")):
        done = start(tool.main, copy, place, "--force")
        assert done.status == 2
    assert ModelDirectory.open(copy).manifest.precision == "fp32"


def test_goes_on_where_it_stopped(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    source = ModelDirectory.open(copy)
    with monkeypatch.context() as patched:
        patched.setitem(PASSES["int8"], "decoder.onnx", stop)
        with pytest.raises(KeyboardInterrupt):
            quantize(source, tmp_path / "small", "int8")
    assert not (tmp_path / "small").exists()
    staged = tmp_path / ".small.partial" / "encoder.onnx.data"
    made = staged.stat().st_ino
    quantize(source, tmp_path / "small", "int8")
    assert (tmp_path / "small" / "encoder.onnx.data").stat().st_ino == made


def test_another_precision_starts_afresh(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: dict[str, Path]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    place = tmp_path / "mini-fp16"
    with monkeypatch.context() as patched:
        patched.setitem(PASSES["int8"], "decoder.onnx", stop)
        with pytest.raises(KeyboardInterrupt):
            quantize(ModelDirectory.open(copy), place, "int8")
    quantize(ModelDirectory.open(copy), place, "fp16")
    name = "encoder.onnx.data"
    digests = [hashlib.sha256((path / name).read_bytes()) for path in (place, models["fp16"])]
    assert digests[0].digest() == digests[1].digest()


def test_the_source_may_be_read_only(copy: Path, tmp_path: Path, start: Start) -> None:
    for file in copy.iterdir():
        file.chmod(0o444)
    copy.chmod(0o555)
    try:
        assert start(tool.main, copy, tmp_path / "small").status == 0
    finally:
        copy.chmod(0o755)
    assert os.access(tmp_path / "small" / "config.json", os.W_OK)
