"""rtap.config.listeners: every port of the configuration is in it, and none that is switched off."""

from __future__ import annotations

import dataclasses

from rtap.config import Config, OutputConfig, StandbyConfig
from rtap.config.listeners import Endpoint, listeners
from rtap.config.parameters import PARAMETERS


def test_every_port_is_listed() -> None:
    config = Config(standby=StandbyConfig(role="primary"))
    ports = {name for name in PARAMETERS if "port" in name.split(".")[-1].split("_")}
    assert {endpoint.name for endpoint in listeners(config)} == ports


def test_what_is_switched_off_is_left_out() -> None:
    output = OutputConfig(zmq_enabled=False, websocket_enabled=False, wyoming_enabled=False)
    config = Config(output=output, standby=StandbyConfig(role="standby"))
    names = [endpoint.name for endpoint in listeners(config)]
    assert names == ["output.http_port", "output.health_port"]


def test_wyoming_has_an_address_of_its_own() -> None:
    output = dataclasses.replace(OutputConfig(), host="::1", wyoming_host="127.0.0.2")
    found = {endpoint.name: endpoint for endpoint in listeners(Config(output=output))}
    wyoming = Endpoint("output.wyoming_port", "output.wyoming_host", "127.0.0.2", 10_300)
    assert found.pop("output.wyoming_port") == wyoming
    assert {(endpoint.host_name, endpoint.host) for endpoint in found.values()} == {
        ("output.host", "::1")
    }
