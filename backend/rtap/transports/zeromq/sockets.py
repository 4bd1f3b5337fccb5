"""What the ZeroMQ sockets of the service have in common: where they bind, and whom they let in."""

from __future__ import annotations

import hmac
import socket
from typing import Final

import zmq

from rtap.config import OutputConfig
from rtap.errors import TransportError

_ZAP: Final = "inproc://zeromq.zap.01"
"""Where ZeroMQ asks whom to let in (RFC 27)."""


MAX_MESSAGE_BYTES: Final = 64 * 1_024
"""Of any frame that comes, before the sender has shown a key too. A subscription, a heartbeat or a claim has
some hundred bytes. ZeroMQ itself makes room for whatever length a client names."""
_HANDSHAKE_MS: Final = 5_000
"""For the other side to say who it is."""


def protect(one: zmq.SyncSocket) -> None:
    """Bound what a connection to this socket may send; before it is bound or connected."""
    one.maxmsgsize = MAX_MESSAGE_BYTES
    one.handshake_ivl = _HANDSHAKE_MS


def bind(one: zmq.SyncSocket, config: OutputConfig, port: int, setting: str) -> int:
    """Listen on the configured host, with the API key as the password that clients need.

    Args:
        setting: what the port is called in the configuration.

    Returns:
        The port in use.

    Raises:
        TransportError: it is in use or not ours, or the host has no such address.
    """
    one.ipv6 = True
    protect(one)
    if config.api_key:
        one.plain_server = True
        one.zap_domain = b"rtap"
    try:
        one.bind(f"tcp://{_address_of(config.host)}:{port or '*'}")
    except zmq.ZMQError as error:
        raise TransportError(
            f"ZeroMQ cannot listen on {config.host} port {port} ({error.strerror}): "
            f"stop the program that does, or change output.host or {setting}"
        ) from error
    return int(one.get_string(zmq.LAST_ENDPOINT).rpartition(":")[2])


def _address_of(host: str) -> str:
    """The host as ZeroMQ wants it: it binds to numbers only."""
    try:
        found = socket.getaddrinfo(
            host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
    except OSError as error:
        raise TransportError(
            f"output.host is {host}, which is no address of this machine ({error.strerror}): "
            f"use 127.0.0.1 for this machine only, or 0.0.0.0 for all its addresses"
        ) from error
    family, _, _, _, address = found[0]
    return f"[{address[0]}]" if family == socket.AF_INET6 else str(address[0])


def open_gate(context: zmq.SyncContext) -> zmq.SyncSocket:
    """The socket on which ZeroMQ asks, to be opened before any that has ``plain_server`` set."""
    gate = context.socket(zmq.REP)
    gate.bind(_ZAP)
    return gate


def admit(gate: zmq.SyncSocket, api_key: str) -> None:
    """Answer ZeroMQ's question whether a subscriber may come in."""
    version, request, _domain, _address, _identity, mechanism, *credentials = gate.recv_multipart()
    password = credentials[-1] if mechanism == b"PLAIN" and credentials else b""
    if hmac.compare_digest(password, api_key.encode()):
        verdict = [b"200", b"OK"]
    else:
        verdict = [b"400", b"the password is not the API key"]
    gate.send_multipart([version, request, *verdict, b"", b""])
