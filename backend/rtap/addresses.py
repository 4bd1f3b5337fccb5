"""Addresses and names of this machine, as listeners, clients and ``Host`` give them."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import Final

_ADDRESS: Final = re.compile(r"(?P<host>[^\s/@:\[\]]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?")
_HIGHEST_PORT: Final = 65_535


def is_loopback(host: str) -> bool:
    """Whether an address or a name means this machine and can be reached from nowhere else.

    True for 127.0.0.0/8, also as IPv4 in IPv6, for ::1, and for ``localhost`` and names below it, which
    never leave the machine (RFC 6761, section 6.3). No name is resolved.
    """
    try:
        address = ip_address(host)
    except ValueError:
        name = host.lower()
        return name == "localhost" or name.endswith(".localhost")
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def host_and_port(address: str, default_port: int) -> tuple[str, int]:
    """The parts of HOST, HOST:PORT or [IPV6]:PORT.

    Raises:
        ValueError: it is none of these; says how to write it.
    """
    match = _ADDRESS.fullmatch(address)
    port = int(match["port"] or default_port) if match else 0
    if match is None or not 0 < port <= _HIGHEST_PORT:
        raise ValueError("write HOST or HOST:PORT, such as 192.0.2.1:1883, or [2001:db8::1]:1883")
    return match["host"].strip("[]"), port
