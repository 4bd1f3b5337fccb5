"""Who may use the API: those who send the configured key."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
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
    keys = connection.headers.getlist("x-api-key")
    if in_query:
        keys += connection.query_params.getlist("api_key")
    if knows_key(api_key, connection.headers.getlist("authorization"), keys):
        return
    where = "Authorization: Bearer KEY or X-API-Key: KEY" + (", or ?api_key=KEY" * in_query)
    raise ApiError(401, "unauthorized", f"this service wants an API key: send {where}")


def knows_key(api_key: str, authorizations: Iterable[str], keys: Iterable[str]) -> bool:
    """Whether the key is among what a client sent.

    Args:
        api_key: not empty.
        authorizations: values of ``Authorization``, of which those count that begin with Bearer.
        keys: values of ``X-API-Key``, and of ``?api_key=`` where that will do.
    """
    split = [value.partition(" ") for value in authorizations]
    tokens = [token.strip() for scheme, _, token in split if scheme.lower() == "bearer"]
    # All of them, and each in constant time: how long it takes says nothing about the key. Headers were
    # decoded as Latin-1, whatever the client wrote; the key in the configuration may be any text.
    wanted = api_key.encode()
    valid = [
        hmac.compare_digest(key.encode(encoding, "replace"), wanted)
        for key in (*tokens, *keys)
        for encoding in ("latin-1", "utf-8")
    ]
    return any(valid)


def client_of(connection: HTTPConnection) -> str:
    """The client's address, for limits; the same for all whose address is not known."""
    return connection.client.host if connection.client else "unknown"
