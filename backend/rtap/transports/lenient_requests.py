"""What clients write differently and mean the same: HEAD, and slashes too many."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SLASHES: Final = re.compile("//+")


class LenientRequests:
    """ASGI middleware, around all others, so that they check the path that is served.

    HEAD is answered as GET, without the body: monitors ask so. Base URLs that end with a slash make
    ``//v1/...``, and some clients end every path with one. Only ``/try/`` stays what it is, as a page there
    would look for its files in the wrong place.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        # A copy: the server frames its reply by the method that it was asked with.
        scope = {**scope, "path": _meant(scope["path"])}
        if scope.get("method") == "HEAD":
            scope["method"] = "GET"
            send = _without_body(send)
        await self._app(scope, receive, send)


def _meant(path: str) -> str:
    path = _SLASHES.sub("/", path)
    if len(path) > 1 and not path.startswith("/try/"):
        path = path.removesuffix("/")
    return path


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
