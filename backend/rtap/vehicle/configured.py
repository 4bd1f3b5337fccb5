"""The car, its table and its actor, as a configuration asks for them."""

from __future__ import annotations

from pathlib import Path

from rtap.addresses import host_and_port
from rtap.config import Config, VehicleConfig
from rtap.errors import ConfigurationError
from rtap.home import NO_HOME, expanded, home
from rtap.intents.configured import folders
from rtap.vehicle.actor import Actor
from rtap.vehicle.adapters.none import NoVehicle
from rtap.vehicle.adapters.simulated import SimulatedVehicle
from rtap.vehicle.adapters.trust import trust
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
        ConfigurationError: a file or a package that the adapter needs cannot be used.
    """
    if config.vehicle.adapter == "none":
        return NoVehicle()
    if config.vehicle.adapter == "mqtt":
        return _mqtt_vehicle(config.vehicle, table)
    if config.vehicle.adapter == "kuksa":
        return _kuksa_vehicle(config.vehicle, table)
    return SimulatedVehicle(table.signals, state_file(config))


def _mqtt_vehicle(config: VehicleConfig, table: Table) -> Vehicle:
    from rtap.vehicle.adapters.mqtt.connection import Broker
    from rtap.vehicle.adapters.mqtt.vehicle import MqttVehicle

    tls = trust("vehicle.mqtt_ca_file", config.mqtt_ca_file) if config.mqtt_tls else None
    usual_port = 1_883 if tls is None else 8_883
    host, port = host_and_port(config.mqtt_broker, usual_port)
    broker = Broker(host, port, config.mqtt_user, config.mqtt_password, tls)
    return MqttVehicle(table.signals, broker, config.mqtt_topic)


def _kuksa_vehicle(config: VehicleConfig, table: Table) -> Vehicle:
    try:
        from rtap.vehicle.adapters.kuksa.databroker import Access
        from rtap.vehicle.adapters.kuksa.vehicle import KuksaVehicle
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"vehicle.adapter is kuksa, and the package {error.name} is missing: install the extra, "
            "pip install 'rtap[kuksa]'"
        ) from error

    certificates = None
    if config.kuksa_tls and config.kuksa_ca_file is not None:
        trust("vehicle.kuksa_ca_file", config.kuksa_ca_file)
        certificates = config.kuksa_ca_file.read_bytes()
    host, port = host_and_port(config.kuksa_broker, 55_555)
    access = Access(host, port, config.kuksa_token, certificates, config.kuksa_tls)
    return KuksaVehicle(table.signals, access)


def make_actor(
    config: Config, vehicle: Vehicle, table: Table, history: History | None = None
) -> Actor:
    """What acts on the car."""
    return Actor(vehicle, table, speed_limit=config.vehicle.speed_limit_kmh, history=history)
