"""Where utterances begin and end, from the probabilities of the voice activity detector.

Pure: reads no clock, no device and no model. Everything is counted in the detector's chunks of 32 ms, so
lengths from the configuration are rounded up to whole chunks, the longest utterance down.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from rtap.audio.format import SAMPLE_RATE, VAD_CHUNK, Samples

if TYPE_CHECKING:
    from rtap.config import VadConfig

HYSTERESIS: Final = 0.15
"""How far the probability must fall below the threshold before speech counts as over."""
FAINT: Final = 0.2
"""Share of the threshold from which a chunk right before speech belongs to it. The detector is sure of a
voice only after some of it: a soft "turn off" has 0.1 to 0.3 until "lights" is surely speech."""
FAINT_GAP_MS: Final = 96
"""Fainter chunks within the beginning of speech, as before a plosive."""
LOOK_BACK_MS: Final = 992
"""The beginning of speech is sought so far before the first chunk that is surely speech."""
_CUT_SEARCH_MS: Final = 3_000
"""An utterance that is too long is cut at the best place in its last seconds."""
_SHORTEST_PAUSE_MS: Final = 150
"""Less silence than this lies within words."""


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """There was enough speech to be sure; the audio comes with :class:`SpeechEnded`."""

    start_sample: int
    """First sample of speech, from the beginning of the stream, without the margin before it."""


@dataclass(frozen=True, slots=True, eq=False)
class SpeechPaused:
    """The utterance is over unless somebody goes on speaking before the silence is long enough to be sure."""

    samples: Samples
    """Those that :class:`SpeechEnded` will have if nobody goes on."""
    certainty: float
    """As :class:`SpeechEnded` will have it."""


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """Somebody went on after :class:`SpeechPaused`."""


@dataclass(frozen=True, slots=True, eq=False)
class SpeechEnded:
    """One utterance. Those of a stream never overlap."""

    samples: Samples
    """Speech with a margin before and after, shape (samples,), never longer than the cap."""
    start_sample: int
    """Where ``samples`` begins, from the beginning of the stream."""
    end_sample_of_speech: int
    """The sample after the last one of speech, from the beginning of the stream."""
    certainty: float
    """Mean probability of the chunks that are speech, 0 to 1."""


SegmentEvent = SpeechBegan | SpeechPaused | SpeechResumed | SpeechEnded


class _Chunk(NamedTuple):
    samples: Samples
    probability: float
    voiced: bool


class Segmenter:
    """One stream. Each SpeechBegan is followed by its SpeechEnded before the next one.

    - A chunk is speech from the threshold on, and stays so until the probability is HYSTERESIS below it
      (half of it for thresholds under 0.3, or background noise would never end speech).
    - Its beginning is moved back over the faint chunks before it: those with a share of FAINT of the
      threshold, FAINT_GAP_MS apart at most, within LOOK_BACK_MS.
    - Speech begins once ``min_speech_ms`` of it were heard without ``min_silence_ms`` of silence between,
      or as much of it as the longest utterance holds, where that is less.
    - It ends after ``min_silence_ms`` of silence, or at ``max_utterance_ms``: then it is cut after the
      least likely chunk of the last seconds, and goes on as the next utterance, whose samples follow.
    - The margin after speech is part of the silence that ended it, so it is never longer than that.
    - Once the silence is as long as the margin, the utterance is what it will be, and has paused: the rest
      of the silence only makes sure. There is no pause where that is the whole silence.

    At most ``max_utterance_ms`` of audio is held.
    """

    def __init__(self, config: VadConfig) -> None:
        self._on = config.threshold
        self._off = max(config.threshold - HYSTERESIS, config.threshold / 2)
        self._cap = max(4, config.max_utterance_ms * SAMPLE_RATE // 1000 // VAD_CHUNK)
        # The clamps keep settings that contradict each other from losing speech.
        self._pad = min(_chunks(config.speech_pad_ms), self._cap // 4)
        self._faint = config.threshold * FAINT
        self._look_back = min(_chunks(LOOK_BACK_MS), self._cap // 4)
        self._min_speech = min(max(1, _chunks(config.min_speech_ms)), self._cap)
        self._min_silence = max(1, _chunks(config.min_silence_ms))
        self._pause = max(self._pad, _chunks(_SHORTEST_PAUSE_MS))
        self.reset()

    def reset(self) -> None:
        """Forget the stream; the next sample is number 0 of another one."""
        self._held: deque[_Chunk] = deque()
        self._received = 0
        self._voiced = False
        self._began = False
        self._paused = False
        self._speech = 0
        """Voiced chunks among those held."""
        self._silence = 0
        """Chunks since the last voiced one."""
        self._needed = self._min_speech

    def push(self, samples: Samples, probability: float) -> list[SegmentEvent]:
        """Take the next chunk of the stream.

        Args:
            samples: shape (VAD_CHUNK,); copied.
            probability: that it is speech, 0 to 1.

        Raises:
            ValueError: the chunk has another shape.
        """
        if samples.shape != (VAD_CHUNK,):
            raise ValueError(f"a chunk has {VAD_CHUNK} samples, this one has shape {samples.shape}")
        self._voiced = probability >= (self._off if self._voiced else self._on)
        self._held.append(_Chunk(samples.astype(np.float32), probability, self._voiced))
        self._received += VAD_CHUNK
        self._speech += self._voiced
        self._silence = 0 if self._voiced else self._silence + 1
        events = self._begin_if_enough()
        if self._silence >= self._min_silence:
            events += self._end()
        elif len(self._held) >= self._cap:
            events += self._cut()
        else:
            events += self._pause_or_resume()
        self._trim()
        return events

    def speech_so_far(self) -> Samples | None:
        """The utterance that has begun and not ended, with margins; None when there is none."""
        return self._with_margin() if self._began else None

    @property
    def certainty(self) -> float:
        """Mean probability of the chunks of speech so far; 0 where there are none."""
        return _certainty(self._held)

    def flush(self) -> list[SegmentEvent]:
        """End the stream: speech that has begun ends here. The object is then ready for another stream."""
        events: list[SegmentEvent] = []
        if self._began:
            events.append(self._take(self._length_with_margin()))
        self.reset()
        return events

    def _begin_if_enough(self) -> list[SegmentEvent]:
        if self._began or self._speech < self._needed:
            return []
        self._began = True
        onset = self._onset()
        self._drop(onset - self._pad)
        return [SpeechBegan(self._start + min(onset, self._pad) * VAD_CHUNK)]

    def _pause_or_resume(self) -> list[SegmentEvent]:
        is_pause = self._began and self._silence >= self._pause
        if is_pause == self._paused:
            return []
        self._paused = is_pause
        if not is_pause:
            return [SpeechResumed()]
        return [SpeechPaused(self._with_margin(), self.certainty)]

    def _end(self) -> list[SegmentEvent]:
        events: list[SegmentEvent] = []
        if self._began:
            events.append(self._take(self._length_with_margin()))
        else:  # too short to be speech
            self._drop(len(self._held) - self._silence)
        self._began = False
        self._needed = self._min_speech
        return events

    def _cut(self) -> list[SegmentEvent]:
        if not self._began:
            self._drop(1)
            return []
        window = min(_chunks(_CUT_SEARCH_MS), self._cap // 2)
        chunks = list(self._held)
        # Of equals the last: the utterance is then as long as it may be.
        at = min(
            range(len(chunks) - window, len(chunks)), key=lambda i: (chunks[i].probability, -i)
        )
        events: list[SegmentEvent] = [self._take(at + 1)]
        self._began = False
        # What follows continues speech: be it ever so short, it is none of the clicks that are dropped.
        self._needed = 1
        self._trim()
        return events + self._begin_if_enough()

    def _trim(self) -> None:
        """Before speech, hold no more than the margin and where its beginning may be."""
        if not self._began:
            self._drop(self._lead() - self._look_back - self._pad)

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._speech -= self._held.popleft().voiced

    def _take(self, count: int) -> SpeechEnded:
        start = self._start
        chunks = [self._held.popleft() for _ in range(count)]
        self._speech -= sum(chunk.voiced for chunk in chunks)
        self._paused = False
        last = max(i for i, chunk in enumerate(chunks) if chunk.voiced)
        samples = np.concatenate([chunk.samples for chunk in chunks])
        end_of_speech = start + (last + 1) * VAD_CHUNK
        return SpeechEnded(samples, start, end_of_speech, _certainty(chunks))

    @property
    def _start(self) -> int:
        """Number of the first sample held."""
        return self._received - len(self._held) * VAD_CHUNK

    def _lead(self) -> int:
        """Chunks held before the first voiced one."""
        return next((i for i, chunk in enumerate(self._held) if chunk.voiced), len(self._held))

    def _onset(self) -> int:
        """Chunks held before the beginning of speech: the first voiced one, or faint ones before it."""
        onset = lead = self._lead()
        furthest, gap = max(0, lead - self._look_back), _chunks(FAINT_GAP_MS)
        for i in range(lead - 1, furthest - 1, -1):
            if self._held[i].probability >= self._faint:
                onset = i
            elif onset - i > gap:
                break
        return onset

    def _with_margin(self) -> Samples:
        chunks = list(self._held)[: self._length_with_margin()]
        return np.concatenate([chunk.samples for chunk in chunks])

    def _length_with_margin(self) -> int:
        return len(self._held) - self._silence + min(self._silence, self._pad)


def _certainty(chunks: Iterable[_Chunk]) -> float:
    voiced = [chunk.probability for chunk in chunks if chunk.voiced]
    return sum(voiced) / len(voiced) if voiced else 0.0


def _chunks(ms: int) -> int:
    return -(-ms * SAMPLE_RATE // (1000 * VAD_CHUNK))
