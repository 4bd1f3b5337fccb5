"""Cuts long audio into the windows that Whisper transcribes: speech, at most 30 s, cut in the pauses.

Pure: reads no clock and runs no model. The probabilities of speech come in as numbers, so tables can test it.

How it decides, with the defaults of :class:`WindowOptions`:

- A chunk that is speech with at least 0.5 opens a *region*; 0.1 s below 0.35 closes it. Regions shorter than
  0.1 s are noise.
- A region begins with the faint speech before it: chunks with at least 0.1, less than 0.1 s apart.
- Regions less than 2 s apart share a window while it stays within 30 s: a window's cost grows with its
  length, and each one costs a decoder start.
- A window has 0.2 s of what surrounds its speech, less where its neighbour is nearer.
- A window that gets too long ends at its last pause; a region that is too long by itself is cut where speech
  is least likely within its last seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE, VAD_CHUNK
from rtap.errors import ConfigurationError

CERTAIN = 0.7
"""Mean probability of the chunks that are speech, from which a sound is no noise; below, the model's doubt is
heeded too."""
_FAINT_GAP = 3 * VAD_CHUNK
"""Samples that are not even faint speech within a beginning, as before a plosive."""
_STEP = 32 * VAD_CHUNK
"""Samples of a block that are taken in at a time, so that a large block is never held twice."""


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """When speech starts and ends. Times are in seconds.

    Raises:
        ConfigurationError: the values contradict each other.
    """

    on: float = 0.5
    """Probability from which silence becomes speech."""
    off: float = 0.35
    """Probability below which speech becomes silence. Lower than ``on``, so that a doubtful sound in the
    middle of a word does not end it."""
    faint: float = 0.1
    """Probability from which what comes right before speech is its beginning. The detector is sure of a voice
    only after some of it: a soft "turn off" has 0.1 to 0.3 until "lights" is surely speech."""
    look_back: float = 1.0
    """How far before sure speech its beginning is sought."""
    minimum_speech: float = 0.1
    """Shorter speech is taken for noise. "Yes" and "go" last 0.25 s and more."""
    minimum_silence: float = 0.1
    """Shorter silence is part of the speech around it, such as the closure before a plosive."""
    pad: float = 0.2
    """Kept before and after the speech: detectors are late on weak consonants."""
    merge_gap: float = 2.0
    """Speech less than this apart shares a window. At least ``2 * pad``."""
    maximum: float = 30.0
    """The longest window."""
    search: float = 5.0
    """How far back from the end of an overlong region it may be cut. At most half of ``maximum``."""

    def __post_init__(self) -> None:
        if not 0.0 < self.off <= self.on <= 1.0:
            raise ConfigurationError(
                f"speech starts at probability {self.on} and ends below {self.off}: "
                f"set 0 < off <= on <= 1"
            )
        if min(self.minimum_speech, self.minimum_silence, self.pad, self.look_back) < 0.0:
            raise ConfigurationError(
                "minimum_speech, minimum_silence, pad and look_back can't be negative"
            )
        if self.merge_gap < max(2.0 * self.pad, self.minimum_silence):
            raise ConfigurationError(
                f"merge_gap is {self.merge_gap} s: set it to minimum_silence or more, and to twice the "
                f"pad of {self.pad} s or more"
            )
        if not 0.0 < self.maximum <= 30.0:
            raise ConfigurationError(f"maximum is {self.maximum} s: set it above 0 and up to 30 s")
        if not 2.0 * VAD_CHUNK / SAMPLE_RATE + self.pad <= self.search <= self.maximum / 2.0:
            raise ConfigurationError(
                f"search is {self.search} s: set it to at most half of the maximum of {self.maximum} s, "
                f"and longer than the pad"
            )


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of audio to transcribe. Times are in seconds from the beginning of the audio."""

    offset: int
    """Index of its first sample in the whole audio."""
    audio: NDArray[np.float32]
    """Mono, 16 kHz, shape (samples,); never empty."""
    speech_start: float
    """Where the speech in it begins."""
    speech_end: float
    """Where the speech in it ends; what follows up to :attr:`end` is padding."""
    certainty: float = 1.0
    """Mean probability of its chunks that are speech; 1 where no detector was asked."""

    @property
    def start(self) -> float:
        """Time of the first sample."""
        return self.offset / SAMPLE_RATE

    @property
    def end(self) -> float:
        """Time just after the last sample."""
        return (self.offset + self.audio.size) / SAMPLE_RATE


class WindowCutter:
    """Takes audio in blocks of any size and returns windows as they are complete.

    Holds one window (30 s and ``merge_gap``) at most; silence is dropped as it passes. All positions are
    sample indices in the whole audio, so times don't drift.

    Without probabilities it cuts windows of ``maximum`` seconds one after the other.
    """

    def __init__(self, options: WindowOptions | None = None) -> None:
        options = options or WindowOptions()
        self._on = options.on
        self._off = options.off
        self._faint = options.faint
        self._look_back = _samples(options.look_back)
        self._minimum_speech = _samples(options.minimum_speech)
        self._minimum_silence = _samples(options.minimum_silence)
        self._pad = _samples(options.pad)
        self._merge_gap = _samples(options.merge_gap)
        self._maximum = _samples(options.maximum)
        self._search = _samples(options.search)

        self._tape = _Tape()
        self._judged = 0  # end of the last chunk whose probability is known
        self._with_probabilities: bool | None = None
        self._emitted = 0  # end of the last window
        self._ready: list[Window] = []
        # The window being collected: the regions that are closed, then the one that is not.
        self._closed: tuple[int, int] | None = None  # start of the first, end of the last
        self._region: int | None = None  # start of the open region
        self._sure = 0  # where it became sure that this is speech
        self._silent_since: int | None = None  # start of the silence that may close it
        self._closed_speech = _Mean()
        self._region_speech = _Mean()
        self._continued = False  # the open region goes on from a forced cut, so it is no noise
        self._recent: deque[tuple[int, float]] = deque()  # start, probability: where a cut may go
        self._past: deque[tuple[int, float]] = deque()  # the same: where the next region may begin

    def push(
        self,
        audio: NDArray[np.float32],
        probabilities: Sequence[float] | NDArray[np.float32] | None,
    ) -> list[Window]:
        """Take the next audio in.

        Args:
            audio: mono, 16 kHz, shape (samples,), any length. Copied as far as it is kept.
            probabilities: one for every chunk that this audio completes, which is what
                ``Vad.probabilities`` returns for the same block. None, then and always: cut without.

        Returns:
            The windows that are complete now, in order.

        Raises:
            ValueError: another shape, or another number of probabilities.
        """
        if audio.ndim != 1:
            raise ValueError(f"audio has shape {audio.shape}, mono samples are needed")
        given = probabilities is not None
        if self._with_probabilities not in (None, given):
            raise ValueError("give probabilities with every block, or with none")
        self._with_probabilities = given
        if probabilities is None:
            return self._push_plain(audio)
        expected = (self._tape.end + audio.size - self._judged) // VAD_CHUNK
        if len(probabilities) != expected:
            raise ValueError(f"{len(probabilities)} probabilities for {expected} chunks")
        remaining = iter(probabilities)
        for begin in range(0, audio.size, _STEP):
            self._tape.append(audio[begin : begin + _STEP])
            while self._tape.end - self._judged >= VAD_CHUNK:
                self._judge(float(next(remaining)))
            self._forget()
        return self._take_ready()

    def flush(self) -> list[Window]:
        """End the audio: what is still open becomes the last windows. Start a new cutter afterwards.

        The samples after the last whole chunk, 32 ms at most, belong to speech if that chunk did.
        """
        end = self._tape.end
        if not self._with_probabilities:
            if end > self._emitted:
                self._emit(self._emitted, end, self._emitted, end)
            return self._take_ready()
        if self._region is not None:
            if self._silent_since is None:
                self._make_room(end)
                self._close_region(end)
            else:
                self._close_region(self._silent_since)
        if self._closed is not None:
            self._emit_closed(limit=end)
        return self._take_ready()

    def _push_plain(self, audio: NDArray[np.float32]) -> list[Window]:
        for begin in range(0, audio.size, _STEP):
            self._tape.append(audio[begin : begin + _STEP])
            while self._tape.end - self._emitted >= self._maximum:
                end = self._emitted + self._maximum
                self._emit(self._emitted, end, self._emitted, end)
            self._tape.forget(self._emitted)
        return self._take_ready()

    def _take_ready(self) -> list[Window]:
        ready, self._ready = self._ready, []
        return ready

    def _judge(self, probability: float) -> None:
        """Advance by one chunk."""
        start, end = self._judged, self._judged + VAD_CHUNK
        self._judged = end
        if self._region is None:
            if self._closed is not None and start - self._closed[1] >= self._merge_gap:
                self._emit_closed(limit=start)
            if probability >= self._on:
                self._open_region(start)
            else:
                self._remember(start, probability)
                return
        self._remember(start, probability)
        self._recent.append((start, probability))
        if probability >= self._off:
            self._region_speech.add(probability)
            self._silent_since = None
            self._make_room(end)
        elif self._silent_since is None:
            self._silent_since = start
        if self._silent_since is not None and end - self._silent_since >= self._minimum_silence:
            self._close_region(self._silent_since)
        while self._recent and self._recent[0][0] < end - self._search:
            self._recent.popleft()

    def _remember(self, start: int, probability: float) -> None:
        self._past.append((start, probability))
        while self._past[0][0] < start - self._look_back:
            self._past.popleft()

    def _open_region(self, start: int) -> None:
        self._region = self._onset(start)
        self._region_speech = _Mean()
        self._sure = start
        self._silent_since = None
        self._continued = False
        self._recent.clear()

    def _onset(self, sure: int) -> int:
        """Where the faint speech before sure speech begins."""
        earliest = max(self._emitted, self._closed[1] if self._closed else 0)
        onset = sure
        for start, probability in reversed(self._past):
            if (
                start < max(earliest, sure - self._look_back)
                or onset - start > _FAINT_GAP + VAD_CHUNK
            ):
                break
            if probability >= self._faint:
                onset = start
        return onset

    def _close_region(self, end: int) -> None:
        """The open region ends: it joins the window, or is dropped as noise."""
        assert self._region is not None
        if self._continued or end - self._sure >= self._minimum_speech:
            first = self._region if self._closed is None else self._closed[0]
            self._closed = (first, end)
            self._closed_speech.join(self._region_speech)
        self._region = None

    def _window_start(self, speech: int) -> int:
        return max(speech - self._pad, self._emitted)

    def _make_room(self, end: int) -> None:
        """Emit windows until the one being collected can take speech up to ``end``."""
        assert self._region is not None
        while True:
            first = self._region if self._closed is None else self._closed[0]
            start = self._window_start(first)
            if end - start <= self._maximum:
                return
            if self._closed is not None:
                # The middle of a short pause, so that both windows get some of it.
                self._emit_closed(limit=(self._closed[1] + self._region + 1) // 2)
            else:
                self._cut_region(start)

    def _cut_region(self, start: int) -> None:
        """Emit the open region up to the chunk of its last seconds that is the least likely to be speech."""
        assert self._region is not None
        latest = start + self._maximum
        places = [(p, -at) for at, p in self._recent if self._region < at <= latest]
        # The latest of equals. At the end of the audio the last chunk may be incomplete: cut at the limit.
        cut = -min(places)[1] if places else latest
        self._emit(start, cut, self._region, cut, self._region_speech.value)
        self._region = cut
        self._continued = True
        while self._recent and self._recent[0][0] < cut:
            self._recent.popleft()

    def _emit_closed(self, limit: int) -> None:
        """Emit the closed regions with their padding, which ends at ``limit`` at the latest."""
        assert self._closed is not None
        first, last = self._closed
        start = self._window_start(first)
        end = min(last + self._pad, max(limit, last), start + self._maximum)
        self._emit(start, end, first, last, self._closed_speech.value)
        self._closed = None
        self._closed_speech = _Mean()

    def _emit(
        self, start: int, end: int, speech_start: int, speech_end: int, certainty: float = 1.0
    ) -> None:
        window = Window(
            offset=start,
            audio=self._tape.read(start, end),
            speech_start=speech_start / SAMPLE_RATE,
            speech_end=speech_end / SAMPLE_RATE,
            certainty=certainty,
        )
        self._ready.append(window)
        self._emitted = end

    def _forget(self) -> None:
        """Drop the audio that no window can need any more."""
        if self._closed is not None:
            first = self._closed[0]
        elif self._region is not None:
            first = self._region
        else:
            first = max(0, self._judged - self._look_back)
        self._tape.forget(self._window_start(first))


class _Mean:
    """A mean that grows."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0

    def add(self, value: float) -> None:
        self._sum += value
        self._count += 1

    def join(self, other: _Mean) -> None:
        """Take in all values of another one."""
        self._sum += other._sum
        self._count += other._count

    @property
    def value(self) -> float:
        return self._sum / self._count if self._count else 1.0


class _Tape:
    """The audio that is still needed, in the blocks in which it came; addressed by absolute sample index."""

    def __init__(self) -> None:
        self._blocks: deque[NDArray[np.float32]] = deque()
        self._begin = 0
        self.end = 0

    def append(self, audio: NDArray[np.float32]) -> None:
        """Add a copy: the caller may use its buffer again."""
        self._blocks.append(np.array(audio, dtype=np.float32))
        self.end += audio.size

    def forget(self, before: int) -> None:
        """Drop the blocks that lie wholly before a sample."""
        while self._blocks and self._begin + self._blocks[0].size <= before:
            self._begin += self._blocks.popleft().size

    def read(self, start: int, end: int) -> NDArray[np.float32]:
        """A copy of the samples from ``start`` up to ``end``."""
        parts = []
        position = self._begin
        for block in self._blocks:
            first, last = max(start - position, 0), min(end - position, block.size)
            if first < last:
                parts.append(block[first:last])
            position += block.size
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
