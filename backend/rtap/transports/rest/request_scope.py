"""What every request gets, around all else: an id, a place in the metrics, an answer whatever happens."""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders

from rtap import logs
from rtap.transports.api_errors import as_api_error, error_reply

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rtap.telemetry import Telemetry

_log = logs.get("api")

_SOUND_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestScope:
    """ASGI middleware. The id is the client's ``X-Request-ID``, or a new one; it is in ``state.request_id``.

    Args:
        telemetry: counts requests by the pattern of their route.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id = _id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        reply = _Reply(request_id, send)
        started = time.perf_counter()
        with logs.context(request_id=request_id):
            try:
                await self._app(scope, receive, reply.send)
            except Exception as error:  # noqa: BLE001 (nobody shall see a stack trace)
                _log.error("request failed", route=_route(scope), exc_info=error)
                if reply.status is None and scope["type"] == "http":
                    told = error_reply(as_api_error(error), request_id)
                    await told(scope, receive, reply.send)
        if reply.status is not None:
            seconds = time.perf_counter() - started
            self._telemetry.request(_route(scope), reply.status, seconds)


class _Reply:
    """Puts the id into the reply's headers, and remembers its status."""

    def __init__(self, request_id: str, send: Send) -> None:
        self._request_id = request_id
        self._send = send
        self.status: int | None = None
        """None until an HTTP reply begins."""

    async def send(self, message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            self.status = message["status"]
        if message["type"].endswith((".start", ".accept")):
            message.setdefault("headers", [])
            MutableHeaders(scope=message)["X-Request-ID"] = self._request_id
        await self._send(message)


def _id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _SOUND_ID.fullmatch(given) else uuid.uuid4().hex


def _route(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "unknown"
