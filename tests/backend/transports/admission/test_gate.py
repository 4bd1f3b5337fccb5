"""The door of ports 8000 and 8080: the same for every route, and before any of a body is read."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from rtap import server
from rtap.config import Config, OutputConfig
from rtap.telemetry import Telemetry
from rtap.transports.admission.gate import MOST_BODY_BYTES, Gate
from rtap.transports.api import create_api
from rtap.transports.health import create_health_app
from rtap.transports.service import Health
from tests.backend.transports.scripted_service import scripted_service
from tests.backend.transports.serving import serving
from tests.deadlines import SOON

KEY = "sixteen-letters-"
EVIL = {"Host": "evil.example:8000", "Origin": "http://evil.example:8000"}
SCREEN = "https://screen.example:3000"


class Door:
    """Both ports of one service, asked without a network."""

    def __init__(self, output: OutputConfig, service: Any) -> None:
        health = create_health_app(
            Telemetry(), lambda: Health(healthy=True, model_loaded=True), output
        )
        self.apps = {8000: create_api(service).app, 8080: health}

    def ask(self, method: str, path: str, port: int = 8000, **sent: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self.apps[port])
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                return await client.request(method, path, **sent)

        return asyncio.run(one())

    @property
    def routes(self) -> list[tuple[int, str, str]]:
        """Port, method and path of everything that is served over HTTP."""
        found = []
        for port, app in self.apps.items():
            for path, operations in app.openapi()["paths"].items():
                found += [(port, method.upper(), path) for method in operations]
        return [*found, (8000, "GET", "/try"), (8000, "GET", "/openapi.json"), (8000, "GET", "/no")]


@pytest.fixture
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    output = getattr(request, "param", OutputConfig())
    with scripted_service(Config(output=output)) as service:
        yield Door(output, service)


def code(reply: httpx.Response) -> str:
    return str(reply.json()["error"]["code"])


@pytest.mark.parametrize(
    ("headers", "fault", "setting"),
    [
        (EVIL, "foreign_host", "output.allowed_hosts"),
        ({"Host": "evil.example:8000"}, "foreign_host", "output.allowed_hosts"),
        ({"Origin": "http://evil.example:8000"}, "foreign_origin", "output.allowed_origins"),
    ],
)
def test_every_route_refuses_a_foreign_page(
    door: Door, headers: dict[str, str], fault: str, setting: str
) -> None:
    assert len(door.routes) > 12
    for port, method, path in door.routes:
        reply = door.ask(method, path, port, headers=headers)
        assert (reply.status_code, code(reply)) == (403, fault), path
        assert setting in reply.json()["error"]["message"]


@pytest.mark.parametrize(("host", "status"), [("localhost", 101), ("evil.example", 403)])
def test_a_stream_is_a_route_too(host: str, status: int) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    with serving(Config()) as served:
        client = http.client.HTTPConnection("127.0.0.1", served.port, timeout=SOON)
        client.request("GET", "/stream", headers=upgrade | {"Host": host})
        assert client.getresponse().status == status
        client.close()


@pytest.mark.parametrize("door", [OutputConfig(api_key=KEY)], indirect=True)
def test_a_path_in_host_is_no_path(door: Door) -> None:
    for host in ("evil.example/listening?", "evil.example/listening#"):
        assert code(door.ask("GET", "/health", headers={"Host": host})) == "foreign_host"


def test_programs_pass_by_localhost_and_by_number(door: Door) -> None:
    for host in ("localhost:8000", "127.0.0.1:8000", "[::1]:8000", "192.0.2.7"):
        for port in (8000, 8080):
            assert door.ask("GET", "/health", port, headers={"Host": host}).status_code == 200
    assert door.ask("GET", "/metrics", 8080).status_code == 200


@pytest.mark.parametrize("door", [OutputConfig(api_key=KEY)], indirect=True)
def test_the_key_opens_to_every_name_and_its_lack_is_told_first(door: Door) -> None:
    with_key = EVIL | {"X-API-Key": KEY}
    assert door.ask("GET", "/listening", headers=with_key).status_code == 200
    assert door.ask("GET", "/health", headers=with_key).status_code == 200
    assert door.ask("GET", "/listening", headers=EVIL).status_code == 401
    # Where no key is wanted, one that is missing must not open.
    assert code(door.ask("GET", "/health", headers=EVIL)) == "foreign_host"
    assert code(door.ask("GET", "/metrics", 8080, headers=EVIL)) == "foreign_host"


@pytest.mark.parametrize("door", [OutputConfig(api_key=KEY)], indirect=True)
def test_every_route_but_these_wants_the_key(door: Door) -> None:
    open_ones = {
        (port, path)
        for port, method, path in door.routes
        if door.ask(method, path, port).status_code != 401
    }
    assert open_ones == {
        *((8000, path) for path in ("/", "/health", "/try", "/openapi.json")),
        *((8080, path) for path in ("/health", "/metrics")),
    }


# ---- bodies


async def endless(read: list[int]) -> AsyncIterator[bytes]:
    while True:
        read.append(1)
        yield bytes(16_384)


def test_a_body_that_is_no_upload_is_bounded(door: Door) -> None:
    bounded = [(port, method, path) for port, method, path in door.routes if method == "PUT"]
    assert {path for _, _, path in bounded} == {"/model", "/listening"}
    for port, method, path in [*bounded, (8000, "GET", "/health"), (8080, "GET", "/metrics")]:
        read: list[int] = []
        reply = door.ask(method, path, port, content=endless(read))
        assert (reply.status_code, code(reply)) == (413, "too_large"), path
        assert len(read) <= MOST_BODY_BYTES // 16_384 + 1
        declared = {"Content-Length": str(MOST_BODY_BYTES + 1)}
        reply = door.ask(method, path, port, content=endless(read := []), headers=declared)
        assert (reply.status_code, len(read)) == (413, 0)


def test_a_body_of_that_size_is_read_whole(door: Door) -> None:
    padding = " " * (MOST_BODY_BYTES - len('{"enabled": true}'))
    reply = door.ask(
        "PUT",
        "/listening",
        content='{"enabled": true}' + padding,
        headers={"Content-Type": "application/json"},
    )
    assert code(reply) == "no_microphone"


@pytest.mark.parametrize("door", [OutputConfig(api_key=KEY)], indirect=True)
def test_nothing_is_read_of_a_body_without_the_key(door: Door) -> None:
    for port, method, path in door.routes:
        read: list[int] = []
        reply = door.ask(method, path, port, content=endless(read))
        assert reply.status_code in {401, 413}
        assert not read or (port, path) in {
            *((8000, path) for path in ("/", "/health", "/try", "/openapi.json")),
            *((8080, path) for path in ("/health", "/metrics")),
        }


def test_a_body_that_stalls_is_given_up() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-length", b"5")]
    scope = {"type": "http", "method": "PUT", "path": "/model", "headers": headers}
    gate = Gate(app, OutputConfig(), is_open=lambda _: True, body_seconds=0.01)
    asyncio.run(gate(scope, receive, send))
    assert sent[0]["status"] == 408


def test_the_server_believes_no_proxy_by_itself() -> None:
    with scripted_service(Config()) as service:
        assert not server._server(create_api(service).app, 8).config.proxy_headers


# ---- pages that are configured


PREFLIGHT = {
    "Origin": SCREEN,
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "authorization,content-type",
}


@pytest.mark.parametrize(
    "door", [OutputConfig(api_key=KEY, allowed_origins=(SCREEN,))], indirect=True
)
def test_a_configured_page_may_ask_and_read(door: Door) -> None:
    allowed = door.ask("OPTIONS", "/listening", headers=PREFLIGHT)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == SCREEN
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    for key, status in ((KEY, 200), ("wrong", 401)):
        reply = door.ask("GET", "/listening", headers={"Origin": SCREEN, "X-API-Key": key})
        assert reply.status_code == status
        assert reply.headers["access-control-allow-origin"] == SCREEN
        assert "X-Request-ID" in reply.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:3000"])
@pytest.mark.parametrize(
    "door", [OutputConfig(), OutputConfig(api_key=KEY, allowed_origins=(SCREEN,))], indirect=True
)
def test_another_page_is_told_the_setting(door: Door, origin: str) -> None:
    reply = door.ask("OPTIONS", "/listening", headers=PREFLIGHT | {"Origin": origin})
    assert (reply.status_code, code(reply)) == (403, "foreign_origin")
    assert "output.allowed_origins" in reply.json()["error"]["message"]
    assert "access-control-allow-origin" not in reply.headers
