"""Addresses and names of this machine, as listeners, clients and ``Host`` give them."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address


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
