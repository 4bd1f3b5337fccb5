"""HAProxy with the committed file, before instances on addresses of this machine."""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.deadlines import SOON
from tests.operations.name_server import name_server
from tests.operations.programs import CONF, free_port, require, running, wait_for
from tests.operations.rtap_instance import Instance


@dataclass(frozen=True)
class Balancer:
    """An HAProxy that was started."""

    port: int
    statistics_port: int
    command_port: int

    @property
    def url(self) -> str:
        """Of REST."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        """Of the WebSocket."""
        return f"ws://127.0.0.1:{self.port}/stream"

    @property
    def statistics_url(self) -> str:
        """Of the page, and of the metrics."""
        return f"http://127.0.0.1:{self.statistics_port}"

    def command(self, text: str) -> str:
        """What it replies to a command such as ``show stat``."""
        with socket.create_connection(("127.0.0.1", self.command_port)) as connection:
            connection.sendall(f"{text}\n".encode())
            reply = b""
            while block := connection.recv(65_536):
                reply += block
        return reply.decode()

    def servers(self) -> dict[str, dict[str, str]]:
        """Statistics of each instance, by its address."""
        rows = csv.DictReader(io.StringIO(self.command("show stat").removeprefix("# ")))
        return {
            row["addr"].partition(":")[0]: row
            for row in rows
            if row["pxname"] == "rtap" and row["addr"]
        }

    def up(self) -> set[str]:
        """Addresses of the instances that get requests."""
        return {host for host, row in self.servers().items() if row["status"].startswith("UP")}

    def metrics(self) -> dict[str, set[str]]:
        """Names of what it tells Prometheus, and their labels."""
        text = httpx.get(f"{self.statistics_url}/metrics", timeout=SOON).text
        return {
            sample.name: set(sample.labels)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@contextmanager
def balancer(place: Path, instances: Sequence[Instance]) -> Iterator[Balancer]:
    """Before instances that listen on one port of several addresses; ready when all are up."""
    haproxy = require("haproxy")
    hosts = [one.host for one in instances]
    made = Balancer(free_port(), free_port(), free_port())
    with name_server(hosts) as names:
        environment = {
            "RTAP_BIND": f"127.0.0.1:{made.port}",
            "RTAP_STATS": f"127.0.0.1:{made.statistics_port}",
            "RTAP_COMMANDS": f"ipv4@127.0.0.1:{made.command_port}",
            "RTAP_INSTANCES": f"instances.test:{instances[0].ports['http_port']}",
            "RTAP_DNS": f"127.0.0.1:{names}",
        }
        command: list[str | Path] = [haproxy, "-db", "-f", CONF / "haproxy/haproxy.cfg"]
        with running(command, place / "haproxy.log", environment):
            for one in instances:
                one.wait_until_healthy()
            wait_for("all instances in the balancer", lambda: made.up() == set(hosts))
            yield made
