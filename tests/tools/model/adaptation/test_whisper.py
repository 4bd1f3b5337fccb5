"""The torch model against transformers' own forward and generation, and in contexts that those refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WhisperForConditionalGeneration

from rtap.errors import ConfigurationError
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.model.adaptation.clips import Clip
from tools.model.adaptation.whisper import Whisper
from tools.model.conversion.sources import open_checkpoint

SECONDS = 4


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "tiny"
    tiny_checkpoint(path, decoder_layers=2, max_source_positions=50 * SECONDS)
    return path


@pytest.fixture(scope="module")
def whisper(checkpoint: Path) -> Whisper:
    return Whisper(open_checkpoint(str(checkpoint)), "english", "cpu")


def clip(seconds: float = 1.2, seed: int = 0) -> Clip:
    noise = np.random.default_rng(seed).normal(0, 3000, round(seconds * 16_000))
    return Clip(noise.astype(np.int16), None)


@torch.inference_mode()
def test_the_full_context_is_transformers(whisper: Whisper, checkpoint: Path) -> None:
    reference = WhisperForConditionalGeneration.from_pretrained(checkpoint).eval()
    mel = whisper.features([clip(), clip(seed=1)], whisper.full)
    tokens = torch.tensor([whisper.text_tokens("he is"), whisper.text_tokens("in it")])
    wanted = reference(input_features=mel, decoder_input_ids=tokens, output_hidden_states=True)
    encoded = whisper.encode(mel)
    torch.testing.assert_close(encoded, wanted.encoder_last_hidden_state)
    states = whisper.hidden_states(encoded, tokens)
    torch.testing.assert_close(states[0], wanted.decoder_hidden_states[1])
    torch.testing.assert_close(states[-1], wanted.decoder_hidden_states[-1])
    assert len(states) == 2


def test_a_context_as_long_as_the_audio(whisper: Whisper) -> None:
    assert whisper.full == 100 * SECONDS
    assert whisper.frames(clip(0.4)) == 300
    assert whisper.frames(clip(2.6)) == 100 * SECONDS
    with torch.inference_mode():
        encoded = whisper.encode(whisper.features([clip(0.9)], 100))
    assert encoded.shape == (1, 50, 32)


@torch.inference_mode()
def test_greedy_transcript(whisper: Whisper) -> None:
    """Token by token with the cache, as all at once without it."""
    encoded = whisper.encode(whisper.features([clip()], 150))
    never = [*range(whisper.tokenizer.end_of_text + 1, whisper.network.config.vocab_size)]
    tokens = whisper.prompt()
    for _ in range(whisper.longest_text // 2):
        states = whisper.hidden_states(encoded, torch.tensor([tokens]))[-1, 0, -1]
        logits = whisper.network.proj_out(states)
        logits[never] = -torch.inf
        tokens.append(int(logits.argmax()))
        if tokens[-1] == whisper.tokenizer.end_of_text:
            break
    said = whisper.tokenizer.decode(tokens[len(whisper.prompt()) :]).strip()
    found = whisper.transcribe(clip(), 150)
    # A loop ends the engine's search early.
    assert found
    assert said.startswith(found)


def test_texts(whisper: Whisper) -> None:
    assert whisper.text_tokens(" ") == whisper.prompt()
    tokens = whisper.text_tokens("he is")
    assert whisper.tokenizer.decode(tokens[len(whisper.prompt()) :]) == " he is"
    assert len(whisper.text_tokens("x" * 100)) == whisper.longest_text


def test_a_language_that_nobody_speaks(checkpoint: Path) -> None:
    with pytest.raises(ConfigurationError):
        Whisper(open_checkpoint(str(checkpoint)), "klingon", "cpu")
