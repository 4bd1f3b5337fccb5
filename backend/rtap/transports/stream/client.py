"""One client of ``/stream``, from its first message to the release of all that it used."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import ValidationError
from pydantic_core import from_json

from rtap import logs
from rtap.audio.format import Samples
from rtap.audio.resampler import Resampler
from rtap.errors import AudioError, RTAPException
from rtap.events import (
    ActionCompleted,
    AnswerGiven,
    ErrorOccurred,
    Event,
    IntentRecognized,
    PartialTranscript,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from rtap.languages import language_code
from rtap.transports.admission.websocket_refusals import close_reason
from rtap.transports.api_errors import ApiError, as_api_error, bad_fields
from rtap.transports.schemas import (
    ActionCompletedMessage,
    AnswerGivenMessage,
    IntentRecognizedMessage,
    SpeechStartedMessage,
    StreamConfig,
    StreamEnd,
    StreamError,
    StreamReady,
    stream_message,
)
from rtap.transports.stream.audio import AudioBacklog, decode_frame
from rtap.transports.stream.outbox import Outbox

if TYPE_CHECKING:
    from rtap.pipeline.session import SpeechSession
    from rtap.transports.service import Service
    from rtap.whisper.transcribe import TranscribeOptions

_log = logs.get("stream")

Result = TypeVar("Result")

MAX_FRAME: Final = 1 << 20
"""Bytes of one message."""
MAX_BACKLOG: Final = 60.0
"""Seconds of audio that may wait; the socket is not read while there are more."""
MAX_BAD_FRAMES: Final = 5
MAX_BAD_MESSAGES: Final = 100
MAX_UNANSWERED: Final = 4
"""Utterances that may wait for the model; the client's audio waits while there are more."""
TURN: Final = 0.5
"""Seconds of audio that one client has a thread for, until it is another's turn."""
IDLE_SECONDS: Final = 600.0
"""Who sends no audio for so long is disconnected."""
_ACTIVE_SECONDS: Final = 0.1
"""Audio that makes a stream active."""
_MAX_TEXT: Final = 4_096
_CODES: Final = {"QueueFullError": "queue_full", "OverloadedError": "overloaded"}
_GOODBYE_SECONDS: Final = 10.0
"""For a client to read what is left for it."""
_SETTLING_SECONDS: Final = 5.0
_ACTING_SECONDS: Final = 30.0
"""For what comes of a command: after a start the sentences are still being read (ten seconds on a Raspberry
Pi 4), and a car may take two."""


class _Close(Exception):
    """The connection is to be closed by us."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def options_of(service: Service, config: StreamConfig) -> TranscribeOptions:
    """Options for one stream: what its model cannot do is refused before anybody has spoken.

    Raises:
        ConfigurationError: there is no such language, or the model does not know it.
    """
    options = service.options(config.language)
    facts = service.model()
    if facts is not None and options.language is not None:
        language_code(options.language, facts.languages)
    return options


class StreamClient:
    """Serves one client.

    Args:
        pool: threads for what takes a while.
        options: of the recogniser, for this language.
        on_turn: gets how many seconds the client's audio waited for a thread, in the event loop.
    """

    def __init__(
        self,
        websocket: WebSocket,
        service: Service,
        pool: ThreadPoolExecutor,
        config: StreamConfig,
        options: TranscribeOptions,
        on_turn: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._on_turn = on_turn
        self._websocket = websocket
        self._service = service
        self._pool = pool
        self._config = config
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._session_id = uuid.uuid4().hex
        self._backlog = AudioBacklog(config.sample_rate)
        self._outbox = Outbox(self._on_outbox)
        self._has_begun = False
        """Whether audio has come."""
        self._has_ended = False
        self._is_stopping = False
        """Whether it was the service that ended it."""
        self._is_leaving = False
        self._bad_frames = 0
        self._bad_messages = 0
        self._unanswered = 0
        self._active_at = self._loop.time()
        """When audio came last, in the loop's seconds."""
        self._fresh = 0.0
        """Seconds of audio since then."""
        self._dismissed: asyncio.Future[ApiError] = self._loop.create_future()
        self._may_receive = _event(value=True)
        self._has_work = _event(value=False)
        self._has_mail = _event(value=False)
        self._has_room = _event(value=True)
        # Touched by one thread at a time: there is one job at a time.
        self._job: Future[Any] | None = None
        self._session: SpeechSession | None = None
        self._resampler: Resampler | None = None

    async def run(self) -> None:
        """Serve the client until it or the service has had enough."""
        self._outbox.put(self._ready())
        sender = asyncio.create_task(self._send())
        receiver = asyncio.create_task(self._receive())
        listener = asyncio.create_task(self._listen())
        watcher = asyncio.create_task(self._watch())
        tasks = (sender, receiver, listener, watcher)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            verdict = self._verdict(*tasks)
            if verdict is not None:
                await self._say_goodbye(verdict, sender, receiver)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._release()

    def stop(self) -> None:
        """End the stream as if its client had: what was said becomes text. For the event loop."""
        self._is_stopping = self._has_ended = True
        self._has_work.set()

    @property
    def idle_seconds(self) -> float:
        """Since when nothing that could be speech has come; 0 while something is under way."""
        if self._has_ended or self._unanswered or self._backlog.seconds:
            return 0.0
        return self._loop.time() - self._active_at

    def dismiss(self, error: ApiError) -> None:
        """Say why, and close the stream. For the event loop."""
        if not self._dismissed.done():
            self._dismissed.set_result(error)

    async def _watch(self) -> None:
        """Raises _Close when the stream was idle for too long. Pings do not count: all answer them."""
        while (left := IDLE_SECONDS - self.idle_seconds) > 0:
            done, _ = await asyncio.wait((self._dismissed,), timeout=left)
            if done:
                break
        else:
            self.dismiss(
                ApiError(
                    408, "idle", f"no audio came for {IDLE_SECONDS:.0f} s: connect again to speak"
                )
            )
        error = self._dismissed.result()
        self._say_error(error)
        raise _Close(1013, str(error))

    # ---- the end

    def _verdict(
        self,
        sender: asyncio.Task[None],
        receiver: asyncio.Task[None],
        listener: asyncio.Task[None],
        watcher: asyncio.Task[None],
    ) -> _Close | None:
        """How to close, after the first of the tasks has ended; None when the client is gone."""
        for task in (sender, receiver, listener, watcher):
            if not task.done():
                continue
            error = task.exception()
            if isinstance(error, _Close):
                return error
            if isinstance(error, WebSocketDisconnect) or (error is None and task is not listener):
                return None
            if error is not None:
                assert isinstance(error, Exception)
                _log.error("stream failed", session_id=self._session_id, exc_info=error)
                self._say_error(error)
                return _Close(1011, "the service failed: connect again")
        if self._is_stopping:
            return _Close(1012, "the service is being stopped: connect again")
        return _Close(1000, "")

    async def _say_goodbye(
        self, verdict: _Close, sender: asyncio.Task[None], receiver: asyncio.Task[None]
    ) -> None:
        """Send what is left to be sent, and close."""
        self._is_leaving = True
        self._has_mail.set()
        waiting = {task for task in (sender, receiver) if not task.done()}
        if sender in waiting:
            await asyncio.wait(
                waiting, timeout=_GOODBYE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._websocket.close(verdict.code, close_reason(str(verdict)))

    async def _release(self) -> None:
        if self._session is not None:
            self._session.close()
        if self._job is not None and not self._job.done():
            with suppress(Exception, CancelledError):
                await asyncio.wrap_future(self._job)
        if self._session is not None:
            # Again: the last job may have queued an utterance meanwhile.
            self._session.close()
        # This object and the session know each other, and with the session goes a detector of 2 MB: the
        # garbage collector, which sees a few small objects, would let hundreds of them pile up.
        self._session = self._resampler = None
        if self._outbox.dropped:
            self._service.telemetry.events_dropped("stream", self._outbox.dropped)

    # ---- what comes in

    async def _receive(self) -> None:
        """Returns when the client is gone."""
        while True:
            await self._may_receive.wait()
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            if data is not None:
                self._on_audio(data)
            else:
                self._on_text(message.get("text") or "")

    def _on_audio(self, data: bytes) -> None:
        if len(data) > MAX_FRAME:
            raise _Close(1009, f"a frame is larger than {MAX_FRAME} bytes: send shorter ones")
        if self._is_stopping:
            return
        if self._has_ended:
            self._complain("too_late", "the stream has ended: connect again to send more audio")
            return
        try:
            samples = decode_frame(data, self._config.format)
        except AudioError as error:
            self._complain("bad_audio", str(error))
            self._bad_frames += 1
            if self._bad_frames >= MAX_BAD_FRAMES:
                raise _Close(1007, f"{MAX_BAD_FRAMES} frames were no audio: {error}") from None
            return
        if not samples.size:
            return
        self._has_begun = True
        self._fresh += samples.size / self._config.sample_rate
        if self._fresh >= _ACTIVE_SECONDS:  # a sample now and then holds no place
            self._fresh, self._active_at = 0.0, self._loop.time()
        self._backlog.add(samples, time.time())
        self._has_work.set()
        if self._backlog.seconds >= MAX_BACKLOG:
            self._may_receive.clear()

    def _on_text(self, text: str) -> None:
        kind = None
        if len(text) <= _MAX_TEXT:
            with suppress(ValueError):
                message = from_json(text)
                kind = message.get("type") if isinstance(message, dict) else None
        if kind == "end":
            self._has_ended = True
            self._has_work.set()
        elif kind == "config":
            self._configure(text)
        else:
            self._complain(
                "bad_message",
                'this message is not known: send audio in binary frames, {"type":"end"} or '
                '{"type":"config"}',
            )
            self._bad_messages += 1
            if self._bad_messages >= MAX_BAD_MESSAGES:
                raise _Close(
                    1008, f"{MAX_BAD_MESSAGES} messages were not known: send audio, or end"
                )

    def _configure(self, text: str) -> None:
        if self._has_begun or self._has_ended:
            self._complain("too_late", "there was audio already: send config before it")
            return
        try:
            change = StreamConfig.model_validate_json(text).model_dump(exclude_unset=True)
            config = self._config.model_copy(update=change)
            self._options = options_of(self._service, config)
        except ValidationError as error:
            self._say_error(bad_fields(error))
        except RTAPException as error:
            self._say_error(error)
        else:
            self._config = config
            self._backlog = AudioBacklog(config.sample_rate)
            self._outbox.put(self._ready())

    # ---- what is made of it

    async def _listen(self) -> None:
        """Returns when the client has said that it is done, and all of its audio is text."""
        while True:
            await self._has_work.wait()
            await self._has_room.wait()
            audio = self._backlog.take(TURN)
            if self._backlog.seconds < MAX_BACKLOG:
                self._may_receive.set()
            if audio is not None:
                asked = self._loop.time()
                begun = await self._in_pool(partial(self._push, *audio))
                self._on_turn(begun - asked)
            elif self._has_ended:
                break
            else:
                self._has_work.clear()
        for future in await self._in_pool(self._finish):
            with suppress(Exception, CancelledError):
                await asyncio.wrap_future(future)
        if self._session is not None:
            # A future is done before its session has published what it says.
            await self._in_pool(partial(self._session.wait_until_idle, _SETTLING_SECONDS))
            await self._in_pool(
                partial(self._service.assistant.wait_until_idle, self._session_id, _ACTING_SECONDS)
            )
        self._outbox.put(StreamEnd(timestamp=time.time(), session_id=self._session_id))

    async def _in_pool(self, function: Callable[[], Result]) -> Result:
        job = self._pool.submit(function)
        self._job = job
        return await asyncio.wrap_future(job)

    def _push(self, samples: Samples, captured_at: float) -> float:
        """Returns when it began, in the loop's seconds."""
        begun = self._loop.time()
        try:
            if self._session is None or self._resampler is None:
                self._resampler = Resampler(self._config.sample_rate)
                self._session = self._service.new_session(
                    self._session_id,
                    self._options,
                    self._publish,
                    intents=self._config.intents,
                    conversation=self._config.conversation,
                    speak=self._config.speak,
                )
            resampled = self._resampler.push(samples)
            if resampled.size:
                self._session.push(resampled, captured_at)
        except RTAPException as error:  # this half second is lost, the stream goes on
            self._say_error(error)
            self._in_loop(self._count_answer)
        return begun

    def _finish(self) -> list[Future[Transcript]]:
        if self._session is None or self._resampler is None:
            return []
        rest = self._resampler.flush()
        if rest.size:
            self._session.push(rest, time.time())
        return self._session.finish()

    # ---- what goes out

    def _publish(self, event: Event) -> None:
        """For the session, in any thread."""
        match event:
            case PartialTranscript() | Transcript():
                self._outbox.put(stream_message(event))
                if isinstance(event, Transcript):
                    self._in_loop(self._count_answer)
            case SpeechStarted():
                self._outbox.put(SpeechStartedMessage.model_validate(event))
            case IntentRecognized():
                self._outbox.put(IntentRecognizedMessage.model_validate(event))
            case ActionCompleted():
                self._outbox.put(ActionCompletedMessage.model_validate(event))
            case AnswerGiven():
                self._outbox.put(AnswerGivenMessage.model_validate(event))
            case SpeechStopped():
                self._in_loop(self._count_utterance)
            case ErrorOccurred():
                code = _CODES.get(event.error_type, "failed")
                wait = self._service.stt.expected_wait if code == "overloaded" else None
                self._complain(code, event.message, wait)
                self._in_loop(self._count_answer)
            case _:
                pass

    def _count_utterance(self) -> None:
        self._unanswered += 1
        self._look_around()

    def _count_answer(self) -> None:
        self._unanswered = max(0, self._unanswered - 1)
        self._look_around()

    def _ready(self) -> StreamReady:
        model = self._service.model()
        return StreamReady(
            timestamp=time.time(),
            session_id=self._session_id,
            model="" if model is None else model.name,
            sample_rate=self._config.sample_rate,
            format=self._config.format,
            language=self._options.language,
            intents=self._config.intents,
        )

    def _say_error(self, error: Exception) -> None:
        told = as_api_error(error)
        self._complain(told.code, str(told), told.retry_after)

    def _complain(self, code: str, message: str, retry_after: float | None = None) -> None:
        wait = None if retry_after is None else float(max(1, math.ceil(retry_after)))
        self._outbox.put(
            StreamError(timestamp=time.time(), code=code, message=message, retry_after=wait)
        )

    def _in_loop(self, function: Callable[[], None]) -> None:
        """For any thread."""
        with suppress(RuntimeError):  # the loop is closed: the service has ended
            self._loop.call_soon_threadsafe(function)

    def _on_outbox(self) -> None:
        self._in_loop(self._has_mail.set)
        self._in_loop(self._look_around)

    def _look_around(self) -> None:
        """Whether more audio may be looked at, or what came of the last shall be fetched and sent first."""
        if self._outbox.is_full or self._unanswered >= MAX_UNANSWERED:
            self._has_room.clear()
        else:
            self._has_room.set()

    async def _send(self) -> None:
        """Returns when all is sent and we are leaving."""
        while True:
            await self._has_mail.wait()
            self._has_mail.clear()
            while (message := self._outbox.take()) is not None:
                await self._websocket.send_text(message.model_dump_json())
                self._service.telemetry.events_sent("stream")
                self._look_around()
            if self._is_leaving:
                return


def _event(*, value: bool) -> asyncio.Event:
    event = asyncio.Event()
    if value:
        event.set()
    return event
