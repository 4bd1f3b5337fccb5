"""Values that are right each by itself and wrong together."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rtap.addresses import host_and_port, is_loopback
from rtap.config import Config, OutputConfig, StandbyConfig, VehicleConfig
from rtap.config.listeners import listeners
from rtap.config.wake_engines import DEFAULT, ENGINES

SHORTEST_KEY: Final = 16
"""Characters of an API key that others than this machine can try to guess."""
_ORIGIN: Final = re.compile(r"null|[A-Za-z][A-Za-z0-9+.-]*://[^/\s?#@]+/?")
_TOPIC: Final = re.compile(r"[^\s/+#$\x00][^\s+#\x00]{0,198}[^\s/+#\x00]|[^\s/+#$\x00]")
"""What topics may begin with: no wildcards, no slash at an end, and not ``$``, which is the broker's own."""
_HOST: Final = re.compile(r"\*|(\*\.)?[^\s/:@*?#]+")


@dataclass(frozen=True, slots=True)
class Conflict:
    """One contradiction."""

    parameters: tuple[str, ...]
    """All that are involved, such as output.host."""
    message: str
    """What is wrong and what to do about it."""


def conflicts(config: Config) -> Iterator[Conflict]:
    """All contradictions within a configuration."""
    yield from _exposure(config.output)
    yield from _short_key(config.output)
    yield from _pages(config.output)
    yield from _proxies(config.output)
    yield from _shared_ports(config)
    yield from _heartbeat(config.standby)
    yield from _ring_buffer(config)
    if config.vehicle.adapter == "mqtt":
        yield from _mqtt(config.vehicle)
    if config.vehicle.adapter == "kuksa":
        yield from _address("vehicle.kuksa_broker", config.vehicle.kuksa_broker)
    yield from _clear_secrets(config)
    if config.audio.source == "file" and config.audio.file is None:
        yield Conflict(
            ("audio.source", "audio.file"), "audio.source is file: give the path as audio.file"
        )
    wakeword = config.wakeword
    engine = ENGINES[wakeword.engine]
    if wakeword.enabled and engine.needs_key and not wakeword.access_key:
        yield Conflict(
            ("wakeword.engine", "wakeword.access_key", "wakeword.enabled"),
            f"wakeword.engine is {engine.name}: give {engine.author}'s wakeword.access_key, or take "
            f"{DEFAULT.name}",
        )


def _exposure(output: OutputConfig) -> Iterator[Conflict]:
    if not (is_loopback(output.host) or output.api_key or output.allow_insecure):
        yield Conflict(
            ("output.host", "output.api_key", "output.allow_insecure"),
            f"output.host is {output.host}, which others can reach: set output.api_key, or "
            "output.allow_insecure to true, or use 127.0.0.1",
        )
    if output.wyoming_enabled and not (is_loopback(output.wyoming_host) or output.allow_insecure):
        yield Conflict(
            ("output.wyoming_host", "output.wyoming_enabled", "output.allow_insecure"),
            f"output.wyoming_host is {output.wyoming_host}, which others can reach, and Wyoming knows no "
            "API key: set output.allow_insecure to true, or use 127.0.0.1",
        )
    if output.wyoming_enabled and output.wyoming_zeroconf and is_loopback(output.wyoming_host):
        yield Conflict(
            ("output.wyoming_zeroconf", "output.wyoming_host"),
            f"output.wyoming_zeroconf announces Wyoming to the network, and output.wyoming_host is "
            f"{output.wyoming_host}, which only this machine reaches: set output.wyoming_host to 0.0.0.0 "
            f"and output.allow_insecure to true, or output.wyoming_zeroconf to false",
        )


def _short_key(output: OutputConfig) -> Iterator[Conflict]:
    if output.api_key and len(output.api_key) < SHORTEST_KEY and not is_loopback(output.host):
        yield Conflict(
            ("output.api_key", "output.host"),
            f"output.api_key has {len(output.api_key)} characters, and others reach {output.host} and can "
            f"guess: give it {SHORTEST_KEY} or more, as `openssl rand -hex 16` makes them, or use 127.0.0.1",
        )


def _pages(output: OutputConfig) -> Iterator[Conflict]:
    for origin in output.allowed_origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            yield Conflict(
                ("output.allowed_origins",),
                f"output.allowed_origins has {origin}, which is no origin: write scheme, name and port "
                f"alone, such as https://screen.example:3000",
            )
    if "*" in output.allowed_origins and not output.api_key:
        yield Conflict(
            ("output.allowed_origins", "output.api_key"),
            "output.allowed_origins is *, so that every page in a browser could listen: name the pages, or "
            "set output.api_key",
        )
    for host in output.allowed_hosts:
        if not _HOST.fullmatch(host):
            yield Conflict(
                ("output.allowed_hosts",),
                f"output.allowed_hosts has {host}, which is no name: write it without scheme and port, such "
                f"as car.lan or *.car.lan",
            )


def _proxies(output: OutputConfig) -> Iterator[Conflict]:
    for proxy in output.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            yield Conflict(
                ("output.trusted_proxies",),
                f"output.trusted_proxies has {proxy}, which is no IP number or network: write it such as "
                f"192.0.2.1 or 172.20.0.0/16",
            )


def _shared_ports(config: Config) -> Iterator[Conflict]:
    wanted = {endpoint.name: endpoint.port for endpoint in listeners(config)}
    # 0 is any free port, which is never the same.
    for port in sorted(set(wanted.values()) - {0}):
        names = tuple(name for name, number in wanted.items() if number == port)
        if len(names) > 1:
            yield Conflict(
                names, f"{' and '.join(names)} are all {port}: give each a port of its own"
            )


def _heartbeat(standby: StandbyConfig) -> Iterator[Conflict]:
    if standby.role != "none" and standby.timeout_ms < 3 * standby.heartbeat_ms:
        yield Conflict(
            ("standby.timeout_ms", "standby.heartbeat_ms"),
            f"standby.timeout_ms is {standby.timeout_ms}: make it three times standby.heartbeat_ms or more, "
            f"{3 * standby.heartbeat_ms}, so that one late heartbeat is no failure",
        )


def _ring_buffer(config: Config) -> Iterator[Conflict]:
    size, frame = config.audio.ring_buffer_size_ms, config.audio.frame_ms
    if size % frame:
        yield Conflict(
            ("audio.ring_buffer_size_ms", "audio.frame_ms"),
            f"audio.ring_buffer_size_ms is {size}, which is no multiple of audio.frame_ms, {frame}: "
            f"make it one, such as {200 * frame}",
        )


def _mqtt(vehicle: VehicleConfig) -> Iterator[Conflict]:
    yield from _address("vehicle.mqtt_broker", vehicle.mqtt_broker)
    if not _TOPIC.fullmatch(vehicle.mqtt_topic):
        yield Conflict(
            ("vehicle.mqtt_topic",),
            f"vehicle.mqtt_topic is {vehicle.mqtt_topic[:40]}: write up to 200 characters such as "
            "car/vehicle, without spaces, + and #",
        )
    if vehicle.mqtt_password and not vehicle.mqtt_user:
        yield Conflict(
            ("vehicle.mqtt_password", "vehicle.mqtt_user"),
            "vehicle.mqtt_password is set without a name: set vehicle.mqtt_user",
        )


def _clear_secrets(config: Config) -> Iterator[Conflict]:
    """What would be sent to a car where others can read it, and certificates for nothing."""
    vehicle = config.vehicle
    if vehicle.adapter == "mqtt":
        secret, address = "password", vehicle.mqtt_broker
        given, tls, ca_file = vehicle.mqtt_password, vehicle.mqtt_tls, vehicle.mqtt_ca_file
    elif vehicle.adapter == "kuksa":
        secret, address = "token", vehicle.kuksa_broker
        given, tls, ca_file = vehicle.kuksa_token, vehicle.kuksa_tls, vehicle.kuksa_ca_file
    else:
        return
    prefix = f"vehicle.{vehicle.adapter}"
    if ca_file is not None and not tls:
        yield Conflict(
            (f"{prefix}_ca_file", f"{prefix}_tls"),
            f"{prefix}_ca_file is set, and nothing is encrypted: set {prefix}_tls to true",
        )
    host = address.rpartition(":")[0] or address
    if given and not (tls or is_loopback(host.strip("[]")) or config.output.allow_insecure):
        yield Conflict(
            (f"{prefix}_{secret}", f"{prefix}_tls", "output.allow_insecure"),
            f"{prefix}_{secret} would go to {address} where others can read it: set {prefix}_tls to true, "
            "or output.allow_insecure",
        )


def _address(name: str, address: str) -> Iterator[Conflict]:
    try:
        host_and_port(address, default_port=1)
    except ValueError as error:
        yield Conflict((name,), f"{name} is {address[:40]}: {error}")
