"""GET /vehicle: what the car shows, and why it may show nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from rtap.config import Config, OutputConfig, VehicleConfig
from tests.backend.assistant.french_car import LOUDER, VOLUME, french_car
from tests.backend.transports.serving import Server, serving
from tests.deadlines import SOON
from tests.operations.programs import free_port

KEY = {"X-API-Key": "sesame"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(french_car(tmp_path, OutputConfig(api_key="sesame"))) as one:
        yield one


def asked(server: Server, **headers: str) -> httpx.Response:
    return httpx.get(f"http://{server.address}/vehicle", headers=KEY | headers, timeout=SOON)


def volume(server: Server) -> object:
    signals = asked(server).json()["signals"]
    (found,) = [one for one in signals if one["path"] == VOLUME]
    return found


def test_it_shows_what_a_command_did(server: Server) -> None:
    assert asked(server).json()["adapter"] == "simulated"
    assert volume(server) == {"path": VOLUME, "value": 30, "unit": "percent"}
    said = {"text": "plus fort", "language": "fr", "execute": True}
    httpx.post(f"http://{server.address}/intent", json=said, headers=KEY, timeout=SOON)
    assert volume(server) == {"path": VOLUME, "value": LOUDER, "unit": "percent"}


def test_it_wants_the_key(server: Server) -> None:
    assert asked(server, **{"X-API-Key": "wrong"}).status_code == 401


def test_it_is_not_for_other_pages(tmp_path: Path) -> None:
    with serving(french_car(tmp_path)) as server:
        for name in ("Host", "Origin"):
            assert asked(server, **{name: "http://elsewhere.example"}).status_code == 403


@pytest.mark.parametrize(
    ("adapter", "status", "code", "words"),
    [
        ("none", 409, "no_vehicle", "choose another vehicle.adapter than none"),
        ("mqtt", 503, "vehicle_unreachable", "cannot be reached"),
    ],
)
def test_no_car_is_told(tmp_path: Path, adapter: str, status: int, code: str, words: str) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    config: Config = replace(
        french_car(tmp_path),
        vehicle=VehicleConfig(adapter=adapter, mqtt_broker=nobody),  # type: ignore[arg-type]
    )
    with serving(config) as server:
        reply = asked(server)
    assert reply.status_code == status
    error = reply.json()["error"]
    assert error["code"] == code
    assert words in error["message"]
    assert ("Retry-After" in reply.headers) is (status == 503)
