"""The guest's ports on this machine."""

from __future__ import annotations

import socket

import pytest

from rtap.errors import ConfigurationError
from tools.system.booting import ports

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def test_same_number_where_it_is_free() -> None:
    port = free_port()
    assert ports.choose([port], {}) == {port: port}


def test_another_where_it_is_taken() -> None:
    with socket.create_server((HOST, 0)) as listener:
        taken = listener.getsockname()[1]
        chosen = ports.choose([taken], {})[taken]
    assert chosen not in {0, taken}


def test_wanted_ports() -> None:
    one, other = free_port(), free_port()
    # The first guest port would take the place that the second was promised.
    assert ports.choose([other], {9: other, 7: one})[9] == other
    assert ports.choose([other], {9: other, 7: one})[7] == one


def test_wanted_port_that_is_taken() -> None:
    with socket.create_server((HOST, 0)) as listener:
        taken = listener.getsockname()[1]
        message = rf"port {taken} .* \(Address already in use\): give another --port 8000=PORT"
        with pytest.raises(ConfigurationError, match=message):
            ports.choose([8000], {8000: taken})


def test_all_are_different() -> None:
    chosen = ports.choose(range(1, 200), {})
    assert len(set(chosen.values())) == 199


def test_addresses() -> None:
    assert ports.addresses({22: 1022, 8000: 9000, 77: 78}) == [
        "SSH: ssh://127.0.0.1:1022",
        "REST: http://127.0.0.1:9000",
        "port 77: tcp://127.0.0.1:78",
    ]
