"""Wyoming's speech to text: one client's sound becomes one text, in parts as it grows."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from wyoming.asr import (
    Transcript as TranscriptEvent,
)
from wyoming.asr import (
    TranscriptChunk,
    TranscriptStart,
    TranscriptStop,
)
from wyoming.event import Eventable

from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.errors import ConfigurationError, PipelineError
from rtap.events import ErrorOccurred, Event, SpeechStopped, Transcript, Utterance
from rtap.languages import space_between
from rtap.transports.admission.limits import SHORTEST_AUDIO, check_not_too_long
from rtap.transports.api_errors import ApiError
from rtap.transports.readiness import check_ready

if TYPE_CHECKING:
    from rtap.pipeline.session import SpeechSession
    from rtap.transports.service import Service
    from rtap.transports.wyoming.lane import Lane
    from rtap.whisper.transcribe import TranscribeOptions

MAX_UNANSWERED: Final = 4
"""Utterances that may wait for the model; the client's sound waits while there are more."""
LONGEST_UNHEARD: Final = 30.0
"""Seconds in which the voice activity detector may have missed all speech; there is none in more."""
_QUIETEST: Final = 0.001
"""Peak below which there is nothing to be heard by anybody."""
_SURE: Final = 0.5
"""Confidence from which a text counts in what the detector took for silence: models like to invent some."""
_LEAD: Final = np.zeros(SAMPLE_RATE // 5, np.float32)
"""Comes before the sound. A client that was woken sends speech from its first sample on, and without a moment
to settle, gain control and detector lose the first word of quiet speech."""
_SETTLING_SECONDS: Final = 5.0


def options_for(service: Service, model: str | None, language: str | None) -> TranscribeOptions:
    """Options for one request; None, an empty language and ``auto`` are what is configured.

    Args:
        language: Whisper's code or an English name; a region is left out, ``en-GB`` is ``en``.

    Raises:
        ApiError: there is no model yet.
        ConfigurationError: another model is wanted, or a language that it does not know.
    """
    check_ready(service)
    facts = service.model()
    if model and facts is not None and model != facts.name:
        raise ConfigurationError(
            f"the model is {facts.name}, not {model[:64]}: leave the name out, or run "
            f"`rtap models use` with that one"
        )
    wanted = (language or "").strip()
    if wanted.lower() in {"", "auto"}:
        return service.options()
    try:
        options = service.options(wanted)
    except ConfigurationError:
        plain = wanted.replace("_", "-").partition("-")[0]
        if plain == wanted:
            raise
        options = service.options(plain)
    known = () if facts is None else facts.languages or ("en",)
    if known and options.language not in known:
        raise ConfigurationError(
            f"the model {facts.name if facts else ''} does not know {wanted[:64]!r}: transcribe in "
            f"{', '.join(known[:10])}, or load a model that knows it"
        )
    return options


class SpeechRound:
    """From ``audio-start`` to ``audio-stop``.

    What is said between two pauses is transcribed while the client goes on, and sent as a part of the text.
    A part is never taken back, and all of them together are the text.

    Args:
        send: gets what is to be sent, in the event loop.
    """

    def __init__(
        self,
        service: Service,
        options: TranscribeOptions,
        lane: Lane,
        send: Callable[[Eventable], None],
    ) -> None:
        self._service = service
        self._options = options
        self._lane = lane
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._session_id = uuid.uuid4().hex
        self._session: SpeechSession | None = None
        self._samples = 0
        self._unheard: list[Samples] = []
        """All sound so far, as long as no speech was found in it."""
        self._has_spoken = False
        self._has_started = False
        """Whether the client was told that there is text."""
        self._is_closed = False
        self._text = ""
        self._language = options.language
        self._error: ErrorOccurred | None = None
        self._unanswered = 0
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def push(self, samples: Samples, timestamp: int | None) -> None:
        """Listen; waits as long as too much of what was said is not text yet.

        Args:
            timestamp: of no use here.

        Raises:
            ApiError: the sound is longer than it may be.
            RTAPException: what was said before cannot be transcribed.
        """
        del timestamp
        self._samples += samples.size
        check_not_too_long(self._samples / SAMPLE_RATE, self._service.config.limits)
        await self._lane.run(partial(self._listen, samples))
        await self._has_room.wait()
        self._check()

    async def finish(self) -> None:
        """Send the text.

        Raises:
            RTAPException: there is none.
        """
        for future in await self._lane.run(self._end):
            with suppress(Exception, CancelledError):
                await asyncio.wrap_future(future)
        if self._session is not None:
            # A future is done before its session has published what it says.
            await self._lane.run(partial(self._session.wait_until_idle, _SETTLING_SECONDS))
        self._check()
        if not self._has_spoken:
            await self._transcribe_unheard()
        self._start()
        self._send(TranscriptEvent(text=self._text, language=self._language))
        self._send(TranscriptStop())

    def close(self) -> None:
        """Send nothing more, and take back what still waits for the model."""
        self._is_closed = True
        session, self._session = self._session, None
        if session is not None:
            session.close()

    # ---- in the pool

    def _listen(self, samples: Samples) -> None:
        if self._session is None:
            self._session = self._service.new_session(
                self._session_id, self._options, self._publish, partials=False
            )
            self._session.push(_LEAD, time.time())
        if not self._has_spoken and self._samples <= LONGEST_UNHEARD * SAMPLE_RATE:
            self._unheard.append(samples)
        self._session.push(samples, time.time())
        if self._has_spoken or self._samples > LONGEST_UNHEARD * SAMPLE_RATE:
            self._unheard.clear()

    def _end(self) -> list[Future[Transcript]]:
        return [] if self._session is None else self._session.finish()

    # ---- what comes of it

    def _publish(self, event: Event) -> None:
        """For the session, in any thread."""
        if isinstance(event, SpeechStopped):
            self._has_spoken = True
        if isinstance(event, SpeechStopped | Transcript | ErrorOccurred):
            with suppress(RuntimeError):  # the loop is closed: the service has ended
                self._loop.call_soon_threadsafe(self._take, event)

    def _take(self, event: SpeechStopped | Transcript | ErrorOccurred) -> None:
        self._unanswered += 1 if isinstance(event, SpeechStopped) else -1
        if self._unanswered < MAX_UNANSWERED:
            self._has_room.set()
        else:
            self._has_room.clear()
        if isinstance(event, ErrorOccurred):
            self._error = self._error or event
        elif isinstance(event, Transcript):
            self._add(event)

    def _add(self, transcript: Transcript) -> None:
        said = transcript.text.strip()
        if not said or self._error is not None or self._is_closed:
            return
        self._language = self._language or transcript.language
        part = (space_between(transcript.language) if self._text else "") + said
        self._start()
        self._text += part
        self._send(TranscriptChunk(text=part))

    def _start(self) -> None:
        if not self._has_started:
            self._has_started = True
            self._send(TranscriptStart(language=self._language))

    def _check(self) -> None:
        error = self._error
        if error is None:
            return
        check_ready(self._service)  # if that is why, it says more
        if error.error_type == "QueueFullError":
            raise ApiError(429, "queue_full", error.message)
        if error.error_type == "ConfigurationError":
            raise ConfigurationError(error.message)
        raise PipelineError(error.message)

    async def _transcribe_unheard(self) -> None:
        """Ask the model itself about what the detector found no speech in: the client did find some."""
        unheard = np.concatenate([np.empty(0, np.float32), *self._unheard])
        self._unheard.clear()
        if unheard.size < SHORTEST_AUDIO * SAMPLE_RATE or np.abs(unheard).max() < _QUIETEST:
            return
        utterance = Utterance(unheard, self._session_id, uuid.uuid4().hex, time.time(), 0.0)
        try:
            transcript = await asyncio.wrap_future(
                self._service.stt.transcribe(utterance, "stream", self._options)
            )
        except PipelineError:
            check_ready(self._service)
            raise
        if transcript.text.strip() and transcript.confidence >= _SURE:
            self._service.publish(transcript)
            self._add(transcript)
