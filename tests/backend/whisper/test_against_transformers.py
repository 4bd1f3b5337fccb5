"""The whole engine on one random checkpoint against transformers' ``generate``, and against itself.

The audio is 29 s long: both then encode 30 s. What a shorter context does is judged in test_window_decoder.
"""

# ruff: noqa: PLC0415 (the conversion packages take seconds to load, and only these tests need them)

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rtap.whisper.alignment import _sharpen, _token_starts, align_words, give_lengths
from rtap.whisper.load_model import load_model
from rtap.whisper.model import EncodedAudio, SpeechModel
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.transcribe import TranscribeOptions, Transcriber
from rtap.whisper.window_decoder import DecodingOptions, Outcome, WindowDecoder
from tests.backend.whisper.scripted_model import make_tokenizer

pytestmark = pytest.mark.slow

STEPS = 100
SECONDS = 29
Audio = NDArray[np.float32]


def audio(seed: int = 0, seconds: float = SECONDS) -> Audio:
    """A gliding tone in noise that swells and fades."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * 16_000)) / 16_000
    glide = np.sin(2 * np.pi * (200 + 100 * seed + 80 * np.sin((3 + seed) * time)) * time)
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * time)
    return ((0.3 * glide + 0.1 * random.standard_normal(time.size)) * swell).astype(np.float32)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Like the one that all tests share, but of few tokens: transformers' rules take most of the time."""
    from tools.model.conversion.random_checkpoint import SIZES, make_checkpoint

    path = tmp_path_factory.mktemp("checkpoint") / "few-tokens"
    make_checkpoint(path, SIZES["mini"], seed=0, tokenizer=make_tokenizer())
    return path


@pytest.fixture(scope="module")
def model(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> SpeechModel:
    from tools.model.conversion.convert import convert
    from tools.model.conversion.sources import open_checkpoint

    path = tmp_path_factory.mktemp("converted") / "few-tokens"
    convert(open_checkpoint(str(checkpoint)), path, verify=False)
    return load_model(ModelDirectory.open(path), threads=2)


class Reference:
    """transformers' model, told the rules that ours has built in."""

    def __init__(self, checkpoint: Path, model: SpeechModel) -> None:
        from transformers import (
            GenerationConfig,
            WhisperFeatureExtractor,
            WhisperForConditionalGeneration,
        )

        self._model = WhisperForConditionalGeneration.from_pretrained(
            checkpoint, attn_implementation="eager"
        ).eval()
        self._extract = WhisperFeatureExtractor.from_pretrained(checkpoint)
        tokenizer = model.tokenizer
        document = json.loads((checkpoint / "generation_config.json").read_text())
        # transformers would ignore the file for this mark of one that was derived from config.json.
        document.pop("_from_model_config", None)
        config = self._model.generation_config = GenerationConfig(**document)
        config.lang_to_id = {f"<|{code}|>": id_ for code, id_ in tokenizer.languages.items()}
        config.task_to_id = {"transcribe": tokenizer.transcribe, "translate": tokenizer.translate}
        config.max_initial_timestamp_index = 50
        # A trained model never produces these, so transformers leaves it at the card's list; random
        # weights do. Timestamps are forbidden where no_timestamps was said.
        control = range(tokenizer.end_of_text + 1, tokenizer.timestamp_begin)
        self._never = sorted({*config.suppress_tokens, *control})
        self._stamps = list(range(tokenizer.timestamp_begin, tokenizer.vocabulary_size))

    def features(self, audio: Audio) -> Any:
        import torch

        batch = self._extract(audio, sampling_rate=16_000, return_tensors="np")
        return torch.from_numpy(batch.input_features)

    def generate(self, audio: Audio, steps: int = STEPS, **options: Any) -> Any:
        """One call of the underlying generate, as for one window; the tokens without prompt."""
        never = self._never if options.get("return_timestamps") else self._never + self._stamps
        return self._model.generate(
            self.features(audio),
            max_new_tokens=steps,
            suppress_tokens=never,
            force_unique_generate_call=True,
            return_dict_in_generate=True,
            output_scores=True,
            **{"language": "en", "task": "transcribe", **options},
        )

    def tokens(self, audio: Audio, prompt: int, **options: Any) -> list[int]:
        found: list[int] = self.generate(audio, **options)["sequences"][0, prompt:].tolist()
        return found

    def detect_language(self, audio: Audio) -> int:
        found: list[int] = self._model.detect_language(self.features(audio)).tolist()
        return found[0]

    def cross_attention(self, audio: Audio, tokens: list[int]) -> list[Any]:
        """Probabilities [heads, tokens, positions] by layer, of the whole sequence at once."""
        import torch

        with torch.inference_mode():
            output = self._model(
                self.features(audio),
                decoder_input_ids=torch.tensor([tokens]),
                output_attentions=True,
            )
        return [layer[0] for layer in output.cross_attentions]

    @property
    def alignment_heads(self) -> list[list[int]]:
        heads: list[list[int]] = self._model.generation_config.alignment_heads
        return heads


@pytest.fixture(scope="module")
def reference(checkpoint: Path, model: SpeechModel) -> Iterator[Reference]:
    import torch

    # More only wait for each other in steps as small as these.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Reference(checkpoint, model)
    torch.set_num_threads(threads)


def decode(
    model: SpeechModel,
    sound: Audio,
    *,
    beams: int = 1,
    timestamps: bool = False,
    language: str = "en",
    previous: list[int] | None = None,
) -> Outcome:
    options = DecodingOptions(beams=beams, temperatures=(0.0,), timestamps=timestamps)
    decoder = WindowDecoder(model, options)
    encoded, frames = decoder.encode(sound)
    assert frames == 3000
    sot = model.tokenizer.sot_sequence(language)
    return decoder.decode(sound, encoded, frames, sot, previous or [])


def assert_same_beginning(ours: tuple[int, ...], theirs: list[int]) -> None:
    """We may go on for longer, up to 224 tokens."""
    assert len(theirs) == STEPS
    assert [*ours[:STEPS]] == theirs
    # A model that repeats itself would prove little.
    assert len(set(theirs)) > 15


class TestTokens:
    @pytest.mark.parametrize("seed", range(3))
    def test_greedy(self, model: SpeechModel, reference: Reference, seed: int) -> None:
        ours = decode(model, audio(seed)).decoded.tokens
        assert_same_beginning(ours, reference.tokens(audio(seed), 4))

    @pytest.mark.parametrize("language", ["de", "zh"])
    def test_language_and_task(
        self, model: SpeechModel, reference: Reference, language: str
    ) -> None:
        options = TranscribeOptions(language=language, task="translate", temperatures=(0.0,))
        (segment,) = Transcriber(model, None).transcribe([audio()], options).segments
        theirs = reference.tokens(audio(), 4, language=language, task="translate")
        assert_same_beginning(segment.tokens, theirs)

    @pytest.mark.parametrize("seed", range(3))
    def test_timestamps(self, model: SpeechModel, reference: Reference, seed: int) -> None:
        ours = decode(model, audio(seed), timestamps=True).decoded.tokens
        theirs = reference.tokens(audio(seed), 3, return_timestamps=True)
        assert [*ours[: len(theirs)]] == theirs
        stamps = [token for token in theirs if model.tokenizer.is_timestamp(token)]
        assert stamps == sorted(stamps)
        assert stamps

    def test_previous_text(self, model: SpeechModel, reference: Reference) -> None:
        import torch

        # Random weights hardly notice single tokens, so the text is long.
        previous = model.tokenizer.encode(" turn on the heating, please")
        prompt = torch.tensor([model.tokenizer.start_of_previous, *previous])
        theirs = reference.tokens(audio(), 4 + len(prompt), prompt_ids=prompt)
        assert_same_beginning(decode(model, audio(), previous=previous).decoded.tokens, theirs)
        assert theirs != reference.tokens(audio(), 4)

    @pytest.mark.parametrize("beams", [2, 3])
    def test_beam_search(self, model: SpeechModel, reference: Reference, beams: int) -> None:
        # Nothing ends within the limit, which is where the searches differ: theirs goes on for longer after
        # the first ends. As OpenAI's, our scores are of what the rules leave; theirs are so when asked to.
        sound = audio(1)
        ours = decode(model, sound, beams=beams).decoded
        assert not ours.ended
        steps = len(ours.tokens)
        found = reference.generate(sound, steps, num_beams=beams, renormalize_logits=True)
        assert [*ours.tokens] == found["sequences"][0, 4:].tolist()
        score = float(found["sequences_scores"][0])
        assert ours.average_log_probability == pytest.approx(score, abs=1e-4)
        assert ours.tokens != decode(model, sound).decoded.tokens

    @pytest.mark.parametrize("seed", range(3))
    def test_detected_language(self, model: SpeechModel, reference: Reference, seed: int) -> None:
        found = Transcriber(model, None).transcribe(
            [audio(seed)], TranscribeOptions(temperatures=(0.0,))
        )
        assert found.language is not None
        assert model.tokenizer.languages[found.language] == reference.detect_language(audio(seed))


class TestWordTimes:
    def test_attention(self, model: SpeechModel, reference: Reference) -> None:
        tokens = [*model.tokenizer.sot_sequence("en"), *range(65, 105)]
        encoded = model.encode(model.log_mel(audio(), 3000))
        ours, _ = model.alignment_weights(encoded, tokens, 1500)
        layers = reference.cross_attention(audio(), tokens)
        heads = reference.alignment_heads
        assert ours.shape == (len(heads), len(tokens), 1500)
        for weights, (layer, head) in zip(ours, heads, strict=True):
            np.testing.assert_allclose(weights, layers[layer][head].numpy(), atol=1e-5)

    def test_times(self, model: SpeechModel, reference: Reference) -> None:
        # By transformers' own filter and warping, over the rows that OpenAI's code takes.
        from transformers.models.whisper.generation_whisper import (
            _dynamic_time_warping,
            _median_filter,
        )

        tokenizer = model.tokenizer
        sot = [*tokenizer.sot_sequence("en")]
        # One letter each, so one word each in a language without spaces.
        tokens = [*range(65, 91), *range(97, 123)]
        encoded = model.encode(model.log_mel(audio(), 3000))
        (words,) = align_words(model, encoded, [tokens], sot, "zh", 1450)

        sequence = [*sot, tokenizer.no_timestamps, *tokens, tokenizer.end_of_text]
        layers = reference.cross_attention(audio(), sequence)
        # generate() cuts off the silence after the softmax, OpenAI's code and ours before it.
        weights = _stacked(layers, reference)[:, :, :, :1450]
        weights = weights / weights.sum(dim=-1, keepdim=True)
        deviation = weights.std(dim=-2, keepdim=True, unbiased=False)
        weights = (weights - weights.mean(dim=-2, keepdim=True)) / deviation
        matrix = _median_filter(weights, 7).mean(dim=1)[0, len(sot) : -1]
        rows, columns = _dynamic_time_warping(-matrix.double().numpy())
        starts = columns[np.diff(rows, prepend=-1) > 0] * 0.02
        # Random weights give half of the words no length, which ours then have.
        aligned = [
            replace(word, start=float(start), end=float(end))
            for word, start, end in zip(words, starts[:-1], starts[1:], strict=True)
        ]
        wanted = give_lengths(aligned, 29.0)
        np.testing.assert_allclose([w.start for w in words], [w.start for w in wanted], atol=0.021)
        np.testing.assert_allclose([w.end for w in words], [w.end for w in wanted], atol=0.021)

    def test_token_times_of_generate(self, model: SpeechModel, reference: Reference) -> None:
        # generate() takes the row of each token itself, not of the one that predicts it, and neither the
        # prompt nor the end of text when it standardises. Given the same rows, the times are the same.
        found = reference.generate(audio(), return_token_timestamps=True)
        sequence = found["sequences"][0].tolist()
        encoded = model.encode(model.log_mel(audio(), 3000))
        weights, _ = model.alignment_weights(encoded, sequence, 1500)
        starts = _token_starts(_sharpen(weights[:, 4:-1]))
        theirs = found["token_timestamps"][0, 4:-1].numpy()
        np.testing.assert_allclose(starts, theirs, atol=0.021)
        assert len(set(theirs.tolist())) > 10


def _stacked(layers: list[Any], reference: Reference) -> Any:
    import torch

    return torch.stack([layers[layer][head] for layer, head in reference.alignment_heads])[None]


@pytest.fixture(scope="module")
def attentive(tmp_path_factory: pytest.TempPathFactory) -> SpeechModel:
    """A model whose logits depend on the tokens before the last, by more than on their positions.

    The shared checkpoint's hardly do, so that a cache full of the wrong tokens would go unnoticed.
    """
    import torch
    from transformers import WhisperForConditionalGeneration

    from tools.model.conversion.convert import convert
    from tools.model.conversion.random_checkpoint import SIZES, make_checkpoint
    from tools.model.conversion.sources import open_checkpoint

    path = tmp_path_factory.mktemp("attentive")
    make_checkpoint(path / "checkpoint", SIZES["mini"], seed=1, tokenizer=make_tokenizer())
    changed = WhisperForConditionalGeneration.from_pretrained(path / "checkpoint")
    with torch.no_grad():
        changed.model.decoder.embed_positions.weight *= 0.1
        changed.model.decoder.embed_tokens.weight *= 15
    changed.save_pretrained(path / "checkpoint")
    convert(open_checkpoint(str(path / "checkpoint")), path / "model", verify=False)
    return load_model(ModelDirectory.open(path / "model"), threads=2)


class TestSteps:
    """The graph's ways of taking tokens, which must not show in the numbers."""

    TOKENS = tuple(range(65, 78))

    def encoded(self, model: SpeechModel, seed: int = 0) -> EncodedAudio:
        return model.encode(model.log_mel(audio(seed, 3.0), 400))

    def at_once(self, model: SpeechModel, encoded: EncodedAudio) -> Audio:
        return model.decode(encoded).prompt(self.TOKENS, range(len(self.TOKENS)))

    def assert_equal(self, found: Audio, expected: Audio) -> None:
        scale = float(np.abs(expected).max())
        np.testing.assert_allclose(found, expected, atol=1e-4 * scale)

    def test_the_model_remembers(self, attentive: SpeechModel) -> None:
        # Without this the other tests here could not fail.
        encoded = self.encoded(attentive)
        rows = range(len(self.TOKENS))
        one = attentive.decode(encoded).prompt(self.TOKENS, rows)
        other = attentive.decode(encoded).prompt((90, *self.TOKENS[1:]), rows)
        assert np.abs(one - other).max(axis=1).min() > 1e-3 * np.abs(one).max()

    @pytest.mark.parametrize("first", [1, 4, 13])
    def test_one_by_one_or_at_once(self, attentive: SpeechModel, first: int) -> None:
        encoded = self.encoded(attentive)
        expected = self.at_once(attentive, encoded)
        decoding = attentive.decode(encoded)
        prompted = decoding.prompt(self.TOKENS[:first], range(first)).copy()
        rest = [decoding.step(np.array([token])).copy() for token in self.TOKENS[first:]]
        self.assert_equal(np.concatenate([prompted, *rest]), expected)

    def test_prompt_in_parts(self, attentive: SpeechModel) -> None:
        encoded = self.encoded(attentive)
        expected = self.at_once(attentive, encoded)
        decoding = attentive.decode(encoded)
        first = decoding.prompt(self.TOKENS[:6], range(6)).copy()
        second = decoding.prompt(self.TOKENS[6:], range(len(self.TOKENS) - 6))
        self.assert_equal(np.concatenate([first, second]), expected)

    def test_beams_are_like_separate_runs(self, attentive: SpeechModel) -> None:
        encoded = self.encoded(attentive)
        # The last tokens are the same: only the cache tells the sequences apart.
        continuations = np.array([[5, 6, 7], [90, 6, 7], [41, 42, 7]])
        expected = []
        for tokens in continuations:
            decoding = attentive.decode(encoded)
            decoding.prompt(self.TOKENS, [0])
            expected.append([decoding.step(tokens[i : i + 1])[0].copy() for i in range(3)])
        together = attentive.decode(encoded, beams=3)
        together.prompt(self.TOKENS, [0])
        together.fan_out()
        found = [together.step(tokens).copy() for tokens in continuations.T]
        self.assert_equal(np.stack(found, axis=1), np.array(expected))
        assert np.abs(found[2][0] - found[2][1]).max() > 1e-3 * np.abs(found[2]).max()

    @pytest.mark.parametrize("order", [[2, 0, 1], [1, 1, 0], [0, 1, 2]])
    def test_select(self, attentive: SpeechModel, order: list[int]) -> None:
        encoded = self.encoded(attentive)

        def beams(first: list[int], order: list[int] | None) -> Audio:
            decoding = attentive.decode(encoded, beams=3)
            decoding.prompt(self.TOKENS, [0])
            decoding.fan_out()
            decoding.step(np.array(first))
            if order is not None:
                decoding.select(np.array(order))
            return decoding.step(np.array([70, 70, 70])).copy()

        tokens = [5, 90, 41]
        selected = beams(tokens, order)
        self.assert_equal(selected, beams([tokens[beam] for beam in order], None))
        if order != [0, 1, 2]:
            difference = np.abs(selected - beams(tokens, None)).max()
            assert difference > 1e-3 * np.abs(selected).max()

    def test_an_utterance_leaves_nothing_behind(self, attentive: SpeechModel) -> None:
        fresh = self.at_once(attentive, self.encoded(attentive, 1)).copy()
        # Longer in audio and text, so that what is left of it would be seen.
        for beams in (1, 3):
            decode(attentive, audio(0), beams=beams)
        again = self.at_once(attentive, self.encoded(attentive, 1))
        np.testing.assert_array_equal(again, fresh)

    def test_every_text_again(self, model: SpeechModel) -> None:
        options = TranscribeOptions(language="en", temperatures=(0.0,), beam_size=2)
        engine = Transcriber(model, None)
        first = engine.transcribe([audio(0)], options)
        engine.transcribe([audio(1)], options)
        assert engine.transcribe([audio(0)], options).segments == first.segments


def test_optimum_layout_gives_the_same_text(
    model: SpeechModel, checkpoint: Path, tmp_path: Path
) -> None:
    from tools.model.conversion.convert import convert
    from tools.model.conversion.sources import open_checkpoint

    path = tmp_path / "optimum"
    convert(open_checkpoint(str(checkpoint)), path, layout="optimum", verify=False)
    theirs = load_model(ModelDirectory.open(path), threads=2)
    assert not theirs.aligns_words
    assert theirs.elastic == "no"
    for beams in (1, 3):
        for timestamps in (False, True):
            expected = decode(model, audio(), beams=beams, timestamps=timestamps)
            found = decode(theirs, audio(), beams=beams, timestamps=timestamps)
            assert found.decoded.tokens == expected.decoded.tokens
            assert found.decoded.average_log_probability == pytest.approx(
                expected.decoded.average_log_probability, abs=1e-4
            )
            assert found.no_speech_probability == pytest.approx(
                expected.no_speech_probability, rel=1e-3
            )
    # Even two seconds are encoded as thirty.
    assert theirs.encode(theirs.log_mel(audio(0, 2.0), 3000)).positions == 1500
