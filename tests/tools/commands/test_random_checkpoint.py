"""tools/random_checkpoint: what stands in for trained weights in all other tests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WhisperForConditionalGeneration

from rtap.whisper.load_model import load_model
from rtap.whisper.model_directory import ModelDirectory
from tests.tools.conftest import SmallDisk, Start
from tests.tools.model.conversion.tiny_checkpoints import tiny_tokenizer
from tools.commands import random_checkpoint
from tools.model.conversion.parity import _Reference, _synthetic_mel
from tools.model.conversion.random_checkpoint import SIZES, Size, _config, make_checkpoint
from tools.model.conversion.sources import open_checkpoint
from tools.model.conversion.tokenizer_from_ranks import byte_tokenizer

SMALL = Size(width=32, heads=2, encoder_layers=1, decoder_layers=2)


def digests(path: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in path.iterdir()}


def test_the_seed_decides(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer(tmp_path)
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        make_checkpoint(tmp_path / name, SMALL, seed=seed, tokenizer=tokenizer)
    one, two, three = (digests(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert [name for name in one if one[name] != three[name]] == ["model.safetensors"]


def test_is_what_transformers_reads(checkpoint: Path) -> None:
    model = WhisperForConditionalGeneration.from_pretrained(checkpoint)
    size = SIZES["mini"]
    assert (model.config.d_model, model.config.encoder_layers) == (size.width, size.encoder_layers)
    assert model.num_parameters() == open_checkpoint(str(checkpoint)).parameters()
    assert {file.name for file in checkpoint.iterdir()} == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "tokenizer.json",
    }


@pytest.mark.slow
def test_greedy_decoding_wanders_and_listens(converted: Path, checkpoint: Path) -> None:
    reference = _Reference(open_checkpoint(str(checkpoint)))
    model = load_model(ModelDirectory.open(converted))
    prompt = [*model.tokenizer.sot_sequence("en"), model.tokenizer.no_timestamps]
    heard = []
    for seconds in (2, 3):
        mel = _synthetic_mel(model.log_mel, seconds)
        tokens, logits = reference.greedy(reference.encode(mel), prompt, 100)
        assert len(set(tokens)) > 20
        assert np.isfinite(logits).all()
        heard.append(tokens)
    assert heard[0] != heard[1]


@pytest.mark.parametrize(
    ("name", "millions"),
    # As published.
    [("tiny", 37.8), ("base", 72.6), ("small", 241.7), ("large-v3-turbo", 808.9)],
)
def test_sizes_are_openais(name: str, millions: float) -> None:
    size = SIZES[name]
    tokenizer = byte_tokenizer(num_languages=size.languages)
    with torch.device("meta"):
        model = WhisperForConditionalGeneration(_config(size, tokenizer))
    assert model.config.vocab_size == (51866 if name.startswith("large-v3") else 51865)
    # The encoder's sinusoids count for torch, and are trained nowhere.
    assert model.num_parameters() / 1e6 == pytest.approx(millions, rel=0.01)


def test_command_line(tmp_path: Path, start: Start) -> None:
    done = start(random_checkpoint.main, tmp_path / "mini", "--size", "mini", "--seed", "3")
    assert (done.status, done.complaints) == (0, [])
    assert done.out == f"{tmp_path / 'mini'}: random mini checkpoint, seed 3\n"
    config = json.loads((tmp_path / "mini/config.json").read_text())
    assert config["d_model"] == SIZES["mini"].width


def test_what_exists_is_kept(tmp_path: Path, start: Start) -> None:
    (tmp_path / "mini").mkdir()
    done = start(random_checkpoint.main, tmp_path / "mini", "--size", "mini")
    assert done.status == 2
    assert "exists already: remove it or choose another place" in done.complaints[0]
    assert list((tmp_path / "mini").iterdir()) == []


def test_a_rank_file_that_is_none(tmp_path: Path, start: Start) -> None:
    ranks = tmp_path / "ranks"
    for content in (b"", b"hello\n", b"aGVsbG8= one\n"):
        ranks.write_bytes(content)
        done = start(random_checkpoint.main, tmp_path / "mini", "--tokenizer-ranks", ranks)
        assert done.status == 2
        assert len(done.complaints) == 1
        assert not (tmp_path / "mini").exists()


def test_full_disk(small_disk: SmallDisk, start: Start) -> None:
    # safetensors has an error of its own for it, and it writes beside the file and renames: a
    # stand-in such as /dev/full would be replaced.
    small_disk.resize(1000)
    done = start(random_checkpoint.main, small_disk.path / "mini", "--size", "mini")
    assert (done.status, done.out) == (2, "")
    assert len(done.complaints) == 1
    assert done.complaints[0].startswith("tool: error: the disk is full")
    assert not (small_disk.path / "mini").exists()
