"""Plays answers, one after the other, in a thread of its own; never while somebody speaks."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rtap import logs
from rtap.answers.earcons import RATE, tone
from rtap.answers.output import BLOCK_SECONDS, Loudspeaker, Output
from rtap.answers.voice.choice import make_voice
from rtap.answers.voice.engine import Speech, Voice
from rtap.errors import SpeakerError

if TYPE_CHECKING:
    from rtap.answers.answer import Answer, Earcon
    from rtap.config import AnswersConfig

_log = logs.get("speaker")

LONGEST_QUEUE: Final = 4
"""Answers that wait; the oldest gives way."""
LATEST_SECONDS: Final = 10.0
"""An answer that had to wait longer is dropped: it would be about something that is long past."""
LONGEST_HOLD_SECONDS: Final = 30.0
"""As long as an utterance may be: nobody is taken to speak longer, if the end of speech was not reported."""
TAIL_SECONDS: Final = 0.3
"""What a cabin and a microphone's driver still hold when the last sample was played."""
_GAP_SECONDS: Final = 0.1
"""Between a tone and the sentence."""


@dataclass(frozen=True, slots=True)
class _Item:
    """What waits to be played."""

    earcon: Earcon | None
    text: str
    language: str
    since: float
    """Seconds, by the clock."""


class Speaker:
    """Plays tones and sentences. Its methods may be called from any thread and return at once.

    Whatever fails is reported once, until something was played again; answers that could not be played are
    dropped, and everything else goes on.

    Args:
        output: what plays it.
        voice: what speaks; None: tones only.
        earcons: whether there are tones.
        volume: percent.
        on_speaking: called in the speaker's thread with True before the first word of a sentence, and with
            False when its last has died away. What a microphone hears between the two is the assistant
            itself; tones are too short and too high to be taken for speech.
        on_error: called in the speaker's thread with what failed.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        output: Output,
        voice: Voice | None,
        *,
        earcons: bool = True,
        volume: int = 70,
        on_speaking: Callable[[bool], None] = lambda _: None,
        on_error: Callable[[SpeakerError], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._output = output
        self._voice = voice
        self._earcons = earcons
        self._gain = np.float32(volume / 100)
        self._on_speaking = on_speaking
        self._on_error = on_error
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[_Item] = deque(maxlen=LONGEST_QUEUE)
        self._held_since: float | None = None
        self._stop = threading.Event()
        """Ends what is being played."""
        self._is_speaking = False
        self._is_playing = False
        """Whether an item was taken and is not over."""
        self._is_closed = False
        self._reported = ""
        self._thread = threading.Thread(target=self._run, name="speaker", daemon=True)

    @property
    def is_speaking(self) -> bool:
        """Whether a sentence is being spoken, or has not died away."""
        return self._is_speaking

    @property
    def has_voice(self) -> bool:
        """Whether it speaks sentences; where not, it plays tones only."""
        return self._voice is not None

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def close(self) -> None:
        """End what is being played, and the thread."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._stop.set()
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join()
        if self._voice is not None:
            self._voice.close()

    def play(self, earcon: Earcon) -> None:
        """Play a tone, after what is being played."""
        if self._earcons:
            self._add(_Item(earcon, "", "", self._clock()))

    def say(self, answer: Answer) -> None:
        """Play an answer: its tone, then its sentence."""
        item = _Item(
            answer.earcon if self._earcons else None,
            answer.text if self._voice is not None else "",
            answer.language,
            self._clock(),
        )
        if item.earcon is not None or item.text:
            self._add(item)

    def hold(self) -> None:
        """Somebody speaks: end what is being played, and let the rest wait for :meth:`release`."""
        with self._changed:
            self._held_since = self._clock()
            self._stop.set()

    def release(self) -> None:
        """Nobody speaks any more."""
        with self._changed:
            self._held_since = None
            self._changed.notify_all()

    def interrupt(self) -> bool:
        """End what is being played, and forget what waits: by the wake word or a tap.

        Returns:
            Whether there was anything.
        """
        with self._changed:
            was_busy = self._is_playing or bool(self._waiting)
            self._waiting.clear()
            self._stop.set()
            return was_busy

    def _add(self, item: _Item) -> None:
        with self._changed:
            if not self._is_closed:
                self._waiting.append(item)
                self._changed.notify_all()

    def _run(self) -> None:
        while (item := self._next()) is not None:
            try:
                self._perform(item)
            except SpeakerError as error:
                self._report(error)
            except Exception as error:  # noqa: BLE001 (the thread has to live as long as the service)
                self._report(SpeakerError(f"an answer was not played: {error!r}"))
            else:
                self._reported = ""

    def _next(self) -> _Item | None:
        """Wait for the next that may be played; None: the speaker was closed."""
        with self._changed:
            self._is_playing = False
            while True:
                if self._is_closed:
                    return None
                held = self._held_for()
                if self._waiting and held is None:
                    item = self._waiting.popleft()
                    if self._clock() - item.since <= LATEST_SECONDS:
                        self._stop.clear()
                        self._is_playing = True
                        return item
                    continue
                self._changed.wait(held if self._waiting else None)

    def _held_for(self) -> float | None:
        """Seconds until a hold ends by itself; None: there is none."""
        if self._held_since is None:
            return None
        left = self._held_since + LONGEST_HOLD_SECONDS - self._clock()
        return left if left > 0 else None

    def _perform(self, item: _Item) -> None:
        with (
            self._speaking(item),
            contextlib.closing(self._output.open()) as playback,
            contextlib.closing(self._sounds(item)) as sounds,
        ):
            for speech in sounds:
                for piece in _cut(speech):
                    if self._stop.is_set():
                        return
                    playback.write(Speech(self._gain * piece.samples, piece.rate))
            if not self._stop.is_set():
                playback.finish()

    def _sounds(self, item: _Item) -> Generator[Speech, None, None]:
        if item.earcon is not None:
            yield Speech(tone(item.earcon), RATE)
        if item.text and self._voice is not None:
            if item.earcon is not None:
                yield Speech(np.zeros(round(_GAP_SECONDS * RATE), np.float32), RATE)
            yield from self._voice.say(item.text, item.language, self._stop)

    @contextlib.contextmanager
    def _speaking(self, item: _Item) -> Iterator[None]:
        """Say that the assistant itself is heard, for the length of a sentence and its tail."""
        if not item.text:
            yield
            return
        self._is_speaking = True
        self._on_speaking(True)
        try:
            yield
        finally:
            time.sleep(TAIL_SECONDS)
            self._is_speaking = False
            self._on_speaking(False)

    def _report(self, error: SpeakerError) -> None:
        message = str(error)
        if message != self._reported:
            self._reported = message
            self._on_error(error)


def make_speaker(
    config: AnswersConfig,
    *,
    on_speaking: Callable[[bool], None] = lambda _: None,
    on_error: Callable[[SpeakerError], None] = lambda _: None,
) -> Speaker | None:
    """The configured speaker, not yet started; None where nothing is to be heard. What fails is logged.

    Raises:
        ConfigurationError: the voice needs what is not installed.
    """

    def log_and_report(error: SpeakerError) -> None:
        _log.error(str(error))
        on_error(error)

    voice = make_voice(config) if config.enabled else None
    if not config.enabled or not (config.earcons or voice):
        return None
    return Speaker(
        Loudspeaker(config.device),
        voice,
        earcons=config.earcons,
        volume=config.volume,
        on_speaking=on_speaking,
        on_error=log_and_report,
    )


def _cut(speech: Speech) -> Iterator[Speech]:
    """Pieces of BLOCK_SECONDS."""
    size = round(BLOCK_SECONDS * speech.rate)
    for start in range(0, speech.samples.size, size):
        yield Speech(speech.samples[start : start + size], speech.rate)
