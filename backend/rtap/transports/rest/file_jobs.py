"""An uploaded file on its way to the model: admitted, read, queued, and dropped when its sender goes away."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from rtap.addresses import is_loopback
from rtap.errors import PipelineError, QueueFullError
from rtap.transports.admission.access import client_of
from rtap.transports.admission.limits import RateLimiter, multipart_count
from rtap.transports.admission.places import Places
from rtap.transports.readiness import check_ready
from rtap.transports.rest.upload_audio import UploadedAudio
from rtap.transports.rest.uploads import read_multipart

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtap.transports.rest.uploads import Form, Upload
    from rtap.transports.service import Service
    from rtap.whisper.result import Segment, Transcription
    from rtap.whisper.transcribe import TranscribeOptions

Result = TypeVar("Result")

DECODERS: Final = 2
"""Files that are decoded at a time."""
_GONE: Final = 499
"""What web servers note when the client did not wait; nobody receives it."""
_BUSY_SECONDS: Final = 5.0


def gone() -> Response:
    """The answer to a client that went away."""
    return Response(status_code=_GONE)


class FileJobs:
    """All files that clients sent and wait for."""

    def __init__(self, service: Service, limiter: RateLimiter) -> None:
        self._service = service
        self._limiter = limiter
        self._limits = service.config.limits
        self._pool = ThreadPoolExecutor(DECODERS, thread_name_prefix="decode")
        self._places = Places(self._limits.max_queue + DECODERS)

    @property
    def spool_directory(self) -> Path | None:
        """Where uploads go that are too large for memory; None: the system's place for such files."""
        cache = self._service.config.cache_dir
        return None if cache is None else cache / "tmp"

    @contextmanager
    def admission(self, request: Request) -> Iterator[None]:
        """A place for one request, to be held from before its body is read until its file is done.

        Raises:
            ApiError: 429 when it comes too soon, or there are as many requests as may wait, 503 when there
                is no model.
        """
        self._limiter.check(client_of(request), time.monotonic())
        check_ready(self._service)
        # Those in the queue, and those that are being received and decoded.
        held = object()
        if not self._places.take(held, local=is_loopback(client_of(request))):
            raise QueueFullError(
                f"{self._places.taken} files are being received and transcribed already: send it again in "
                f"{_BUSY_SECONDS:.0f} s",
                retry_after=_BUSY_SECONDS,
            )
        try:
            yield
        finally:
            self._places.give_back(held)

    async def in_thread(self, function: Callable[[], Result]) -> Result:
        """Run what takes a while in one of the decoders' threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    async def read_form(self, request: Request, lists: Collection[str] = ()) -> Form:
        """As :func:`rtap.transports.rest.uploads.read_multipart`, within the configured limits."""
        return await read_multipart(
            request, multipart_count(self._limits), self.spool_directory, lists
        )

    async def transcribe(
        self,
        request: Request,
        upload: Upload,
        options: TranscribeOptions,
        *,
        normalize: bool,
        warnings: list[str],
        on_segment: Callable[[Segment], None] = lambda _: None,
    ) -> Transcription:
        """Transcribe and remove an upload.

        Args:
            request: whose body was read to its end.
            normalize: whether to bring it to a level first.
            warnings: gets what is wrong with the audio, before the first segment is known.
            on_segment: gets each segment as soon as it is known, in the worker's thread.

        Raises:
            RTAPException: see :func:`rtap.transports.api_errors.as_api_error`.
            ClientDisconnect: nobody waits for the answer any more, and the work was dropped.
        """
        cancelled = threading.Event()
        audio = UploadedAudio(upload, cancelled, self.spool_directory)
        audio.warnings = warnings
        work = asyncio.create_task(self._work(audio, options, cancelled, on_segment, normalize))
        gone = asyncio.create_task(_disconnected(request))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            raise ClientDisconnect
        finally:
            cancelled.set()
            for task in (work, gone):
                task.cancel()
                with suppress(Exception, asyncio.CancelledError):
                    await task

    async def _work(
        self,
        audio: UploadedAudio,
        options: TranscribeOptions,
        cancelled: threading.Event,
        on_segment: Callable[[Segment], None],
        normalize: bool,  # noqa: FBT001 (one caller)
    ) -> Transcription:
        try:
            await self.in_thread(lambda: audio.examine(self._limits, normalize=normalize))
            future = self._service.stt.transcribe_file(
                audio.blocks(), options, cancelled, on_segment
            )
        except BaseException:
            audio.close()
            raise
        future.add_done_callback(lambda _: audio.close())
        try:
            return await asyncio.wrap_future(future)
        except PipelineError:
            check_ready(self._service)  # if that is why, it says more
            raise

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


async def _disconnected(request: Request) -> None:
    """Wait until the client goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
