from pathlib import Path

import numpy as np
import pytest
import torch

from rtap.audio.format import SAMPLE_RATE
from rtap.whisper.features import LogMel
from tools.model.cabin import recipe
from tools.model.cabin.grammar import Grammar
from tools.model.cabin.network import MELS, WARPS, Network, Shape, WarpedLogMel, configuration
from tools.model.cabin.recipe import Recipe
from tools.model.cabin.tokenizer import PROMPT, train_tokenizer

TOKENIZER = train_tokenizer(["turn on the heating", "open the rear left window"] * 10)


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    shape = Shape(width=64, heads=4, encoder_layers=2, decoder_layers=1)
    return Network(configuration(shape, TOKENIZER), phones=10).eval()


def speech_like(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(3)
    return (0.1 * rng.standard_normal(int(seconds * SAMPLE_RATE))).astype(np.float32)


def test_features_without_warp_are_those_of_the_engine() -> None:
    audio = speech_like(1.5)
    features = WarpedLogMel()
    ours = features(
        torch.from_numpy(audio)[None], torch.tensor([features.plain]), torch.zeros(1, MELS)
    )
    engine = LogMel(MELS)(audio, frames=150)
    # The last frames look beyond the audio: torch mirrors it there, the engine sees silence.
    np.testing.assert_allclose(ours[0, :, :148].numpy(), engine[:, :148], atol=2e-4)


@pytest.mark.parametrize("warp", [0, WARPS - 1])
def test_warping_moves_a_formant(warp: int) -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = torch.from_numpy(np.sin(2 * np.pi * 1500 * time).astype(np.float32))[None]
    features = WarpedLogMel()
    flat = torch.zeros(1, MELS)
    plain = int(features(tone, torch.tensor([features.plain]), flat)[0, :, 50].argmax())
    moved = int(features(tone, torch.tensor([warp]), flat)[0, :, 50].argmax())
    assert (moved > plain) == (warp == WARPS - 1)
    assert 2 <= abs(moved - plain) <= 8


def test_encoder_takes_any_length(network: Network) -> None:
    for frames in (2, 50, 1198):
        states = network.encode(torch.zeros(1, MELS, frames))
        assert states.shape == (1, frames // 2, 64)


def test_logits_have_the_documented_shapes(network: Network) -> None:
    tokens, phones = network(torch.zeros(2, MELS, 100), torch.zeros(2, 5, dtype=torch.long))
    assert tokens.shape == (2, 5, TOKENIZER.get_vocab_size(with_added_tokens=True))
    assert phones.shape == (2, 50, 11)


def test_tokenizer_gives_back_what_it_was_given() -> None:
    for text in (" turn on the heating", " zebra, Ünïcode 7"):
        assert TOKENIZER.decode(TOKENIZER.encode(text).ids) == text
    assert all(TOKENIZER.token_to_id(name) is not None for name in PROMPT)


def test_the_recipe_always_learns_the_same_vocabulary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "_TOKENIZER_LINES", 300)
    one, two = (Recipe(Grammar.read(), tmp_path, seed=3).tokenizer() for _ in range(2))
    assert one.to_str() == two.to_str()
