"""Who may use the API: those who send the configured key."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from rtap.transports.api_errors import ApiError

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection


def check_key(connection: HTTPConnection, api_key: str, *, in_query: bool = False) -> None:
    """Let those pass who know the key.

    Args:
        api_key: empty lets everybody pass.
        in_query: whether ``?api_key=`` will do: a browser can set no header on a WebSocket.

    Raises:
        ApiError: 401.
    """
    if not api_key:
        return
    headers = connection.headers
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = [token.strip() if scheme.lower() == "bearer" else "", headers.get("x-api-key", "")]
    if in_query:
        given.append(connection.query_params.get("api_key", ""))
    # All of them, and each in constant time: how long it takes says nothing about the key. Headers come
    # as Latin-1, which is how Starlette decodes them; the key in the configuration may be any text.
    wanted = api_key.encode()
    valid = [
        hmac.compare_digest(key.encode(encoding, "replace"), wanted)
        for key in given
        for encoding in ("latin-1", "utf-8")
    ]
    if any(valid):
        return
    where = "Authorization: Bearer KEY or X-API-Key: KEY" + (", or ?api_key=KEY" * in_query)
    raise ApiError(401, "unauthorized", f"this service wants an API key: send {where}")


def client_of(connection: HTTPConnection) -> str:
    """The client's address, for limits; the same for all whose address is not known."""
    return connection.client.host if connection.client else "unknown"
