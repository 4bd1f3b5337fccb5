"""Port 8080 over a real socket, asked as Docker and Prometheus ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from rtap.config import OutputConfig
from rtap.telemetry import Telemetry
from rtap.transports.health import create_health_app
from rtap.transports.service import Health
from tests.deadlines import SOON

HEALTHY = Health(healthy=True, model_loaded=True, checks={"model": "ok"})
LOADING = Health(healthy=False, model_loaded=False, reason="the model is being loaded: wait")


@contextmanager
def served(health: Callable[[], Health], telemetry: Telemetry) -> Iterator[httpx.Client]:
    app = create_health_app(telemetry, health, OutputConfig())
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    with config.bind_socket() as listener:
        listener.listen()  # who connects before the server runs waits for it
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        port = listener.getsockname()[1]
        try:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=SOON
            ) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def answers() -> list[Health | Exception]:
    """The last one is given."""
    return [HEALTHY]


@pytest.fixture(scope="module")
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture(scope="module")
def client(answers: list[Health | Exception], telemetry: Telemetry) -> Iterator[httpx.Client]:
    def health() -> Health:
        answer = answers[-1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    with served(health, telemetry) as client:
        yield client


def test_healthy(client: httpx.Client, answers: list[Health | Exception]) -> None:
    answers.append(HEALTHY)
    reply = client.get("/health")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    body = reply.json()
    assert body.pop("timestamp") > 1.7e9
    assert body == {"status": "healthy", "model_loaded": True, "checks": {"model": "ok"}}


def test_unhealthy_says_why(client: httpx.Client, answers: list[Health | Exception]) -> None:
    answers.append(LOADING)
    reply = client.get("/health")
    assert reply.status_code == 503
    body = reply.json()
    assert (body["status"], body["model_loaded"]) == ("unhealthy", False)
    assert body["reason"] == LOADING.reason


def test_a_broken_check_is_unhealthy(
    client: httpx.Client, answers: list[Health | Exception]
) -> None:
    answers.append(RuntimeError("secret details"))
    reply = client.get("/health")
    assert reply.status_code == 503
    assert "RuntimeError" in reply.json()["reason"]
    assert "secret details" not in reply.text


def test_metrics(client: httpx.Client, telemetry: Telemetry) -> None:
    telemetry.error("stt", "ModelError")
    reply = client.get("/metrics")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'rtap_errors_total{error_type="ModelError",stage="stt"} 1.0' in reply.text.splitlines()


def test_needs_nothing_from_the_internet(client: httpx.Client) -> None:
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404


def test_head_and_slashes_too_many() -> None:
    with served(lambda: HEALTHY, Telemetry()) as client:
        for path in ("/health", "/metrics", "/metrics/", "//health"):
            reply = client.head(f"{client.base_url}".rstrip("/") + path)
            assert (reply.status_code, reply.content) == (200, b"")
