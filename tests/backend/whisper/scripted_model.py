"""A speech model without weights: a function says what comes next, and what was asked of it is kept.

It is stricter than the real ones: logits are handed out in one buffer that the next call overwrites, and
audio or a decoding that a later one has replaced may no longer be used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from rtap.whisper.features import LogMel
from rtap.whisper.model import EncodedAudio
from rtap.whisper.model_directory import Elastic, Manifest, ModelDirectory
from rtap.whisper.model_rtap import text_probabilities
from rtap.whisper.model_settings import Dimensions, GenerationRules
from rtap.whisper.tokenizer import TIMESTAMPS, WhisperTokenizer, characters_of_bytes

Logits = NDArray[np.float32]

WORDS = [
    *(" turn", " on", " off", " the", " heating", " lights", " no", " yes", " and", ",", "."),
    *(' "', '"', "heating", "好", "你"),
]
"""Text that is one token; all other is spelt byte by byte."""
SPECIAL = [
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|zh|>"),
    *("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"),
    "<|notimestamps|>",
]


def make_tokenizer() -> Tokenizer:
    """A byte-level BPE that knows :data:`WORDS`, with Whisper's special tokens and timestamps."""
    characters = characters_of_bytes()
    vocabulary = {character: index for index, character in enumerate(characters)}
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        written = "".join(characters[byte] for byte in word.encode())
        for end in range(2, len(written) + 1):
            if written[:end] not in vocabulary:
                vocabulary[written[:end]] = len(vocabulary)
                merges.append((written[: end - 1], written[end - 1]))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, fuse_unk=False))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    stamps = [f"<|{index * 0.02:.2f}|>" for index in range(TIMESTAMPS)]
    tokenizer.add_tokens([AddedToken(name, special=False, normalized=False) for name in stamps])
    return tokenizer


@cache
def small_tokenizer(*, multilingual: bool = True) -> WhisperTokenizer:
    """One for the whole session: it holds no state."""
    return WhisperTokenizer(make_tokenizer(), multilingual=multilingual)


def likely(*favourites: tuple[int, float]) -> Logits:
    """Logits of these (token, probability); all text shares what is left, so that rules take none of it."""
    tokenizer = small_tokenizer()
    left = 1.0 - sum(probability for _, probability in favourites)
    logits = np.full(tokenizer.vocabulary_size, np.log(1e-12), np.float32)
    logits[: tokenizer.end_of_text] = np.log(max(left, 1e-9) / tokenizer.end_of_text)
    for token, probability in favourites:
        logits[token] = np.log(max(probability, 1e-12))
    return logits


@dataclass(frozen=True, slots=True)
class ScriptedAudio:
    """What was encoded: implements :class:`rtap.whisper.model.EncodedAudio`."""

    index: int
    """0 for the first encoding."""
    frames: int
    samples: int
    first_sample: float

    @property
    def positions(self) -> int:
        return self.frames // 2


Script = Callable[[ScriptedAudio, tuple[int, ...]], Logits]
"""Audio and all tokens so far, prompt included, to the logits of the next one."""


def says(
    *answers: Sequence[int],
    probability: float = 0.9,
    no_speech: float = 0.01,
    language: str = "en",
) -> Script:
    """A script that answers the n-th encoded audio with the n-th of these tokens, later ones with the last.

    Args:
        probability: of every token of the answer, the end of text included.
        language: has 0.9 of the speech, each of the two others 0.05.
    """
    tokenizer = small_tokenizer()

    def script(audio: ScriptedAudio, history: tuple[int, ...]) -> Logits:
        if history[-1] == tokenizer.start_of_transcript and tokenizer.is_multilingual:
            speech = 1 - no_speech
            others = [(token, speech / 20) for token in tokenizer.languages.values()]
            spoken = (tokenizer.languages[language], speech * 0.9)
            return likely(*others, spoken, (tokenizer.no_speech, no_speech))
        answer = [*answers[min(audio.index, len(answers) - 1)], tokenizer.end_of_text]
        said = produced(history)
        # Whoever strays from the answer (a beam, a sample) is led to the end.
        on_script = len(said) < len(answer) and [*said] == answer[: len(said)]
        token = answer[len(said)] if on_script else tokenizer.end_of_text
        return likely((token, probability))

    return script


def produced(history: Sequence[int]) -> tuple[int, ...]:
    """The tokens after the prompt."""
    tokenizer = small_tokenizer()
    end = history.index(tokenizer.start_of_transcript)
    while end < len(history) and not (
        tokenizer.is_text(history[end]) or tokenizer.is_timestamp(history[end])
    ):
        end += 1
    return tuple(history[end:])


class _Summary(LogMel):
    """Instead of a spectrum, the few facts about the audio by which a script tells windows apart."""

    def __init__(self) -> None:
        super().__init__(2)

    def __call__(self, audio: NDArray[np.float32], frames: int = 3000) -> NDArray[np.float32]:
        features = np.zeros((2, frames), np.float32)
        features[:, 0] = audio[0], audio.size
        return features


class ScriptedModel:
    """Implements :class:`rtap.whisper.model.SpeechModel`."""

    def __init__(
        self,
        script: Script,
        *,
        elastic: Elastic = "native",
        rules: GenerationRules | None = None,
        max_frames: int = 3000,
        max_tokens: int = 448,
        aligns_words: bool = True,
        multilingual: bool = True,
        margin_seconds: float = 0.0,
    ) -> None:
        self.script = script
        self.tokenizer = small_tokenizer(multilingual=multilingual)
        self.dimensions = Dimensions(
            vocabulary=self.tokenizer.vocabulary_size,
            mels=2,
            width=4,
            decoder_layers=1,
            decoder_heads=1,
            max_frames=max_frames,
            max_tokens=max_tokens,
        )
        self.rules = rules or GenerationRules()
        self.log_mel: LogMel = _Summary()
        self.threads = 1
        self.elastic: Elastic = elastic
        self.aligns_words = aligns_words
        manifest = Manifest(
            name="scripted",
            source="test",
            layout="rtap",
            precision="fp32",
            elastic=elastic,
            parameters=0,
            opset=17,
            created_by="test",
            files={},
            margin_seconds=margin_seconds,
        )
        self.directory = ModelDirectory(Path("scripted"), manifest)
        self.encoded: list[ScriptedAudio] = []
        self.prompts: list[list[int]] = []
        """Every prompt that was given, language detection and alignment left out."""
        self.detections = 0
        self.decodings = 0
        self.beams: list[int] = []
        """Sequences of every decoding, language detection included."""

    @property
    def frames(self) -> list[int]:
        """Frames of every encoding."""
        return [audio.frames for audio in self.encoded]

    def encode(self, mel: NDArray[np.float32]) -> ScriptedAudio:
        assert mel.shape[1] % 2 == 0
        assert mel.shape[1] <= self.dimensions.max_frames
        first_sample, samples = mel[:, 0]
        audio = ScriptedAudio(len(self.encoded), mel.shape[1], int(samples), float(first_sample))
        self.encoded.append(audio)
        return audio

    def decode(self, encoded: EncodedAudio, beams: int = 1) -> ScriptedDecoding:
        assert encoded is self.encoded[-1], "a later encoding uses the same memory"
        assert isinstance(encoded, ScriptedAudio)
        self.decodings += 1
        self.beams.append(beams)
        return ScriptedDecoding(self, encoded, beams, self.decodings)

    def confirm(self) -> None:
        """There are no files."""

    def alignment_weights(
        self, encoded: EncodedAudio, tokens: Sequence[int], positions: int
    ) -> tuple[Logits, Logits]:
        """The audio is shared out evenly: each token, the prompt's included, looks at its part."""
        assert encoded is self.encoded[-1]
        assert isinstance(encoded, ScriptedAudio)
        assert self.aligns_words
        owner = np.arange(positions) * len(tokens) // positions
        weights = (owner == np.arange(len(tokens))[:, np.newaxis]).astype(np.float32)
        logits = [self.script(encoded, tuple(tokens[: end + 1])) for end in range(len(tokens))]
        text = text_probabilities(np.stack(logits), tokens[1:], self.tokenizer.end_of_text)
        return weights[np.newaxis], np.array([1.0, *text], np.float32)

    def last_attention(
        self, encoded: EncodedAudio, tokens: Sequence[int], positions: int
    ) -> Logits:
        """That of the token before the last, which chooses the last."""
        weights, _ = self.alignment_weights(encoded, tokens, positions)
        return weights[:, -2]


class ScriptedDecoding:
    """Implements :class:`rtap.whisper.model.Decoding`."""

    def __init__(self, model: ScriptedModel, audio: ScriptedAudio, beams: int, number: int) -> None:
        self._model = model
        self._audio = audio
        self._beams = beams
        self._number = number
        self._fanned_out = beams == 1
        self._sequences: list[tuple[int, ...]] = [()]
        self._buffer = np.empty((beams, model.dimensions.vocabulary), np.float32)
        self.steps = 0

    def prompt(self, tokens: Sequence[int], rows: Sequence[int]) -> Logits:
        tokenizer = self._model.tokenizer
        if list(tokens) == [tokenizer.start_of_transcript] and len(rows) == 1:
            self._model.detections += 1
        else:
            self._model.prompts.append(list(tokens))
        (before,) = self._sequences
        self._extend([(*before, *tokens)])
        ends = [len(before) + row + 1 for row in rows]
        return np.stack([self._model.script(self._audio, self._sequences[0][:end]) for end in ends])

    def fan_out(self) -> None:
        assert not self._fanned_out
        self._fanned_out = True
        self._sequences *= self._beams

    def step(self, tokens: NDArray[np.int64]) -> Logits:
        assert self._fanned_out
        assert self._number == self._model.decodings, "a later decoding uses the same memory"
        self.steps += 1
        pairs = zip(self._sequences, tokens.tolist(), strict=True)
        self._extend([(*sequence, token) for sequence, token in pairs])
        for row, sequence in zip(self._buffer, self._sequences, strict=True):
            row[:] = self._model.script(self._audio, sequence)
        return self._buffer

    def select(self, beams: NDArray[np.int64]) -> None:
        self._sequences = [self._sequences[beam] for beam in beams]

    def _extend(self, sequences: list[tuple[int, ...]]) -> None:
        longest = self._model.dimensions.max_tokens
        assert all(len(sequence) <= longest for sequence in sequences), "beyond the positions"
        self._sequences = sequences
