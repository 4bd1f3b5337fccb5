"""Audio of any length to text: windows at the pauses, one decoding each, absolute times.

Streaming: audio comes in blocks and segments go out as soon as their window is complete, so a two-hour file
needs no more memory than a sentence.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError
from rtap.languages import space_between
from rtap.whisper.alignment import SECONDS_PER_POSITION, align_words
from rtap.whisper.cross_cache import ROOM
from rtap.whisper.model import FRAMES_PER_SECOND, EncodedAudio, SpeechModel
from rtap.whisper.model_directory import Elastic
from rtap.whisper.preference.choice import Expected
from rtap.whisper.preference.expectations import Expectations
from rtap.whisper.preference.sentences import Preference
from rtap.whisper.result import Segment, Transcription, Word
from rtap.whisper.timestamps import Piece, cut_at_timestamps
from rtap.whisper.tokenizer import Task
from rtap.whisper.window_decoder import (
    DecodingOptions,
    Outcome,
    WindowDecoder,
    compression_ratio,
)
from rtap.whisper.windows import CERTAIN, Window, WindowCutter, WindowOptions

MAX_DOUBT: Final[Mapping[Elastic, float]] = MappingProxyType(
    {"no": 0.55, "guarded": 0.55, "native": 0.93}
)
"""Probability that nobody speaks, up to which doubtful audio is transcribed. Measured on noise that passed
the detector, and on words that it doubted, such as "four" and the letter F: whisper-base int8 in 30 s of
context has 0.60 to 0.85 for the noise, 0.12 to 0.49 for the words. The elastic adapter raises both: 0.96 to
0.99 and 0.35 to 0.89, but for two words of a third of a second (0.95 and 0.97)."""
DEFAULT_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_UTTERANCE_GAP = 0.5
"""Seconds of silence between two windows of a natively elastic model, as ``vad.min_silence_ms`` between two
utterances. It pays nothing for a short window, and was trained on single utterances: with commands a second
apart, windows merged over 2 s lost 40 % of the words, these none."""

_log = logging.getLogger(__name__)

Block = NDArray[np.float32]
ProgressCallback = Callable[[float], None]
Steps = Generator[tuple[Segment, ...], None, Transcription]
"""See :meth:`Transcriber.steps`."""


@cache
def warn_of_prompts(model: Path) -> None:
    """Log, once for each model directory, that its prompts and hotwords are left out."""
    _log.warning(
        "%s was not trained with prompts, so hotwords and initial prompts are left out: "
        "use another model for them, such as whisper-base",
        model.name,
    )


class VoiceActivity(Protocol):
    """What long audio needs of :class:`rtap.stages.vad.Vad`."""

    def probabilities(self, audio: Block) -> NDArray[np.float32]:
        """One probability of speech for every 512 samples that this block completes."""

    def reset(self) -> None:
        """Forget the last audio."""


@dataclass(frozen=True, slots=True)
class TranscribeOptions:
    """What to do with the audio."""

    language: str | None = None
    """Code or English name; None detects it in the first speech."""
    allowed_languages: tuple[str, ...] = ()
    """What detection may choose from; empty: all of the model's."""
    task: Task = "transcribe"
    beam_size: int = 1
    """1 is greedy. Above temperature 0 this many samples are drawn instead."""
    temperatures: tuple[float, ...] = DEFAULT_TEMPERATURES
    """Tried in order while the answer repeats itself or is unlikely."""
    initial_prompt: str | None = None
    """Text that every window is told came before: sets style and spelling."""
    hotwords: tuple[str, ...] = ()
    """Words to expect, such as street names; told before every window too."""
    length_penalty: float | None = None
    """Google NMT's alpha for comparing beams or samples of different length; None divides by the length."""
    timestamps: bool = False
    """Whether to cut segments at the model's own timestamps, not at pauses only."""
    word_timestamps: bool = False
    trim_silence: bool = True
    """Whether a voice activity detector, where there is one, leaves out what is not speech."""
    is_doubtful: bool = False
    """Whether the detector was not certain that anybody speaks: no text comes where the model doubts it too,
    be its text ever so likely."""
    preference: Preference | None = None
    """Sentences of which one takes the place of a text that is hardly likelier; only without timestamps."""


@dataclass(slots=True)
class _Run:
    """What is learnt in the course of one audio."""

    decoder: WindowDecoder
    options: TranscribeOptions
    previous: Sequence[int]
    language: str | None
    language_probability: float = 1.0
    inference_time: float = 0.0
    duration: float = 0.0
    windows: int = 0
    on_progress: ProgressCallback = field(default=lambda _: None)


class Transcriber:
    """Transcribes with one model. Not for several threads at once.

    Args:
        vad: finds the speech; None decodes all audio, silence included.
        seed: of the sampling.
        expectations: those of the model, where several transcribe with it in turns.
    """

    def __init__(
        self,
        model: SpeechModel,
        vad: VoiceActivity | None,
        seed: int = 0,
        expectations: Expectations | None = None,
    ) -> None:
        self._model = model
        self._expectations = expectations or Expectations(model)
        self._vad = vad
        self._seed = seed

    def check(self, options: TranscribeOptions) -> None:
        """Refuse options that this model cannot satisfy.

        Raises:
            ConfigurationError: unknown language, a task or word timestamps that the model does not do.
        """
        tokenizer = self._model.tokenizer
        for language in options.allowed_languages:
            tokenizer.language(language)
        tokenizer.sot_sequence(
            options.language or next(iter(tokenizer.languages), "en"), options.task
        )
        if options.word_timestamps and not self._model.aligns_words:
            raise ConfigurationError(
                f"{self._model.directory.path} has no word timestamps: convert the checkpoint with "
                f"tools/convert_whisper --layout rtap"
            )
        if not 1 <= options.beam_size <= ROOM:
            raise ConfigurationError(
                f"beam size {options.beam_size} cannot work: give a number from 1 to {ROOM}"
            )
        if not options.temperatures or min(options.temperatures) < 0:
            raise ConfigurationError("give at least one temperature, none below 0")

    def transcribe(
        self,
        blocks: Iterable[Block],
        options: TranscribeOptions,
        on_progress: ProgressCallback | None = None,
    ) -> Transcription:
        """Transcribe all of the audio.

        Args:
            blocks: mono, 16 kHz, float32 within -1 to 1, any number of samples each.
            on_progress: gets the seconds of audio consumed so far.

        Raises:
            ConfigurationError: see :meth:`check`.
        """
        run = self._start(options)
        if on_progress is not None:
            run.on_progress = on_progress
        steps = self._steps(blocks, run)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                transcription: Transcription = end.value
                return transcription

    def segments(self, blocks: Iterable[Block], options: TranscribeOptions) -> Iterator[Segment]:
        """As :meth:`transcribe`, each segment as soon as it is known."""
        steps = self.steps(blocks, options)
        return (segment for found in steps for segment in found)

    def steps(self, blocks: Iterable[Block], options: TranscribeOptions) -> Steps:
        """As :meth:`transcribe`, with control handed back after every block and every window.

        In between, other transcribers may use the same model; this one may not start anything else.

        Yields:
            The segments that are new, as a rule none.

        Returns:
            What :meth:`transcribe` returns, as the value of StopIteration.

        Raises:
            ConfigurationError: at once, see :meth:`check`.
        """
        return self._steps(blocks, self._start(options))

    def _start(self, options: TranscribeOptions) -> _Run:
        self.check(options)
        tokenizer = self._model.tokenizer
        decoding = DecodingOptions(
            beams=options.beam_size,
            temperatures=options.temperatures,
            timestamps=options.timestamps,
            length_penalty=options.length_penalty,
        )
        language = options.language
        if language is not None or not tokenizer.is_multilingual:
            language = tokenizer.language(language or "en")
        return _Run(
            decoder=WindowDecoder(self._model, decoding, self._seed),
            options=options,
            previous=self._previous(options),
            language=language,
        )

    def _previous(self, options: TranscribeOptions) -> list[int]:
        """Tokens that every window is told came before; none for a model that was not trained with any."""
        told = [
            text.strip() for text in (", ".join(options.hotwords), options.initial_prompt or "")
        ]
        if any(told) and not self._model.rules.takes_prompts:
            warn_of_prompts(self._model.directory.path)
            return []
        encode = self._model.tokenizer.encode
        return [token for text in told if text for token in encode(f" {text}")]

    def _steps(self, blocks: Iterable[Block], run: _Run) -> Steps:
        segments: list[Segment] = []
        for window in self._windows(blocks, run):
            found = [] if window is None else self._window_segments(window, run)
            segments += found
            yield tuple(found)
        return Transcription(
            text=space_between(run.language, run.options.task).join(
                segment.text.strip() for segment in segments
            ),
            language=run.language,
            language_probability=0.0 if run.language is None else run.language_probability,
            duration=run.duration,
            inference_time=run.inference_time,
            segments=tuple(segments),
            contexts=tuple(run.decoder.contexts),
            windows=run.windows,
        )

    def _windows(self, blocks: Iterable[Block], run: _Run) -> Iterator[Window | None]:
        """The windows as they are complete, and None after every block."""
        longest = self._model.dimensions.max_frames / FRAMES_PER_SECOND
        defaults = WindowOptions()
        is_native = self._model.elastic == "native"
        cutter = WindowCutter(
            replace(
                defaults,
                merge_gap=_UTTERANCE_GAP if is_native else defaults.merge_gap,
                maximum=min(longest, defaults.maximum),
                search=min(longest / 2, defaults.search),
            )
        )
        if self._vad is not None:
            self._vad.reset()
        samples = 0
        for block in blocks:
            samples += block.size
            run.duration = samples / SAMPLE_RATE
            probabilities = None if self._vad is None else self._vad.probabilities(block)
            yield from cutter.push(block, probabilities)
            run.on_progress(run.duration)
            yield None
        yield from cutter.flush()

    def _window_segments(self, window: Window, run: _Run) -> list[Segment]:
        """Decode a window, and the rest of it again where the decoder stopped half-way."""
        started = time.perf_counter()
        segments: list[Segment] = []
        is_doubtful = run.options.is_doubtful or window.certainty < CERTAIN
        done = 0
        while done < window.audio.size:
            audio = window.audio[done:]
            offset = (window.offset + done) / SAMPLE_RATE
            encoded, frames = run.decoder.encode(audio)
            language, probability = self._language(encoded, run)
            sot = self._model.tokenizer.sot_sequence(language, run.options.task)
            expected = self._expected(language, run.options)
            outcome = run.decoder.decode(audio, encoded, frames, sot, run.previous, expected)
            self._model.confirm()
            run.windows += 1
            duration = audio.size / SAMPLE_RATE
            pieces, covered = cut_at_timestamps(
                outcome.decoded.tokens,
                self._model.tokenizer,
                duration,
                ended=outcome.decoded.ended,
            )
            is_doubted = outcome.no_speech_probability > MAX_DOUBT[self._model.elastic]
            if not (outcome.is_silence or (is_doubtful and is_doubted)):
                words = self._words(outcome, pieces, sot, language, run, duration)
                segments += self._as_segments(pieces, words, outcome, offset, language)
            if segments:
                # What was detected in silence says nothing about the speech to come.
                run.language, run.language_probability = language, probability
            done += max(1, round(covered * SAMPLE_RATE))
        run.inference_time += time.perf_counter() - started
        return segments

    def _expected(self, language: str, options: TranscribeOptions) -> Expected | None:
        if options.preference is None or options.task != "transcribe":
            return None
        return self._expectations.of(options.preference, language)

    def _language(self, encoded: EncodedAudio, run: _Run) -> tuple[str, float]:
        """The language of this audio and its probability, detected until there was speech."""
        if run.language is not None:
            return run.language, run.language_probability
        allowed = {self._model.tokenizer.language(code) for code in run.options.allowed_languages}
        likely = run.decoder.language_probabilities(encoded, sorted(allowed))
        language = max(likely, key=lambda code: likely[code])
        return language, likely[language]

    def _words(
        self,
        outcome: Outcome,
        pieces: Sequence[Piece],
        sot: Sequence[int],
        language: str,
        run: _Run,
        duration: float,
    ) -> list[list[Word]]:
        if not run.options.word_timestamps:
            return [[] for _ in pieces]
        positions = min(outcome.encoded.positions, max(1, int(duration / SECONDS_PER_POSITION)))
        tokens = [piece.tokens for piece in pieces]
        return align_words(self._model, outcome.encoded, tokens, sot, language, positions)

    def _as_segments(
        self,
        pieces: Sequence[Piece],
        words: Sequence[Sequence[Word]],
        outcome: Outcome,
        offset: float,
        language: str,
    ) -> Iterator[Segment]:
        for piece, spoken in zip(pieces, words, strict=True):
            text = self._model.tokenizer.decode(piece.tokens)
            if text.strip():
                yield Segment(
                    start=piece.start + offset,
                    end=piece.end + offset,
                    text=text,
                    tokens=piece.tokens,
                    language=language,
                    average_log_probability=outcome.decoded.average_log_probability,
                    compression_ratio=compression_ratio(text.strip()),
                    no_speech_probability=outcome.no_speech_probability,
                    temperature=outcome.decoded.temperature,
                    certainty=outcome.certainty,
                    words=tuple(
                        replace(word, start=word.start + offset, end=word.end + offset)
                        for word in spoken
                    ),
                )
