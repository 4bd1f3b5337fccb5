"""Says answers aloud, between what is heard: not while somebody speaks, and unheard by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from rtap import logs
from rtap.answers.speaker import make_speaker
from rtap.errors import ConfigurationError, RTAPException
from rtap.events import (
    AnswerGiven,
    ErrorOccurred,
    Event,
    IntentRecognized,
    SpeechStarted,
    SpeechStopped,
    WakeWordDetected,
)
from rtap.intents.dialogue import DIALOGUE_SECONDS

if TYPE_CHECKING:
    from rtap.answers.answer import Answer
    from rtap.answers.speaker import Speaker
    from rtap.audio.format import Samples
    from rtap.config import AnswersConfig
    from rtap.pipeline.session import Cleaner

_log = logs.get("assistant")


class Ear(Protocol):
    """What is needed of :class:`rtap.pipeline.microphone.AudioPipeline`; for any thread."""

    def listen_for_answer(self, seconds: float) -> None:
        """Hear what is said next without a wake word."""

    def stop_listening(self) -> None:
        """Wait for the wake word again, whatever it was listening to."""

    def set_deaf(self, *, deaf: bool) -> None:
        """Take what comes for silence, but for the wake word."""


class NoEar:
    """Of a service without a microphone."""

    def listen_for_answer(self, seconds: float) -> None:
        """See :meth:`Ear.listen_for_answer`."""

    def stop_listening(self) -> None:
        """See :meth:`Ear.stop_listening`."""

    def set_deaf(self, *, deaf: bool) -> None:
        """See :meth:`Ear.set_deaf`."""


class Mouth(Protocol):
    """What is needed of :class:`rtap.answers.speaker.Speaker`."""

    @property
    def has_voice(self) -> bool:
        """Whether it speaks sentences."""

    def start(self) -> None:
        """Begin."""

    def say(self, answer: Answer) -> None:
        """Play an answer."""

    def hold(self) -> None:
        """Somebody speaks."""

    def release(self) -> None:
        """Nobody speaks any more."""

    def interrupt(self) -> bool:
        """End what is being played, and forget what waits; whether there was anything."""

    def close(self) -> None:
        """End."""


MakeMouth = Callable[[Callable[[bool], None], Callable[[RTAPException], None]], Mouth | None]
"""Gets what is called when speaking begins and ends, and what is called with errors."""


class SpokenAnswers:
    """Follows what this instance publishes of its microphone, and streams of clients that ask for its voice.

    Started and closed once; for any thread.

    Args:
        make_mouth: makes what speaks; None: nothing is to be heard.
        ear: the microphone's pipeline.
        speaks_to_microphone: whether somebody at the microphone waits for an answer.
        publish: gets errors; only ever called in a thread of the mouth's.
        on_end: called when a sentence has been spoken, with when that began and ended, in seconds since the
            epoch.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        make_mouth: MakeMouth,
        ear: Ear,
        publish: Callable[[Event], None],
        on_end: Callable[[float, float], None],
        clock: Callable[[], float] = time.time,
        *,
        speaks_to_microphone: bool = True,
    ) -> None:
        self._ear = ear
        self._publish = publish
        self._on_end = on_end
        self._clock = clock
        self._speaks_to_microphone = speaks_to_microphone
        self._is_speaking = False
        self._spoken = 0
        """Sentences that were begun."""
        self._began_at = 0.0
        self._asks = False
        """Whether the next answer is a question, or one was put and is not listened to yet."""
        self._lock = threading.Lock()
        self._mouth = make_mouth(self._on_speaking, self._on_error)

    def start(self) -> None:
        """Begin to speak."""
        if self._mouth is not None:
            self._mouth.start()

    def close(self) -> None:
        """Fall silent."""
        if self._mouth is not None:
            self._mouth.close()

    def stop(self) -> bool:
        """Somebody has heard enough, and answers a question at once; whether there was anything to end."""
        was_busy = self._mouth is not None and self._mouth.interrupt()
        self._listen()
        return was_busy

    def unheard_by(self, cleaner: Cleaner) -> Cleaner:
        """Let a stream hear silence while it is answered, as its microphone may be in the same room.

        What is being spoken when the stream begins is about to be ended by its speaker, whose first word is
        not to be lost.
        """
        return _Deafened(cleaner, self._spoken, lambda: self._spoken if self._is_speaking else None)

    def take(self, event: Event) -> None:
        """Something was published."""
        if isinstance(event, IntentRecognized) and event.source == "microphone":
            self._asks = event.question is not None
        elif isinstance(event, AnswerGiven) and event.source == "microphone":
            self._say(event.answer, aloud=self._speaks_to_microphone)
        else:
            self._make_way(event)

    def cancel_listening(self) -> None:
        """Nobody is to be heard: the driver wants nothing, or speaks into another microphone."""
        self._asks = False
        self._ear.stop_listening()

    def take_from_stream(self, event: Event, *, is_drivers: bool = False) -> None:
        """Something came of a stream whose answers are spoken.

        Args:
            is_drivers: its questions may be answered through the microphone.
        """
        if isinstance(event, IntentRecognized):
            self._asks = is_drivers and event.question is not None
        elif isinstance(event, AnswerGiven):
            self._say(event.answer, aloud=True)
        else:
            self._make_way(event)

    def _make_way(self, event: Event) -> None:
        """Be silent while somebody speaks."""
        if self._mouth is None:
            return
        if isinstance(event, SpeechStarted):
            self._mouth.hold()
        elif isinstance(event, SpeechStopped):
            self._mouth.release()
        elif isinstance(event, WakeWordDetected):
            self._asks = False
            self._mouth.interrupt()

    def _say(self, answer: Answer, *, aloud: bool) -> None:
        mouth = self._mouth if aloud else None
        if mouth is not None:
            mouth.say(answer)
        if mouth is None or not mouth.has_voice:
            self._listen()

    def _on_speaking(self, begins: bool) -> None:  # noqa: FBT001 (what the speaker calls)
        self._ear.set_deaf(deaf=begins)
        if begins:
            self._spoken += 1
            self._began_at = self._clock()
        self._is_speaking = begins
        if not begins:
            self._on_end(self._began_at, self._clock())
            self._listen()

    def _on_error(self, error: RTAPException) -> None:
        self._publish(ErrorOccurred("answers", type(error).__name__, str(error), self._clock()))
        self._listen()

    def _listen(self) -> None:
        """Wait for the answer, if a question was put."""
        with self._lock:
            asks, self._asks = self._asks, False
        if asks:
            self._ear.listen_for_answer(DIALOGUE_SECONDS)


class _Deafened:
    """Silences what the assistant says itself; see :class:`rtap.pipeline.session.Cleaner`."""

    def __init__(
        self, cleaner: Cleaner, last_before: int, spoken_now: Callable[[], int | None]
    ) -> None:
        self._cleaner = cleaner
        self._last_before: Final = last_before
        """Number of the last sentence that was begun before the stream."""
        self._spoken_now = spoken_now
        """Number of the sentence that is being spoken."""

    def clean(self, samples: Samples) -> Samples:
        cleaned = self._cleaner.clean(samples)
        is_heard = self._spoken_now() in (None, self._last_before)
        return cleaned if is_heard else np.zeros_like(cleaned)

    def flush(self) -> Samples:
        return self._cleaner.flush()


def loudspeaker(config: AnswersConfig, report: Callable[[Event], None]) -> MakeMouth:
    """The configured loudspeaker. A voice that is not installed is reported, and tones are all there is.

    Args:
        report: gets what is wrong with the configuration.
    """

    def make(
        on_speaking: Callable[[bool], None], on_error: Callable[[RTAPException], None]
    ) -> Speaker | None:
        try:
            return make_speaker(config, on_speaking=on_speaking, on_error=on_error)
        except ConfigurationError as error:
            _log.error("answers are not spoken", error=str(error))
            report(ErrorOccurred("answers", type(error).__name__, str(error), time.time()))
            return None

    return make
