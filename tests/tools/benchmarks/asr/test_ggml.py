import struct
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from rtap.errors import ModelError
from rtap.whisper.features import mel_filters
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.benchmarks.asr.ggml import BLOCK, F16, F32, Q8_0, dequantized, quantized, write_ggml
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.sources import open_checkpoint

BYTES_PER_ELEMENT = {F32: 4.0, F16: 2.0, Q8_0: 34 / 32}
OUTSIDE_LAYERS, PER_ENCODER_LAYER, PER_DECODER_LAYER = 11, 15, 24


class Tensor(NamedTuple):
    kind: int
    shape: tuple[int, ...]
    data: bytes

    def values(self) -> NDArray[np.float32]:
        if self.kind == Q8_0:
            return dequantized(self.data, self.shape)
        kind = np.float16 if self.kind == F16 else np.float32
        return np.frombuffer(self.data, kind).astype(np.float32).reshape(self.shape)


class File(NamedTuple):
    sizes: tuple[int, ...]
    filters: NDArray[np.float32]
    vocabulary: list[bytes]
    tensors: dict[str, Tensor]


def integers(file: BinaryIO, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}i", file.read(4 * count))


def parse(path: Path) -> File:
    with path.open("rb") as file:
        sizes = integers(file, 12)
        mels, bins = integers(file, 2)
        filters = np.frombuffer(file.read(4 * mels * bins), np.float32).reshape(mels, bins)
        vocabulary = [file.read(integers(file, 1)[0]) for _ in range(integers(file, 1)[0])]
        tensors = {}
        while header := file.read(12):
            dimensions, length, kind = struct.unpack("<3i", header)
            shape = tuple(reversed(integers(file, dimensions)))
            name = file.read(length).decode()
            size = int(np.prod(shape) * BYTES_PER_ELEMENT[kind])
            tensors[name] = Tensor(kind, shape, file.read(size))
            assert len(tensors[name].data) == size
        return File(sizes, filters, vocabulary, tensors)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    path = tmp_path_factory.mktemp("ggml") / "checkpoint"
    tiny_checkpoint(path, encoder_layers=2, decoder_layers=2)
    return open_checkpoint(str(path))


@pytest.fixture(scope="module")
def file(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> File:
    output = tmp_path_factory.mktemp("ggml") / "model.bin"
    write_ggml(checkpoint, output)
    return parse(output)


def test_begins_with_the_sizes_that_whisper_cpp_reads(file: File, checkpoint: Checkpoint) -> None:
    vocabulary = checkpoint.config.vocab_size
    assert file.sizes == (0x67676D6C, vocabulary, 100, 32, 2, 2, 48, 32, 2, 2, 80, 2007)


def test_holds_the_mel_filters(file: File) -> None:
    assert file.filters == pytest.approx(mel_filters(80), abs=1e-7)


def test_holds_the_bytes_of_every_text_token_in_order(file: File) -> None:
    # The tiny tokenizer's ranks: all bytes, then a few words.
    assert file.vocabulary[:256] == [bytes([byte]) for byte in range(256)]
    assert file.vocabulary[256:] == [b"he", b" t", b"in", b"ing"]


def test_holds_every_tensor_of_whisper_cpp(file: File) -> None:
    assert len(file.tensors) == OUTSIDE_LAYERS + 2 * PER_ENCODER_LAYER + 2 * PER_DECODER_LAYER


@pytest.mark.parametrize(
    ("stored_as", "name", "kind"),
    [
        ("encoder.conv1.weight", "encoder.conv1.weight", F16),
        ("encoder.positional_embedding", "encoder.embed_positions.weight", F32),
        ("encoder.ln_post.bias", "encoder.layer_norm.bias", F32),
        ("encoder.blocks.1.attn.query.weight", "encoder.layers.1.self_attn.q_proj.weight", Q8_0),
        ("encoder.blocks.0.attn.out.bias", "encoder.layers.0.self_attn.out_proj.bias", F32),
        ("encoder.blocks.0.attn_ln.weight", "encoder.layers.0.self_attn_layer_norm.weight", F32),
        ("encoder.blocks.1.mlp.0.weight", "encoder.layers.1.fc1.weight", Q8_0),
        ("encoder.blocks.1.mlp_ln.bias", "encoder.layers.1.final_layer_norm.bias", F32),
        ("decoder.token_embedding.weight", "decoder.embed_tokens.weight", Q8_0),
        ("decoder.positional_embedding", "decoder.embed_positions.weight", F32),
        ("decoder.ln.weight", "decoder.layer_norm.weight", F32),
        ("decoder.blocks.1.attn.value.weight", "decoder.layers.1.self_attn.v_proj.weight", Q8_0),
        (
            "decoder.blocks.0.cross_attn.key.weight",
            "decoder.layers.0.encoder_attn.k_proj.weight",
            Q8_0,
        ),
        (
            "decoder.blocks.1.cross_attn_ln.bias",
            "decoder.layers.1.encoder_attn_layer_norm.bias",
            F32,
        ),
        ("decoder.blocks.0.mlp.2.weight", "decoder.layers.0.fc2.weight", Q8_0),
    ],
)
def test_holds_the_values_of_the_checkpoint(
    file: File, checkpoint: Checkpoint, stored_as: str, name: str, kind: int
) -> None:
    tensor, values = file.tensors[stored_as], checkpoint.tensor(name)
    assert tensor.kind == kind
    assert tensor.shape == values.shape
    if kind == Q8_0:
        assert (np.abs(tensor.values() - values) <= largest_errors(values)).all()
    else:
        assert tensor.values() == pytest.approx(values, rel=1e-3, abs=1e-7)


def test_the_biases_of_the_convolutions_are_columns(file: File) -> None:
    assert file.tensors["encoder.conv2.bias"].shape == (32, 1)


def test_keys_have_no_bias(file: File) -> None:
    assert not [name for name in file.tensors if name.endswith("key.bias")]


def largest_errors(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half a step of each block, and what its scale loses in half precision."""
    steps = np.abs(values.reshape(-1, BLOCK)).max(axis=1, keepdims=True) / 127
    return np.broadcast_to(steps * (0.5 + 127 / 2048), (steps.size, BLOCK)).reshape(values.shape)


def test_zeros_stay_zeros() -> None:
    values = np.zeros((2, BLOCK), np.float32)
    values[1] = np.linspace(-1, 1, BLOCK)
    back = dequantized(quantized(values), values.shape)
    assert not back[0].any()
    assert back[1] == pytest.approx(values[1], abs=0.005)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"d_model": 48}, "48 wide, and q8_0 takes multiples of 32"),
        ({"tie_word_embeddings": False}, "output projection of its own"),
    ],
)
def test_refuses_what_the_format_has_no_place_for(
    tmp_path: Path, shape: dict[str, Any], message: str
) -> None:
    tiny_checkpoint(tmp_path / "checkpoint", **shape)
    with pytest.raises(ModelError, match=message):
        write_ggml(open_checkpoint(str(tmp_path / "checkpoint")), tmp_path / "model.bin")
    assert not (tmp_path / "model.bin").exists()
