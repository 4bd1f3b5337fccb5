"""Hears one source of audio to its end: what ``rtap listen`` does, with the service's own stages."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from rtap.audio.format import SAMPLE_RATE
from rtap.audio.level import QUIETEST, dbfs
from rtap.audio.native_stderr import decoder_notes_hidden
from rtap.events import AudioChunk, ErrorOccurred, Event, SpeechStopped, Transcript
from rtap.pipeline.assembly import make_equipment, make_pipeline
from rtap.pipeline.session import Recognizer, SpeechSession
from rtap.stages.language import Annotator

if TYPE_CHECKING:
    from rtap.assistant.assistant import Assistant, Wish
    from rtap.config import Config
    from rtap.stages.capture import AudioSource
    from rtap.telemetry import Telemetry
    from rtap.whisper.transcribe import TranscribeOptions

_CLOSING_SILENCE_MS: Final = 1_000
"""What follows the end of the source, beyond the silence that ends an utterance."""

_ACTION_SECONDS: Final = 60.0
"""For the last command to be understood and done. Of a short file it is the sentences' loading that is waited
for: half a minute on a busy board."""


class Application(Protocol):
    """What is needed of :class:`rtap.app.RTAPApplication`; nothing of it listens on a port."""

    @property
    def stt(self) -> Recognizer:
        """The speech recognition."""

    @property
    def assistant(self) -> Assistant:
        """What understands and does commands."""

    @property
    def telemetry(self) -> Telemetry:
        """The metrics, which nobody asks for here."""

    def options(self) -> TranscribeOptions:
        """What the configuration says of recognition."""


class Listener:
    """Audio in, events out. Unlike the service, it stops when the microphone is lost, and raises the reason.

    Args:
        source: read once, in the thread that calls :meth:`run`.
        publish: gets events from that thread and the recogniser's; must not block.
        intents: what is wanted of commands.
        in_step: no more is heard while an utterance is being transcribed, and there are no partial
            results. For files that come as fast as they can be read.

    Raises:
        ConfigurationError: the wake word cannot be had as configured.
    """

    def __init__(
        self,
        config: Config,
        application: Application,
        source: AudioSource,
        publish: Callable[[Event], None],
        *,
        in_step: bool,
        intents: Wish = "none",
    ) -> None:
        self._config = config
        self._application = application
        self._source = source
        self._forward = publish
        self._in_step = in_step
        self._intents: Wish = intents
        self._annotator = Annotator(config.language, config.stt.languages)
        self._pipeline = make_pipeline(
            config,
            make_source=lambda: source,
            make_session=self._session,
            publish=self._publish,
            telemetry=application.telemetry,
        )
        self._loudest = QUIETEST
        self._changed = threading.Condition()
        self._waiting = 0
        """Utterances that are still to become text."""
        self._given_up = False

    def run(self) -> None:
        """Listen until the source ends or :meth:`stop`, and until all that was said is text and done.

        Raises:
            RTAPException: what the source raised, after what was said before it is text.
        """
        self._annotator.load()
        try:
            self._listen()
        finally:
            self._source.close()
            self._close_with_silence()
            self._wait_for_text()
            self._application.assistant.wait_until_idle(None, _ACTION_SECONDS)

    def stop(self) -> None:
        """Hear no more, from any thread; :meth:`run` still waits for the text of what was said."""
        self._source.close()

    def give_up(self) -> None:
        """Make :meth:`run` return within 0.2 s, from any thread."""
        with self._changed:
            self._given_up = True
            self._changed.notify_all()
        self._source.close()

    def take_level(self) -> float:
        """The loudest chunk since this was asked last, in dBFS; from any thread."""
        level, self._loudest = self._loudest, QUIETEST
        return level

    def _listen(self) -> None:
        chunks = self._source.chunks()
        # ALSA's library writes notes on standard error while a device is opened.
        hidden = self._config.audio.source == "microphone"
        with decoder_notes_hidden() if hidden else contextlib.nullcontext():
            first = next(chunks, None)
        if first is None:
            return
        self._hear(first)
        for chunk in chunks:
            self._hear(chunk)
            if self._in_step:
                self._wait_for_text()

    def _hear(self, chunk: AudioChunk) -> None:
        self._loudest = max(self._loudest, dbfs(chunk.samples))
        self._pipeline.process(chunk)

    def _close_with_silence(self) -> None:
        """What is being said ends as it would if the speaker had paused."""
        audio = self._config.audio
        silence = np.zeros(audio.frame_ms * SAMPLE_RATE // 1000, dtype=np.float32)
        length_ms = self._config.vad.min_silence_ms + _CLOSING_SILENCE_MS
        for _ in range(length_ms // audio.frame_ms):
            self._pipeline.process(AudioChunk(silence, time.time()))

    def _wait_for_text(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting == 0 or self._given_up)

    def _session(self, session_id: str, publish: Callable[[Event], None]) -> SpeechSession:
        equipment = make_equipment(
            self._config,
            self._application.stt,
            self._annotator,
            is_clean=True,
            partials=not self._in_step,
            # Nothing is waited for between a pause and the end of a file that comes at once.
            speculation=not self._in_step,
        )
        options = self._application.options()
        return SpeechSession(session_id, "microphone", equipment, options, publish)

    def _publish(self, event: Event) -> None:
        self._forward(event)
        if isinstance(event, Transcript):
            self._application.assistant.hear(event, self._forward, self._intents)
        settled = isinstance(event, Transcript)
        settled |= isinstance(event, ErrorOccurred) and event.stage == "stt"
        with self._changed:
            self._waiting += isinstance(event, SpeechStopped) - settled
            self._changed.notify_all()
