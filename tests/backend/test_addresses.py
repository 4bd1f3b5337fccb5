"""rtap.addresses: what means this machine, and nobody else."""

from __future__ import annotations

import pytest

from rtap.addresses import is_loopback


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
