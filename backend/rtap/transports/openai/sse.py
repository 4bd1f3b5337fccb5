"""A transcription as server-sent events, as OpenAI's API streams it: every event adds to the text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Literal

from fastapi import Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from rtap.errors import RTAPException
from rtap.languages import space_between
from rtap.transports.api_errors import as_api_error, error_document
from rtap.transports.schemas import Text, WireModel

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from rtap.whisper.result import Segment, Transcription

_PULSE_SECONDS: Final = 15.0
"""After so long without an event comes a comment, so that nobody on the way takes the connection for dead."""
_STALLED_SECONDS: Final = 30.0
_PULSE: Final = b": working\n\n"
_END: Final = b"data: [DONE]\n\n"


class DeltaEvent(WireModel):
    """More of the text, to be put behind what came before."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    delta: Text


class TokenUsage(WireModel):
    """What was made, in OpenAI's units. Audio is not counted in tokens here."""

    type: Literal["tokens"] = "tokens"
    input_tokens: int = 0
    output_tokens: int
    total_tokens: int


class DoneEvent(WireModel):
    """All of the text: what the deltas add up to."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    text: Text
    usage: TokenUsage


class SegmentFeed:
    """Brings segments from the worker's thread to a coroutine. Made in the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Segment | None] = asyncio.Queue()

    def put(self, segment: Segment) -> None:
        """For any thread."""
        self._loop.call_soon_threadsafe(self._queue.put_nowait, segment)

    def end(self) -> None:
        """There are no more; for the event loop."""
        self._queue.put_nowait(None)

    async def get(self) -> Segment | None:
        """The next one; None: there are no more."""
        return await self._queue.get()


async def begin_stream(
    work: Coroutine[Any, Any, Transcription],
    feed: SegmentFeed,
    held: ExitStack,
    request_id: str,
    task: str,
) -> TranscriptStream:
    """The reply that streams, as soon as there is something to say.

    Args:
        work: transcribes, with its segments going to ``feed``.
        held: closed when it has ended.
        task: of Whisper, ``transcribe`` or ``translate``.

    Raises:
        Exception: what it failed with before it found anything.
    """
    running = asyncio.create_task(work)

    def ended(_: asyncio.Task[Transcription]) -> None:
        if not running.cancelled():
            running.exception()  # nobody may be left to ask, and it shall not be logged for that
        held.close()
        feed.end()

    running.add_done_callback(ended)
    try:
        first = await feed.get()
        if first is None:
            running.result()
    except BaseException:
        running.cancel()
        raise
    return TranscriptStream(running, feed, first, request_id, task)


class TranscriptStream(Response):
    """The events of one transcription, which ends when nobody listens any more."""

    media_type = "text/event-stream"

    def __init__(
        self,
        work: asyncio.Task[Transcription],
        feed: SegmentFeed,
        first: Segment | None,
        request_id: str,
        task: str,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["Content-Length"]
        self._work = work
        self._feed = feed
        self._first = first
        self._request_id = request_id
        self._task = task

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        """Send all of it. A failure is an event too; only what nobody foresaw is raised, for the log."""
        try:
            await self._reply(send)
        except ClientDisconnect:
            return
        finally:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def _reply(self, send: Send) -> None:
        async def send_on(message: Message) -> None:
            try:
                async with asyncio.timeout(_STALLED_SECONDS):
                    await send(message)
            except OSError as error:  # TimeoutError is one: the client reads no more
                raise ClientDisconnect from error

        async def send_body(body: bytes, *, more: bool = True) -> None:
            await send_on({"type": "http.response.body", "body": body, "more_body": more})

        start = {"status": self.status_code, "headers": self.raw_headers}
        await send_on({"type": "http.response.start", **start})
        try:
            async for event in self._events():
                await send_body(event)
        except ClientDisconnect:
            raise
        except Exception as error:
            told = error_document(as_api_error(error), self._request_id)
            await send_body(_event(told, name="error"), more=False)
            if not isinstance(error, RTAPException):
                raise
        else:
            await send_body(_END, more=False)

    async def _events(self) -> AsyncIterator[bytes]:
        text, tokens = "", 0
        async for segment in self._segments():
            if segment is None:
                yield _PULSE
                continue
            gap = space_between(segment.language, self._task) if text else ""
            delta = gap + segment.text.strip()
            text, tokens = text + delta, tokens + len(segment.tokens)
            yield _event(DeltaEvent(delta=delta))
        whole = self._work.result().text
        if whole.startswith(text) and whole != text:
            yield _event(DeltaEvent(delta=whole[len(text) :]))
            text = whole
        usage = TokenUsage(output_tokens=tokens, total_tokens=tokens)
        yield _event(DoneEvent(text=text, usage=usage))

    async def _segments(self) -> AsyncIterator[Segment | None]:
        """All segments as they come, and None whenever there was none for a while."""
        segment = self._first
        while segment is not None:
            yield segment
            while True:
                try:
                    async with asyncio.timeout(_PULSE_SECONDS):
                        segment = await self._feed.get()
                    break
                except TimeoutError:
                    yield None


def _event(message: BaseModel, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {message.model_dump_json()}\n\n".encode()
