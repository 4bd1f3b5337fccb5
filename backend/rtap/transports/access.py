"""Who may use the API: those who send the configured key."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rtap.transports.api_errors import ApiError

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from rtap.config import OutputConfig


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


def check_origin(connection: HTTPConnection, output: OutputConfig) -> None:
    """Without a key, let only programs and this machine's own pages pass: browsers ask no one.

    Raises:
        ApiError: 403.
    """
    headers = connection.headers
    if output.api_key or all(
        is_own_page(origin, headers.getlist("host"), output.host)
        for origin in headers.getlist("origin")
    ):
        return
    raise ApiError(
        403,
        "foreign_origin",
        "this page is not known to be served by this machine: open it by localhost or by its IP number, or "
        "set output.api_key and send it",
    )


def is_own_page(origin: str, hosts: Iterable[str], host: str) -> bool:
    """Whether a page was served by this machine, so that it may listen without a key.

    The name in ``Host`` proves nothing, for any page can have its own name resolved to this machine. A number
    there does, for nobody else's page can have it.
    """
    name = _host_of(origin)
    if not name:
        return not origin  # programs send none
    asked = [_host_of(f"//{one}") for one in hosts]
    return _is_loopback(name) or name == host.lower() or (_is_number(name) and name in asked)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    if _is_number(host):
        return ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")
