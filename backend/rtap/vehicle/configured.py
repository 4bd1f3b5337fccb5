"""The car, its table and its actor, as a configuration asks for them."""

from __future__ import annotations

from pathlib import Path

from rtap.addresses import host_and_port
from rtap.config import Config, VehicleConfig
from rtap.home import NO_HOME, expanded, home
from rtap.intents.configured import folders
from rtap.vehicle.actor import Actor
from rtap.vehicle.adapters.none import NoVehicle
from rtap.vehicle.adapters.simulated import SimulatedVehicle
from rtap.vehicle.history import History
from rtap.vehicle.loader import load_table
from rtap.vehicle.protocol import Vehicle
from rtap.vehicle.table import Table
from rtap.vehicle.vocabulary import vocabulary


def state_file(config: Config) -> Path | None:
    """What keeps the simulated car; None where nobody has a home."""
    if config.vehicle.state is not None:
        return expanded(config.vehicle.state)
    at_home = home()
    return None if at_home == NO_HOME else at_home / ".local" / "state" / "rtap" / "vehicle.json"


def make_table(config: Config) -> Table:
    """The table of this project, with the configured file over it.

    Raises:
        ConfigurationError: something is wrong with it.
    """
    more = () if config.vehicle.table is None else (expanded(config.vehicle.table),)
    return load_table(
        more, vocabulary=vocabulary(folders(config.intents)), steering=config.vehicle.steering
    )


def make_vehicle(config: Config, table: Table) -> Vehicle:
    """The car.

    Raises:
        ConfigurationError: a file that the adapter needs cannot be used.
    """
    if config.vehicle.adapter == "none":
        return NoVehicle()
    if config.vehicle.adapter == "mqtt":
        return _mqtt_vehicle(config.vehicle, table)
    return SimulatedVehicle(table.signals, state_file(config))


def _mqtt_vehicle(config: VehicleConfig, table: Table) -> Vehicle:
    from rtap.vehicle.adapters.mqtt.link import Broker, trust
    from rtap.vehicle.adapters.mqtt.vehicle import MqttVehicle

    tls = trust(config.mqtt_ca_file) if config.mqtt_tls else None
    usual_port = 1_883 if tls is None else 8_883
    host, port = host_and_port(config.mqtt_broker, usual_port)
    broker = Broker(host, port, config.mqtt_user, config.mqtt_password, tls)
    return MqttVehicle(table.signals, broker, config.mqtt_topic)


def make_actor(
    config: Config, vehicle: Vehicle, table: Table, history: History | None = None
) -> Actor:
    """What acts on the car."""
    return Actor(vehicle, table, speed_limit=config.vehicle.speed_limit_kmh, history=history)
