"""The door of every HTTP port: who may come in, and how much they may bring, before any of a body is read.

A page that a browser shows may not use the service, unless this machine serves it or
``output.allowed_origins`` names it. Names in ``Host`` are checked because a page can have its own name
resolved to this machine (DNS rebinding). Whoever sends the API key may use any name, and come from any page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from rtap.transports.admission.access import (
    check_key,
    check_page,
    is_allowed_origin,
    origins_of,
    sends_key,
)
from rtap.transports.admission.limits import check_length
from rtap.transports.admission.websocket_refusals import deny, refuse
from rtap.transports.api_errors import ApiError, error_reply

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rtap.config import OutputConfig

MOST_BODY_BYTES: Final = 65_536
"""Of a body that is no upload."""
BODY_SECONDS: Final = 30.0
"""How long such a body may take."""
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "OPTIONS")
_EXPOSED: Final = ("X-Request-ID", "Retry-After", "X-Audio-Warning")


class Gate:
    """ASGI middleware.

    Args:
        is_open: whether a path wants no API key.
        is_upload: whether a path bounds its body itself.
        body_seconds: how long a body that is no upload may take.
    """

    def __init__(
        self,
        app: ASGIApp,
        output: OutputConfig,
        *,
        is_open: Callable[[str], bool],
        is_upload: Callable[[str], bool] = lambda _: False,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._app = app
        self._output = output
        self._is_open = is_open
        self._is_upload = is_upload
        self._body_seconds = body_seconds
        # Around the checks of the key and the body, so that a configured page may read why they failed.
        self._inner: ASGIApp = self._serve
        if output.allowed_origins:
            self._inner = CORSMiddleware(
                self._serve,
                allow_origins=origins_of(output),
                allow_methods=_METHODS,
                allow_headers=("*",),
                expose_headers=_EXPOSED,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket, or refuse it."""
        if scope["type"] == "http":
            try:
                self._check_page(HTTPConnection(scope))
            except ApiError as error:
                await _refuse(error, scope, receive, send)
            else:
                await self._inner(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._serve_websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _check_page(self, connection: HTTPConnection) -> None:
        output, headers = self._output, connection.headers
        if output.api_key:
            in_query = connection.scope["type"] == "websocket"
            if sends_key(connection, output.api_key, in_query=in_query):
                return
            # Where a key is wanted, that it is missing says more than where the request comes from.
            if not (self._is_open(connection.scope["path"]) or _is_preflight(connection)):
                return
        origins = headers.getlist("origin")
        check_page(headers.getlist("host"), origins, output)
        if _is_preflight(connection) and not all(is_allowed_origin(one, output) for one in origins):
            raise ApiError(
                403,
                "foreign_origin",
                f"pages of {origins[0][:100]} may not use this service: add it to output.allowed_origins",
            )

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection, path = HTTPConnection(scope), scope["path"]
        try:
            if not self._is_open(path):
                check_key(connection, self._output.api_key)
            _check_encoding(connection.headers.getlist("content-encoding"))
            if not self._is_upload(path):
                receive = await self._read(connection, receive)
        except ApiError as error:
            await _refuse(error, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _read(self, connection: HTTPConnection, receive: Receive) -> Receive:
        """Read a body that is no upload, so that the application gets all of it or nothing."""
        headers = connection.headers
        check_length(headers.get("content-length"), MOST_BODY_BYTES, _too_large())
        if not {"content-length", "transfer-encoding"}.intersection(headers.keys()):
            return receive
        try:
            async with asyncio.timeout(self._body_seconds):
                message = await _whole_body(receive)
        except TimeoutError:
            raise ApiError(
                408, "upload_stalled", "the body takes too long: send it again"
            ) from None
        return _replay(message, receive)

    async def _serve_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        try:
            self._check_page(websocket)
        except ApiError as error:
            await _refuse_page(websocket, error)
            return
        try:
            if not self._is_open(scope["path"]):
                check_key(websocket, self._output.api_key, in_query=True)
        except ApiError as error:
            await deny(websocket, error)
            return
        await self._app(scope, receive, send)


def _is_preflight(connection: HTTPConnection) -> bool:
    headers = connection.headers
    return (
        connection.scope.get("method") == "OPTIONS"
        and "origin" in headers
        and "access-control-request-method" in headers
    )


def _check_encoding(encodings: list[str]) -> None:
    encoding = ", ".join(encodings).strip().lower()
    if encoding not in {"", "identity"}:
        raise ApiError(
            415,
            "wrong_content_encoding",
            f"the body is compressed ({encoding[:64]}): send it plain, without Content-Encoding; FLAC, "
            f"OGG and MP3 are smaller than WAV",
        )


def _too_large() -> ApiError:
    return ApiError(
        413,
        "too_large",
        f"the body is larger than {MOST_BODY_BYTES // 1024} kB, and no file is meant here: send less, or "
        f"send the file to /transcribe",
    )


async def _whole_body(receive: Receive) -> Message:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message
        body += message.get("body", b"")
        if len(body) > MOST_BODY_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return {"type": "http.request", "body": bytes(body), "more_body": False}


def _replay(message: Message, receive: Receive) -> Receive:
    waiting = [message]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


async def _refuse(error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    reply = error_reply(error, scope.get("state", {}).get("request_id"))
    await reply(scope, receive, send)


async def _refuse_page(websocket: WebSocket, error: ApiError) -> None:
    """After the handshake, as browsers show a page no other reply; programs get one as for any request."""
    if "origin" not in websocket.headers:
        await deny(websocket, error)
        return
    await websocket.accept()
    await refuse(websocket, error)
