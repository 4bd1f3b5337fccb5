"""One window of audio to tokens: how much context to encode, and what to do when the answer looks wrong.

Whisper's usual fallback (openai/whisper ``decode_with_fallback``) raises the temperature when the text
repeats itself or is unlikely. Before that we have one more: a window that was encoded shorter than the 30 s
the model was trained on is encoded again at full length, so that short context is never the reason for a
worse answer. Such a window is also encoded again when the answer says something twice, as stock weights do
where they find no end, or when the decoder stopped long before the sound does.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from rtap.whisper.alignment import SECONDS_PER_POSITION
from rtap.whisper.decode import Decoded, Search, is_looping, log_probabilities, search
from rtap.whisper.model import FRAMES_PER_SECOND, EncodedAudio, SpeechModel
from rtap.whisper.model_directory import Elastic
from rtap.whisper.preference.choice import LONGEST_SECONDS, Expected
from rtap.whisper.preference.trail import Trail
from rtap.whisper.token_rules import TokenRules

MAX_COMPRESSION_RATIO = 2.4
MIN_AVERAGE_LOG_PROBABILITY = -1.0
MIN_NO_SPEECH_PROBABILITY = 0.6
"""OpenAI's thresholds; see :class:`Outcome`."""

MAX_UNHEARD_SECONDS = 0.6
"""Sound after the place that the decoder looked at for its last word, in a shortened context; with more, the
ending may be lost. In 31 of 33 answers of whisper-base to people, the last word leaves less."""
QUIET_DECIBELS = 30.0
"""So much below the loudest parts, nobody speaks any more; less where there is noise."""
_LOUDNESS_SECONDS = 0.1
"""Length of the parts whose loudness is compared."""

DENSE_TEXT = 13.0
"""Characters per second of audio; with more, no ending can be missing, and nobody needs to look. Of texts
that lost half of their words 1 in 100 has as much, of whole ones 40."""
SUSPECT_REPEATS = 3
"""In a shortened context, anything that stands there so often in a row is doubted. Who did say "no no no"
waits a little longer, and gets the same text."""
SUSPECT_STRETCH = 3
"""So many words or tokens, or all of them, are doubted when they stand there twice."""

MARGIN_SECONDS = 2.5
SHORTEST_SECONDS = 10.0
"""Silence after the audio in a "guarded" model's shortened context, and the least that is encoded. Measured
with stock whisper-base on people: of 33 answers, 10 said something twice or were a loop at audio + 1 s, 3
at audio + 5 s, 1 in 10 s. A second encoding costs more than 10 s do at once."""
SHORTEST_ADAPTED_SECONDS = 3.0
"""The least that is encoded for a "native" model that has a margin, as adapted weights have. Measured with
adapted whisper-base on people: of single words, 16 to 30 % fewer were wrong in 3 s than in 2 s or less."""
BUCKET_SECONDS = 1
"""Contexts are rounded up, so that ONNX Runtime sees few shapes and its memory stays bounded; contexts of
half seconds cost 0.8 points of word errors, for it is silence that they save."""

_WORD = re.compile(r"\w+")

_TOKENS_AT_LEAST = 24
_TOKENS_PER_SECOND = 25
"""More than any language needs, three tokens for each of eight characters a second; a bound on loops."""


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How to decode a window."""

    beams: int
    temperatures: tuple[float, ...]
    """Tried in order until the answer is acceptable; the first one is 0 as a rule."""
    timestamps: bool
    length_penalty: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decoded window with what is needed to judge it."""

    encoded: EncodedAudio
    decoded: Decoded
    text: str
    no_speech_probability: float
    frames: int
    """Log-mel frames that were encoded."""
    trail: Trail | None = None
    """What saw it being decoded, where a sentence is expected."""
    certainty: float = 1.0
    """Chance that this was said, and not the sentence that is likeliest of those that ask for something else;
    1 where it is no expected sentence."""

    @property
    def compression_ratio(self) -> float:
        """UTF-8 length over zlib-compressed length."""
        return compression_ratio(self.text)

    @property
    def is_silence(self) -> bool:
        """The model heard no speech and does not believe its own text."""
        return (
            self.no_speech_probability > MIN_NO_SPEECH_PROBABILITY
            and self.decoded.average_log_probability < MIN_AVERAGE_LOG_PROBABILITY
        )

    @property
    def is_plausible(self) -> bool:
        """Neither a loop nor mere guessing."""
        return (
            self.compression_ratio <= MAX_COMPRESSION_RATIO
            and self.decoded.average_log_probability >= MIN_AVERAGE_LOG_PROBABILITY
            and not is_looping(self.decoded.tokens)
        )


@dataclass(frozen=True, slots=True)
class _Task:
    """What is decoded, at one temperature after the other."""

    encoded: EncodedAudio
    frames: int
    prompt: Sequence[int]
    limit: int
    """Most tokens to produce."""
    expected: Expected | None


def compression_ratio(text: str) -> float:
    """UTF-8 length over zlib-compressed length, 0 for no text; above 2.4 a text repeats itself."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def repeats_itself(items: Sequence[Hashable]) -> bool:
    """Whether something stands there three times in a row, or twice if it is long, or all that there is."""
    for period in range(1, len(items) // 2 + 1):
        # Positions in a row that hold the same as those one period before.
        same = 0
        for item, before in zip(items[period:], items, strict=False):
            same = same + 1 if item == before else 0
            if same == period * (SUSPECT_REPEATS - 1):
                return True
            if same == period >= SUSPECT_STRETCH:
                return True
        if same == len(items) - period:
            return True
    return False


def sounding_seconds(audio: NDArray[np.float32]) -> float:
    """Up to where in the audio, [samples] at 16 kHz, there may be speech: it is louder than what is around.

    That is at most 30 dB below the loud parts, and above the quiet ones by a third, in decibels, of what is
    between them. In steady noise the end of the speech is found too.
    """
    size = round(_LOUDNESS_SECONDS * SAMPLE_RATE)
    parts = audio.size // size
    if not parts:
        return audio.size / SAMPLE_RATE
    # What does not fill a part is too short for a word.
    power = np.square(audio[: parts * size].reshape(parts, size)).mean(axis=1)
    levels = 10.0 * np.log10(power + 1e-12)
    quiet, loud = np.quantile(levels, [0.1, 0.95])
    threshold = max(loud - QUIET_DECIBELS, quiet + (loud - quiet) / 3)
    # Equal levels differ by rounding.
    return float(np.flatnonzero(levels >= threshold - 1e-3)[-1] + 1) * _LOUDNESS_SECONDS


def context_frames(
    samples: int, elastic: Elastic, max_frames: int, margin_seconds: float = 0.0
) -> int:
    """Log-mel frames to encode for so much audio: even, at most ``max_frames``.

    Args:
        samples: at 16 kHz.
        elastic: what the model can take; "no" always gives ``max_frames``.
        margin_seconds: silence after the audio, for a "native" model; 0 where its training asks for none.
    """
    if elastic == "no":
        return max_frames
    seconds = samples / SAMPLE_RATE
    if elastic == "guarded":
        seconds = max(seconds + MARGIN_SECONDS, SHORTEST_SECONDS)
    elif margin_seconds > 0.0:
        seconds = max(seconds + margin_seconds, SHORTEST_ADAPTED_SECONDS)
    buckets = max(1, -(-seconds // BUCKET_SECONDS))
    return min(int(buckets * BUCKET_SECONDS * FRAMES_PER_SECOND), max_frames)


def token_limit(samples: int, prompt: int, longest: int) -> int:
    """Most tokens to produce for so much audio, at least 1; bounds what a loop costs.

    Args:
        samples: at 16 kHz.
        prompt: tokens before the text.
        longest: what the decoder holds.
    """
    by_time = _TOKENS_AT_LEAST + _TOKENS_PER_SECOND * samples // SAMPLE_RATE
    return max(1, min(longest // 2, longest - prompt, by_time))


class WindowDecoder:
    """Decodes windows with one model and one set of options.

    Args:
        seed: of the sampling at temperatures above 0.
    """

    def __init__(self, model: SpeechModel, options: DecodingOptions, seed: int = 0) -> None:
        self._model = model
        self._options = options
        self.contexts: list[float] = []
        """Seconds of context of every pass of the encoder so far."""
        self._random = np.random.default_rng(seed)
        self._rules = TokenRules(
            model.tokenizer,
            model.rules,
            model.dimensions.vocabulary,
            timestamps=options.timestamps,
        )

    def encode(self, audio: NDArray[np.float32]) -> tuple[EncodedAudio, int]:
        """Encode with as little context as the model allows; also returns the frames encoded."""
        model = self._model
        margin = model.directory.manifest.margin_seconds
        frames = context_frames(audio.size, model.elastic, model.dimensions.max_frames, margin)
        return self._encode(audio, frames), frames

    def _encode(self, audio: NDArray[np.float32], frames: int) -> EncodedAudio:
        self.contexts.append(frames / FRAMES_PER_SECOND)
        return self._model.encode(self._model.log_mel(audio, frames))

    def language_probabilities(
        self, encoded: EncodedAudio, allowed: Sequence[str]
    ) -> Mapping[str, float]:
        """Probability of each allowed language, summing to 1; all of the model's when none is named."""
        tokenizer = self._model.tokenizer
        codes = list(allowed) or list(tokenizer.languages)
        start = [tokenizer.start_of_transcript]
        logits = self._model.decode(encoded).prompt(start, [0])
        chosen = logits[:, [tokenizer.languages[code] for code in codes]]
        probabilities = np.exp(log_probabilities(chosen))[0]
        return {code: float(value) for code, value in zip(codes, probabilities, strict=True)}

    def decode(
        self,
        audio: NDArray[np.float32],
        encoded: EncodedAudio,
        frames: int,
        sot_sequence: Sequence[int],
        previous: Sequence[int],
        expected: Expected | None = None,
    ) -> Outcome:
        """Decode until an answer is acceptable; the last resort is the best of the bad ones.

        Args:
            audio: [samples] at 16 kHz, for encoding again; encoded, frames: what :meth:`encode` made of it.
            sot_sequence: start, language and task.
            previous: tokens of text that came before or sets the style; may be empty.
            expected: sentences of which one may take the place of the answer, unless timestamps are wanted.
        """
        if self._options.timestamps or audio.size > LONGEST_SECONDS * SAMPLE_RATE:
            expected = None
        prompt = self._prompt(sot_sequence, previous)
        limit = token_limit(audio.size, len(prompt), self._model.dimensions.max_tokens)
        task = _Task(encoded, frames, prompt, limit, expected)
        outcome, task = self._heard(audio, task, sot_sequence)
        return self._preferred(outcome, task)

    def _heard(
        self, audio: NDArray[np.float32], task: _Task, sot_sequence: Sequence[int]
    ) -> tuple[Outcome, _Task]:
        """What the model says of itself, and what was decoded at last."""
        full = self._model.dimensions.max_frames
        first, *others = self._options.temperatures
        outcome = self._attempt(task, first)
        shortened = task.frames < full and self._model.elastic == "guarded"
        if shortened and not self._is_heard_out(audio, outcome, sot_sequence):
            task = replace(task, encoded=self._encode(audio, full), frames=full)
            outcome = self._attempt(task, first)
        outcomes = [outcome]
        for temperature in others:
            if outcome.is_plausible or outcome.is_silence:
                return outcome, task
            outcome = self._attempt(task, temperature)
            outcomes.append(outcome)
        return outcome if outcome.is_plausible else _least_bad(outcomes), task

    def _preferred(self, outcome: Outcome, task: _Task) -> Outcome:
        """The outcome, or an expected sentence in its place."""
        if task.expected is None or outcome.no_speech_probability > MIN_NO_SPEECH_PROBABILITY:
            return outcome
        sentence = task.expected.sentence(
            outcome.decoded, outcome.text, outcome.trail, task.encoded, task.prompt, self._rules
        )
        if sentence is not None:
            text = self._model.tokenizer.decode(sentence.tokens).strip()
            outcome = replace(outcome, decoded=sentence, text=text, trail=None)
        certainty = task.expected.certainty(
            outcome.decoded, outcome.text, outcome.trail, task.encoded, task.prompt, self._rules
        )
        return replace(outcome, certainty=certainty)

    def _attempt(self, task: _Task, temperature: float) -> Outcome:
        tokenizer, options, prompt = self._model.tokenizer, self._options, task.prompt
        decoding = self._model.decode(task.encoded, options.beams)
        # The model's belief that nobody speaks stands at the start token, the first text after the last.
        rows = [prompt.index(tokenizer.start_of_transcript), len(prompt) - 1]
        logits = decoding.prompt(prompt, rows)
        no_speech = float(np.exp(log_probabilities(logits[:1]))[0, tokenizer.no_speech])
        how = Search(
            limit=task.limit,
            end_of_text=tokenizer.end_of_text,
            beams=options.beams,
            temperature=temperature,
            length_penalty=options.length_penalty,
        )
        is_seen = task.expected is not None and options.beams == 1 and temperature == 0
        trail = task.expected.trail() if is_seen and task.expected is not None else None
        decoded = search(decoding, logits[1:], self._rules, how, self._random, trail)
        text = tokenizer.decode(decoded.tokens).strip()
        return Outcome(task.encoded, decoded, text, no_speech, task.frames, trail)

    def _is_heard_out(
        self, audio: NDArray[np.float32], outcome: Outcome, sot_sequence: Sequence[int]
    ) -> bool:
        """Whether an answer is plausible, repeats nothing, and does not end long before the sound does.

        An ending that was lost leaves no trace in the text: what is there is likely, and closed. It shows in
        where the decoder looked, for which the answer goes through the decoder once more.
        """
        if not (outcome.is_plausible and outcome.decoded.ended):
            return False
        words = _WORD.findall(outcome.text.casefold())
        if repeats_itself(outcome.decoded.tokens) or repeats_itself(words):
            return False
        seconds = audio.size / SAMPLE_RATE
        # Heads that nobody named as following the audio look anywhere.
        follows = self._model.aligns_words and self._model.rules.alignment_heads
        is_dense = len(outcome.text) > DENSE_TEXT * seconds
        if seconds <= MAX_UNHEARD_SECONDS or is_dense or not follows:
            return True
        tokens = [token for token in outcome.decoded.tokens if self._model.tokenizer.is_text(token)]
        if not tokens:
            return outcome.no_speech_probability > MIN_NO_SPEECH_PROBABILITY
        # For a full stop, most heads look where nothing is.
        while len(tokens) > 1 and not _WORD.search(self._model.tokenizer.decode(tokens[-1:])):
            tokens.pop()
        looked_at = self._looked_at(
            seconds, outcome.encoded, [*sot_sequence, self._model.tokenizer.no_timestamps, *tokens]
        )
        return sounding_seconds(audio) - looked_at <= MAX_UNHEARD_SECONDS

    def _looked_at(self, seconds: float, encoded: EncodedAudio, tokens: Sequence[int]) -> float:
        """Seconds into the audio at which the alignment heads found the last of the tokens."""
        positions = min(encoded.positions, int(seconds / SECONDS_PER_POSITION))
        weights = self._model.last_attention(encoded, tokens, positions)
        return float(np.median(weights.argmax(axis=-1))) * SECONDS_PER_POSITION

    def _prompt(self, sot_sequence: Sequence[int], previous: Sequence[int]) -> list[int]:
        tokenizer = self._model.tokenizer
        prompt = [*sot_sequence]
        if not (self._options.timestamps and tokenizer.has_timestamps):
            prompt.append(tokenizer.no_timestamps)
        if not previous:
            return prompt
        # Half of the sequence is for the new text, as in the training of Whisper.
        room = self._model.dimensions.max_tokens // 2 - 1
        return [tokenizer.start_of_previous, *previous[-room:], *prompt]


def _least_bad(outcomes: Sequence[Outcome]) -> Outcome:
    """Loops are worse than guesses; among equals the likeliest."""
    return max(
        outcomes,
        key=lambda outcome: (
            outcome.compression_ratio <= MAX_COMPRESSION_RATIO
            and not is_looping(outcome.decoded.tokens),
            outcome.decoded.average_log_probability,
        ),
    )
