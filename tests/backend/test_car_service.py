"""The whole service, and a car that comes and goes: what a client that has it act is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.backend.vehicle.adapters.mqtt.car import Car
from tests.backend.vehicle.adapters.mqtt.mosquitto import Mosquitto
from tests.deadlines import SOON
from tests.operations.programs import require, wait_for
from tests.running_service import Running, service

pytestmark = pytest.mark.slow


def act(running: Running) -> dict[str, Any]:
    """What came of a command."""
    wanted = {"text": "open the sunroof", "language": "en", "execute": True}
    reply = httpx.post(running.url("/intent"), json=wanted, timeout=SOON)
    assert reply.status_code == 200
    action: dict[str, Any] = reply.json()["action"]
    return action


def test_a_broker_that_is_away_comes_and_goes(tmp_path: Path) -> None:
    require("mosquitto")
    broker = Mosquitto(tmp_path, "allow_anonymous true")
    away = {"outcome": "refused", "cause": "not_connected"}
    with service(tmp_path, vehicle={"adapter": "mqtt", "mqtt_broker": broker.address}) as running:
        running.wait_until_healthy()
        assert away.items() <= told(act(running)).items()
        broker.start()
        car = Car(broker)
        car.hold("Vehicle.Speed", 0)
        wait_for("the car", lambda: act(running)["outcome"] == "done")
        broker.kill()
        assert away.items() <= told(act(running)).items()
        car.close()


def told(action: dict[str, Any]) -> dict[str, Any]:
    return {"outcome": action["outcome"], **(action.get("reason") or {})}
