"""One client of the Wyoming protocol, from its first event to the release of all that it used."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, Protocol

from pydantic import BaseModel, Field, ValidationError
from wyoming.asr import Transcribe, Transcript
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.intent import Recognize
from wyoming.ping import Ping, Pong

from rtap import logs
from rtap.audio.format import SAMPLE_RATE
from rtap.errors import RTAPException
from rtap.transports.api_errors import ApiError, as_api_error, bad_fields
from rtap.transports.wyoming.audio import AudioHeader, IncomingAudio
from rtap.transports.wyoming.commands import carry_out, recognize
from rtap.transports.wyoming.info import describe
from rtap.transports.wyoming.lane import Lane
from rtap.transports.wyoming.package import AudioChunk, AudioStart, AudioStop, Describe, Detect
from rtap.transports.wyoming.speech import SpeechRound, options_for
from rtap.transports.wyoming.wake import WakeRound, chosen_words
from rtap.transports.wyoming.wire import BadEventError, encode, read_event

if TYPE_CHECKING:
    from rtap.audio.format import Samples
    from rtap.transports.service import Service

_log = logs.get("wyoming")

TRANSPORT: Final = "wyoming"
IDLE_SECONDS: Final = 120.0
"""Who sends nothing for so long is disconnected."""
AFTER_ERROR_SECONDS: Final = 5.0
"""For a client to ask for something else. Home Assistant passes errors over and waits for a transcript for
ever, so it has to be disconnected."""
SEND_SECONDS: Final = 10.0
"""For a client to read what is sent to it."""
LINGER_SECONDS: Final = 2.0
"""What a client has sent meanwhile is read for so long at the end: unread, it would undo the last message."""
TURN: Final = SAMPLE_RATE // 2
"""Samples that one client has a thread for, until it is another's turn."""


class Round(Protocol):
    """What becomes of the sound between one ``audio-start`` and its ``audio-stop``."""

    async def push(self, samples: Samples, timestamp: int | None) -> None:
        """The next of it; timestamp: in the client's milliseconds."""

    async def finish(self) -> None:
        """It is over."""

    def close(self) -> None:
        """Let go of everything; may be called again."""


class _TranscribeRequest(BaseModel):
    name: Annotated[str | None, Field(max_length=256)] = None
    language: Annotated[str | None, Field(max_length=64)] = None


class _DetectRequest(BaseModel):
    names: Annotated[list[Annotated[str, Field(max_length=256)]] | None, Field(max_length=64)] = (
        None
    )


class WyomingClient:
    """One connected client: reads its events, and answers each request for speech or wake words.

    Args:
        pool: threads for what takes a while.
        place: makes what is held for as long as the client sends sound.
    """

    def __init__(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        service: Service,
        pool: ThreadPoolExecutor,
        place: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._service = service
        self._place = place
        self._lane = Lane(pool)
        self._loop = asyncio.get_running_loop()
        self._new_round: Callable[[AudioHeader], Round] | None = None
        """Makes what was asked for last."""
        self._round: Round | None = None
        self._audio: IncomingAudio | None = None
        self._holds = ExitStack()
        self._is_skipping = False
        """Whether the sound that comes belongs to a request that was refused."""
        self._deadline: float | None = None
        """When patience ends with a client that was told of an error."""
        self._is_answering = False
        """Whether it has said all and waits for the answer."""
        self._is_leaving = False

    async def run(self) -> None:
        """Serve the client until it or the service has had enough."""
        try:
            if await self._converse():
                await self._drop_round()  # nothing of it may come after the last message
                await self._linger()
        except OSError:
            pass  # it is gone, or does not read
        finally:
            await self._drop_round()
            await _close(self._writer)

    async def refuse(self, error: ApiError) -> None:
        """Say why it is not served."""
        try:
            self._tell(error)
            await self._linger()
        except OSError:
            pass
        finally:
            await _close(self._writer)

    def leave(self) -> bool:
        """Close the connection as soon as nothing is under way; returns whether there is something."""
        self._is_leaving = True
        return self._is_answering

    # ---- the conversation

    async def _converse(self) -> bool:
        """Returns whether it is for us to close the connection."""
        try:
            while (event := await self._next()) is not None:
                # What has come already is read without a pause: others have their turns in between.
                await asyncio.sleep(0)
                await self._answer(event)
                await self._drain()
                if self._is_leaving:
                    return True
        except ApiError as error:
            self._tell(error)
            return True
        return self._deadline is not None

    async def _next(self) -> Event | None:
        """The next event; None when the client is gone, or patience with it at its end."""
        seconds = IDLE_SECONDS
        if self._deadline is not None:
            seconds = self._deadline - self._loop.time()
            if seconds <= 0:
                return None
        try:
            async with asyncio.timeout(seconds):
                return await read_event(self._reader)
        except TimeoutError:
            if self._deadline is not None:
                return None
            raise ApiError(
                408, "idle", f"nothing came for {seconds:.0f} s: connect again, or send ping"
            ) from None

    async def _answer(self, event: Event) -> None:
        try:
            await self._handle(event)
        except BadEventError:
            raise
        except ValidationError as error:
            await self._refuse(bad_fields(error))
        except RTAPException as error:
            await self._refuse(as_api_error(error))
        except Exception as error:  # noqa: BLE001 (one client's bad luck is nobody else's)
            _log.error("a Wyoming client was not served", event_type=event.type, exc_info=error)
            raise ApiError(
                500, "internal_error", "the service failed: connect again; its log says more"
            ) from None

    async def _handle(self, event: Event) -> None:
        kind = event.type
        if AudioChunk.is_type(kind):
            await self._on_chunk(event)
        elif AudioStart.is_type(kind):
            await self._on_start(event)
        elif AudioStop.is_type(kind):
            await self._on_stop()
        elif Transcribe.is_type(kind):
            await self._forget()
            self._ask_for_text(event)
        elif Detect.is_type(kind):
            await self._forget()
            await self._ask_for_wake_words(event)
        elif Transcript.is_type(kind) or Recognize.is_type(kind):
            await self._forget()
            await self._answer_text(carry_out if Transcript.is_type(kind) else recognize, event)
        elif Describe.is_type(kind):
            self._deadline = None
            self._send(await self._lane.run(partial(describe, self._service)))
        elif Ping.is_type(kind):
            self._deadline = None
            text = event.data.get("text")
            self._send(Pong(text=text if isinstance(text, str) else None))
        # The protocol wants all others to be passed over.

    async def _forget(self) -> None:
        """What came before does not matter any more: there is another request."""
        await self._drop_round()
        self._new_round = None
        self._is_skipping = False
        self._deadline = None

    def _ask_for_text(self, event: Event | None = None) -> None:
        request = _TranscribeRequest.model_validate({} if event is None else event.data)
        options = options_for(self._service, request.name, request.language)
        self._new_round = lambda _: SpeechRound(self._service, options, self._lane, self._send)

    async def _answer_text(
        self, answer: Callable[[Service, Event], Eventable], event: Event
    ) -> None:
        self._is_answering = True
        try:
            self._send(await self._lane.run(partial(answer, self._service, event)))
        finally:
            self._is_answering = False

    async def _ask_for_wake_words(self, event: Event) -> None:
        names = _DetectRequest.model_validate(event.data).names or []
        config = self._service.config.wakeword
        words = await self._lane.run(partial(chosen_words, config, names))
        self._new_round = lambda start: WakeRound(
            config, words, start.timestamp or 0, self._lane, self._send
        )

    # ---- sound

    async def _on_start(self, event: Event) -> None:
        if self._is_skipping:
            return
        await self._drop_round()
        self._deadline = None
        start = AudioHeader.model_validate(event.data)
        if self._new_round is None:
            self._ask_for_text()
        assert self._new_round is not None
        self._holds.enter_context(self._place())
        self._audio = IncomingAudio(start)
        self._round = self._new_round(start)

    async def _on_chunk(self, event: Event) -> None:
        if self._is_skipping:
            return
        if self._round is None or self._audio is None:
            raise BadEventError("an audio-chunk came before any audio-start: send that first")
        chunk = AudioHeader.model_validate(event.data)
        samples = await self._lane.run(partial(self._audio.push, chunk, event.payload or b""))
        await self._push(self._round, samples, chunk.timestamp)

    async def _push(self, current: Round, samples: Samples, timestamp: int | None) -> None:
        for begin in range(0, samples.size, TURN):
            await current.push(samples[begin : begin + TURN], timestamp)

    async def _on_stop(self) -> None:
        if self._is_skipping:
            self._is_skipping = False
            return
        if self._round is None or self._audio is None:
            raise BadEventError("an audio-stop came before any audio-start: send that first")
        self._is_answering = True
        try:
            rest = await self._lane.run(self._audio.flush)
            await self._push(self._round, rest, None)
            await self._round.finish()
        except RTAPException as error:
            await self._refuse(as_api_error(error))
            self._is_skipping = False  # all of its sound has come
        finally:
            self._is_answering = False
        await self._drop_round()

    async def _drop_round(self) -> None:
        current, self._round = self._round, None
        self._audio = None
        if current is not None:
            current.close()
            await self._lane.settle()
            # Again: what was running may have begun something meanwhile.
            current.close()
        self._holds.close()

    async def _refuse(self, error: ApiError) -> None:
        """Tell of an error, and be ready for another request, for a while."""
        await self._drop_round()
        self._tell(error)
        self._is_skipping = True
        if self._deadline is None:
            self._deadline = self._loop.time() + AFTER_ERROR_SECONDS

    # ---- what goes out

    def _tell(self, error: ApiError) -> None:
        self._service.telemetry.error(TRANSPORT, error.code)
        self._send(Error(text=str(error), code=error.code))

    def _send(self, message: Eventable) -> None:
        if not self._writer.is_closing():
            self._writer.write(encode(message))

    async def _drain(self) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._writer.drain()

    async def _linger(self) -> None:
        """Let the client read the last message."""
        await self._drain()
        with suppress(TimeoutError):
            self._writer.write_eof()
            async with asyncio.timeout(LINGER_SECONDS):
                while await self._reader.read(1 << 16):
                    pass


async def _close(writer: StreamWriter) -> None:
    writer.close()
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            await writer.wait_closed()
    except OSError:
        writer.transport.abort()
