"""Who may use the service: those who send the configured key, programs, and pages that are known."""

from __future__ import annotations

import hmac
import socket
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rtap.addresses import is_loopback
from rtap.transports.api_errors import ApiError

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from rtap.config import OutputConfig

_LONGEST_SHOWN: Final = 100
"""Characters of a client's words that a message repeats."""


def check_key(connection: HTTPConnection, api_key: str, *, in_query: bool = False) -> None:
    """Let those pass who know the key.

    Args:
        api_key: empty lets everybody pass.
        in_query: whether ``?api_key=`` will do: a browser can set no header on a WebSocket.

    Raises:
        ApiError: 401.
    """
    if not api_key or sends_key(connection, api_key, in_query=in_query):
        return
    where = "Authorization: Bearer KEY or X-API-Key: KEY" + (", or ?api_key=KEY" * in_query)
    raise ApiError(401, "unauthorized", f"this service wants an API key: send {where}")


def sends_key(connection: HTTPConnection, api_key: str, *, in_query: bool = False) -> bool:
    """Whether a client sends the key, which must not be empty."""
    keys = connection.headers.getlist("x-api-key")
    if in_query:
        keys += connection.query_params.getlist("api_key")
    return knows_key(api_key, connection.headers.getlist("authorization"), keys)


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
    """The client's address, for limits; the same for all whose address is not known.

    Behind one of ``output.trusted_proxies`` it is what the proxy says in ``X-Forwarded-For``.
    """
    return connection.client.host if connection.client else "unknown"


def check_page(hosts: Sequence[str], origins: Sequence[str], output: OutputConfig) -> None:
    """Let programs pass, this machine's own pages and those that are configured: browsers ask no one.

    Args:
        hosts: values of ``Host``.
        origins: values of ``Origin``, which programs do not send.

    Raises:
        ApiError: 403.
    """
    stranger = next((host for host in hosts if not is_known_host(host, output)), None)
    if stranger is not None:
        raise ApiError(
            403,
            "foreign_host",
            f"the name {stranger[:_LONGEST_SHOWN]} in Host is not known to be this machine's: use localhost "
            f"or an IP number, add the name to output.allowed_hosts, or set output.api_key and send it",
        )
    if not all(is_own_page(origin, hosts, output) for origin in origins):
        raise ApiError(
            403,
            "foreign_origin",
            "this page is not known to be served by this machine: open it by localhost or by its IP number, "
            "add its origin to output.allowed_origins, or set output.api_key and send it",
        )


def is_known_host(host: str, output: OutputConfig) -> bool:
    """Whether a ``Host`` can be this machine's, and not a name that a foreign page has had resolved to it.

    Nobody can have a number or ``localhost`` for a page. Where others reach the service, they also use its
    own name and those of one label, as Compose gives them to containers: the internet's DNS has none such.
    """
    if not host.strip():
        return True  # no browser sends that
    name = _host_of(f"//{host}")
    if not name:
        return False
    if is_loopback(name) or _is_number(name) or name == output.host.lower():
        return True
    if any(_fits(name, allowed) for allowed in output.allowed_hosts):
        return True
    return not is_loopback(output.host) and ("." not in name or name in _own_names())


def is_own_page(origin: str, hosts: Iterable[str], output: OutputConfig) -> bool:
    """Whether a page was served by this machine or is configured, so that it may come without a key.

    The name in ``Host`` proves nothing by itself, for any page can have its own name resolved to this
    machine: only where :func:`is_known_host` knows it, a page of the same name is ours.
    """
    if not origin or is_allowed_origin(origin, output):
        return True  # programs send none
    name = _host_of(origin)
    if not name:
        return False
    if is_loopback(name) or name == output.host.lower():
        return True
    return any(_host_of(f"//{host}") == name and is_known_host(host, output) for host in hosts)


def is_allowed_origin(origin: str, output: OutputConfig) -> bool:
    """Whether ``output.allowed_origins`` names a page's origin."""
    return not {"*", origin.lower()}.isdisjoint(origins_of(output))


def origins_of(output: OutputConfig) -> list[str]:
    """``output.allowed_origins`` as browsers write them."""
    return [one.lower().rstrip("/") for one in output.allowed_origins]


def _fits(name: str, allowed: str) -> bool:
    allowed = allowed.lower().rstrip(".")
    return allowed in {"*", name} or (allowed.startswith("*.") and name.endswith(allowed[1:]))


def _own_names() -> set[str]:
    name = socket.gethostname().lower()
    return {name, f"{name.partition('.')[0]}.local"}


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
