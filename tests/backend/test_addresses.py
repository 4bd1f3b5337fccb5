"""rtap.addresses: what means this machine, and nobody else."""

from __future__ import annotations

import pytest

from rtap.addresses import host_and_port, is_loopback


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LocalHost", True),
        ("car.localhost", True),
        ("192.168.1.7", False),
        ("::ffff:192.168.1.7", False),
        ("fe80::1", False),
        ("0.0.0.0", False),
        ("localhost.example.org", False),
        ("notlocalhost", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_loopback(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("car", ("car", 1883)),
        ("car.lan:1", ("car.lan", 1)),
        ("192.0.2.1:65535", ("192.0.2.1", 65535)),
        ("[::1]", ("::1", 1883)),
        ("[2001:db8::1]:8883", ("2001:db8::1", 8883)),
    ],
)
def test_host_and_port(address: str, expected: tuple[str, int]) -> None:
    assert host_and_port(address, 1883) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        ":1883",
        "car:",
        "car:0",
        "car:65536",
        "car:x",
        "::1",
        "[car]",
        "mqtt://car",
        "a b",
        "car/x",
    ],
)
def test_no_host_and_port(address: str) -> None:
    with pytest.raises(ValueError, match="write HOST or HOST:PORT"):
        host_and_port(address, 1883)
