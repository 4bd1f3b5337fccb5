"""Which of the many ways to send a key will do."""

from __future__ import annotations

import socket

import pytest
from starlette.requests import HTTPConnection

from rtap.config import OutputConfig
from rtap.transports.admission.access import (
    check_key,
    check_page,
    client_of,
    is_known_host,
    is_own_page,
    knows_key,
)
from rtap.transports.api_errors import ApiError

KEY = "sécret key"
AS_UTF8 = KEY.encode().decode("latin-1")
"""What a server reads in a header where the client wrote UTF-8."""


def connection(*headers: tuple[str, str], query: str = "") -> HTTPConnection:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return HTTPConnection({"type": "http", "headers": raw, "query_string": query.encode()})


@pytest.mark.parametrize(
    ("authorizations", "keys", "knows"),
    [
        ((), (), False),
        ((), ("",), False),
        ((), ("wrong",), False),
        ((), (KEY[:-1],), False),
        ((), (KEY + " ",), False),
        ((), (KEY,), True),
        ((), (AS_UTF8,), True),
        ((), ("wrong", KEY), True),
        (("",), (), False),
        (("Bearer",), (), False),
        (("Bearer ",), (), False),
        (("Bearer wrong",), (), False),
        ((KEY,), (), False),
        ((f"Basic {AS_UTF8}",), (), False),
        ((f"Bearer {AS_UTF8}",), (), True),
        ((f"bearer  {KEY} ",), (), True),
        (("Basic x", f"Bearer {KEY}"), (), True),
        ((f"Bearer {KEY}",), ("wrong",), True),
        (("Bearer wrong",), (KEY,), True),
    ],
)
def test_what_counts_as_the_key(
    authorizations: tuple[str, ...], keys: tuple[str, ...], *, knows: bool
) -> None:
    assert knows_key(KEY, authorizations, keys) is knows


@pytest.mark.parametrize("key", ["€", "键", "\ud800"])
def test_a_key_of_any_text_is_compared(key: str) -> None:
    assert not knows_key(KEY, (f"Bearer {key}",), (key,))


def test_every_way_is_let_pass() -> None:
    check_key(connection(("X-API-Key", AS_UTF8)), KEY)
    check_key(connection(("Authorization", f"Bearer {AS_UTF8}")), KEY)
    check_key(connection(query="api_key=s%C3%A9cret+key"), KEY, in_query=True)
    check_key(connection(), "")


@pytest.mark.parametrize(
    ("refused", "in_query"),
    [
        (connection(), True),
        (connection(("X-API-Key", "wrong"), query="api_key=wrong"), True),
        (connection(query="api_key=s%C3%A9cret+key"), False),
    ],
)
def test_all_others_are_told_how(refused: HTTPConnection, *, in_query: bool) -> None:
    with pytest.raises(ApiError, match="send Authorization: Bearer KEY or X-API-Key: KEY") as error:
        check_key(refused, KEY, in_query=in_query)
    assert (error.value.status, "?api_key=KEY" in str(error.value)) == (401, in_query)
    assert KEY not in str(error.value)


def test_a_client_is_known_by_its_address() -> None:
    assert client_of(connection()) == "unknown"
    known = HTTPConnection({"type": "http", "headers": [], "client": ("192.0.2.7", 5)})
    assert client_of(known) == "192.0.2.7"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("", "car.local:8000"),
        ("http://localhost:8000", "localhost"),
        ("http://127.0.0.1", "localhost"),
        ("http://[::1]:3000", "localhost"),
        ("http://app.localhost", "localhost"),
        ("http://192.168.1.7:8000", "192.168.1.7:5802"),
        ("https://Car.example", "anything"),  # where the service listens, in the configuration
    ],
)
def test_own_pages(origin: str, host: str) -> None:
    assert is_own_page(origin, [host], OutputConfig(host="car.example"))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "localhost"),
        ("http://evil.example", "evil.example:8000"),  # its name resolves to this machine
        ("http://localhost.evil.example", "localhost"),
        ("http://192.168.1.7", "localhost"),
        ("null", "localhost"),
        ("http://[broken", "localhost"),
    ],
)
def test_pages_of_somebody_else(origin: str, host: str) -> None:
    assert not is_own_page(origin, [host], OutputConfig(host="car.example"))


def test_of_several_origins_all_must_be_own() -> None:
    hosts = ["localhost:8000"]
    with pytest.raises(ApiError, match=r"set output\.api_key"):
        check_page(hosts, ["http://localhost", "http://evil.example"], OutputConfig())
    check_page(hosts, ["http://localhost"], OutputConfig())
    check_page(hosts, [], OutputConfig())


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "LOCALHOST.:8000",
        "app.localhost",
        "127.0.0.1:8000",
        "[::1]:8000",
        "192.0.2.7",
        "car.example:8000",
        "car.lan",
        "one.fleet.example",
        "a.b.fleet.example",
    ],
)
def test_hosts_that_are_this_machine(host: str) -> None:
    allowed = ("Car.lan", "*.fleet.example")
    assert is_known_host(host, OutputConfig(host="Car.example", allowed_hosts=allowed))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[::1",
        "fleet.example",
        "evilfleet.example",
        "whisper-backend",
        "//",
        "a b",
    ],
)
def test_hosts_that_may_be_anybody(host: str) -> None:
    assert not is_known_host(host, OutputConfig(allowed_hosts=("*.fleet.example",)))
    with pytest.raises(ApiError, match=r"output\.allowed_hosts") as error:
        check_page([host], [], OutputConfig())
    assert error.value.status == 403


def test_the_names_that_others_use_where_they_reach_the_service() -> None:
    inside = OutputConfig(host="0.0.0.0", allow_insecure=True)
    own = socket.gethostname()
    names = ("whisper-backend:8000", own, f"{own.partition('.')[0]}.local:8080")
    assert all(is_known_host(name, inside) for name in names)
    assert is_own_page("http://whisper-backend:8000", ["whisper-backend:8000"], inside)
    assert not is_own_page("http://other:8000", ["whisper-backend:8000"], inside)
    assert not is_known_host("evil.example:8000", inside)


def test_pages_that_are_configured() -> None:
    output = OutputConfig(allowed_origins=("https://Screen.example:3000/", "null"))
    assert is_own_page("https://screen.example:3000", ["localhost"], output)
    assert is_own_page("null", ["localhost"], output)
    assert not is_own_page("https://screen.example", ["localhost"], output)
    assert is_own_page("https://any.example", [], OutputConfig(allowed_origins=("*",)))
