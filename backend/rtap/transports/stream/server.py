"""The WebSocket ``/stream``: audio in, transcripts out.

Every client has three tasks: one receives, one hands what was received to a few threads that all clients
share, half a second at a time and in turns, and one sends. Each waits when the next is too slow, so in the
end the socket is not read and the client has to wait.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from rtap.addresses import is_loopback
from rtap.errors import RTAPException
from rtap.process.memory import give_back
from rtap.stages.stt import MAX_WAIT
from rtap.transports.admission.access import client_of
from rtap.transports.admission.connections import HTTP_SETTINGS
from rtap.transports.admission.places import Places
from rtap.transports.admission.websocket_refusals import deny, refuse
from rtap.transports.api_errors import ApiError, as_api_error, bad_fields
from rtap.transports.readiness import check_ready
from rtap.transports.schemas import StreamConfig
from rtap.transports.stream.client import MAX_FRAME, StreamClient, options_of

if TYPE_CHECKING:
    from rtap.transports.admission.limits import RateLimiter
    from rtap.transports.service import Service
    from rtap.whisper.transcribe import TranscribeOptions

UVICORN_SETTINGS: Final[dict[str, Any]] = {
    **HTTP_SETTINGS,
    "ws_max_size": MAX_FRAME,
    # A client from which nothing comes for a minute, not even an answer to a ping, is gone.
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 40.0,
    # Sound does not get smaller by it, and it costs time and memory for every client.
    "ws_per_message_deflate": False,
}
"""What uvicorn must be told for ``/stream`` to work as it says."""
YIELD_SECONDS: Final = 10.0
"""Who has sent no audio for so long gives its place to another client, when none is free."""
MAX_LAG: Final = 1.0
"""Seconds that audio may wait for a thread; where it is more, streams are refused and ended."""
_LAG_SECONDS: Final = 5.0
"""How long a lag counts, and how long it takes until it may be worth trying again."""
_SHED_SECONDS: Final = 0.5
"""After which another stream is ended, if that of the last one did not help."""
TIDY_SECONDS: Final = 3.0
THREADS: Final = 2
"""For all clients together: an hour of audio takes a minute or so to be searched for speech."""
_SETTINGS: Final = frozenset(StreamConfig.model_fields) - {"type"}


class StreamServer:
    """Serves all clients of ``/stream``."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="stream")
        self._places = Places(service.config.limits.max_streams)
        self._clients: dict[StreamClient, bool] = {}
        """Those that are served, and whether they are on this machine."""
        self._lag = 0.0
        """Seconds that audio waited for a thread, the last time that any did."""
        self._lag_noted = self._shed_at = -math.inf
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    @property
    def open_streams(self) -> int:
        """Clients that hold a place."""
        return self._places.taken

    def add_to(self, app: FastAPI, limiter: RateLimiter) -> None:
        """Add the route."""

        @app.websocket("/stream")
        async def stream(websocket: WebSocket) -> None:
            try:
                limiter.check(client_of(websocket), time.monotonic())
            except ApiError as error:
                await deny(websocket, error)
                return
            await websocket.accept()
            with suppress(WebSocketDisconnect):
                await self._serve(websocket)

    async def finish(self, seconds: float) -> None:
        """End all streams, and wait until what was said in them is text, for so many seconds at most."""
        for client in self._clients:
            client.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_empty.wait()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, websocket: WebSocket) -> None:
        try:
            check_ready(self._service)
            config, options = self._settings(websocket)
            self._check_load()
            client = StreamClient(
                websocket, self._service, self._pool, config, options, self._on_turn
            )
            local = is_loopback(client_of(websocket))
            with self._place(client, local=local), self._service.telemetry.stream("stream"):
                await self._run(client, local=local)
        except RTAPException as error:
            await refuse(websocket, as_api_error(error))

    async def _run(self, client: StreamClient, *, local: bool) -> None:
        self._clients[client] = local
        self._is_empty.clear()
        try:
            await client.run()
        finally:
            del self._clients[client]
            if not self._clients:
                self._is_empty.set()
                self._tidy_later()

    # ---- load

    def _check_load(self) -> None:
        """Refuse a new stream while those that there are cannot be served in time."""
        wait = self._service.stt.expected_wait
        lag = self._lag if time.monotonic() - self._lag_noted < _LAG_SECONDS else 0.0
        if wait > MAX_WAIT or lag > MAX_LAG:
            raise _overloaded(max(wait, _LAG_SECONDS))

    def _on_turn(self, waited: float) -> None:
        """Note how late audio gets a thread; end the youngest stream where it is too late for all."""
        now = time.monotonic()
        self._lag, self._lag_noted = waited, now
        if waited <= MAX_LAG or now - self._shed_at < _SHED_SECONDS or len(self._clients) < 2:
            return
        self._shed_at = now
        # In the order in which they came; those on this machine last.
        youngest = [*self._clients]
        others = [one for one in youngest if not self._clients[one]]
        (others or youngest)[-1].dismiss(_overloaded(_LAG_SECONDS))

    def _tidy_later(self) -> None:
        """Give memory back to the system when nobody has come for a while."""

        def tidy() -> None:
            if not self._clients:
                with suppress(RuntimeError):  # the service has ended
                    self._pool.submit(give_back)

        asyncio.get_running_loop().call_later(TIDY_SECONDS, tidy)

    def _settings(self, websocket: WebSocket) -> tuple[StreamConfig, TranscribeOptions]:
        given = websocket.query_params
        unknown = sorted(set(given) - _SETTINGS - {"api_key"})
        if unknown:
            raise ApiError(
                422,
                "bad_field",
                f"{', '.join(one[:64] for one in unknown[:5])}: not known here; there are "
                f"{', '.join(sorted(_SETTINGS))}, and audio has one channel",
                param=unknown[0][:64],
            )
        try:
            config = StreamConfig.model_validate(
                {name: given[name] for name in _SETTINGS if given.get(name)}
            )
        except ValidationError as error:
            raise bad_fields(error) from None
        return config, options_of(self._service, config)

    @contextmanager
    def _place(self, client: StreamClient, *, local: bool) -> Iterator[None]:
        if not (self._places.take(client, local=local) or self._displace(client, local=local)):
            most = self._service.config.limits.max_streams
            raise ApiError(
                503,
                "too_many_streams",
                f"{most} streams are open already: try again when one has ended, or raise "
                f"limits.max_streams",
            )
        try:
            yield
        finally:
            self._places.give_back(client)

    def _displace(self, client: StreamClient, *, local: bool) -> bool:
        """Give a client the place of the one that has sent no audio for longest, if that is long enough."""
        others = [
            one
            for one, is_local in self._clients.items()
            if self._places.holds(one) and (local or not is_local)
        ]
        longest = max(others, key=lambda one: one.idle_seconds, default=None)
        if longest is None or longest.idle_seconds < YIELD_SECONDS:
            return False
        self._places.hand_over(longest, client)
        longest.dismiss(
            ApiError(
                408,
                "idle",
                f"no audio came for {longest.idle_seconds:.0f} s, and another client needs the place: "
                f"connect again to speak",
            )
        )
        return True


def _overloaded(seconds: float) -> ApiError:
    return ApiError(
        503,
        "overloaded",
        f"more is said than can be transcribed in time: try again in {math.ceil(seconds)} s, or with fewer "
        f"streams",
        retry_after=seconds,
    )
