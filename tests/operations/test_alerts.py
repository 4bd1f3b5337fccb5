"""A real Prometheus watches a real service, and a real Alertmanager hears what is wrong with it.

The committed files are used as they are but for addresses, and for time: a second between two looks, and
two for each `for:`.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosedError
from websockets.frames import CloseCode
from websockets.sync.client import connect

from tests.deadlines import SOON
from tests.operations.programs import CONF, free_port, require, running, wait_for
from tests.operations.promql import metrics_named
from tests.operations.rtap_instance import Instance, instance, speech

STREAMS_AT_ONCE = 12
"""So many drivers, and one thread for all."""
ALERT_SECONDS = 60

pytestmark = pytest.mark.slow


class Told(BaseHTTPRequestHandler):
    """What an integrator would connect to Alertmanager; keeps what it is told."""

    messages: list[dict[str, Any]] = []  # noqa: RUF012 (of the one server that there is)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.messages.append(json.loads(self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Nothing."""


@dataclass(frozen=True)
class Watched:
    service: Instance
    prometheus: str
    alertmanager: str

    def firing(self, name: str) -> dict[str, Any] | None:
        """An alert that fires, as Prometheus has it."""
        reply = httpx.get(f"{self.prometheus}/api/v1/alerts", timeout=SOON).json()
        for alert in reply["data"]["alerts"]:
            if alert["labels"]["alertname"] == name and alert["state"] == "firing":
                return dict(alert)
        return None

    def arrived(self, name: str) -> dict[str, Any] | None:
        """The same, as Alertmanager has it."""
        for alert in httpx.get(f"{self.alertmanager}/api/v2/alerts", timeout=SOON).json():
            if alert["labels"]["alertname"] == name and alert["status"]["state"] == "active":
                return dict(alert)
        return None

    def told(self, name: str) -> dict[str, Any] | None:
        """The same, as it was delivered."""
        for message in Told.messages:
            if message["commonLabels"].get("alertname") == name and message["status"] == "firing":
                return message
        return None


def prometheus_files(place: Path, target: str, alertmanager: str) -> Path:
    """The committed configuration, for one service on this machine."""
    document = yaml.safe_load((CONF / "prometheus/prometheus.yml").read_text())
    document["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    [job] = [job for job in document["scrape_configs"] if job["job_name"] == "rtap"]
    job["static_configs"] = job["static_configs"][:1]
    job["static_configs"][0]["targets"] = [target]
    document["scrape_configs"] = [job]
    document["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager]
    file = place / "prometheus.yml"
    file.write_text(yaml.safe_dump(document))
    rules = (CONF / "prometheus/rtap.rules.yml").read_text()
    shortened, count = re.subn(r"(?m)^( +for: ).*$", r"\g<1>2s", rules)
    assert count > 5
    (place / "rtap.rules.yml").write_text(shortened)
    return file


def alertmanager_file(place: Path, hook: str) -> Path:
    """The committed configuration, with somebody to tell."""
    document = yaml.safe_load((CONF / "alertmanager/alertmanager.yml").read_text())
    for receiver in document["receivers"]:
        receiver["webhook_configs"] = [{"url": hook}]
    file = place / "alertmanager.yml"
    file.write_text(yaml.safe_dump(document))
    return file


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    prometheus, alertmanager = require("prometheus"), require("prometheus-alertmanager")
    place = tmp_path_factory.mktemp("alerts")
    with ExitStack() as stack:
        service = stack.enter_context(instance(place))
        hook = stack.enter_context(HTTPServer(("127.0.0.1", 0), Told))
        threading.Thread(target=hook.serve_forever, daemon=True).start()
        stack.callback(hook.shutdown)
        alerts = f"127.0.0.1:{free_port()}"
        file = alertmanager_file(place, f"http://127.0.0.1:{hook.server_port}/")
        stack.enter_context(
            running(
                [
                    alertmanager,
                    f"--config.file={file}",
                    f"--storage.path={place / 'alerts'}",
                    f"--web.listen-address={alerts}",
                    "--cluster.listen-address=",
                ],
                place / "alertmanager.log",
            )
        )
        figures = f"127.0.0.1:{free_port()}"
        file = prometheus_files(place, service.metrics_address, alerts)
        stack.enter_context(
            running(
                [
                    prometheus,
                    f"--config.file={file}",
                    f"--storage.tsdb.path={place / 'figures'}",
                    f"--web.listen-address={figures}",
                ],
                place / "prometheus.log",
            )
        )
        service.wait_until_healthy()
        yield Watched(service, f"http://{figures}", f"http://{alerts}")
    shutil.rmtree(place / "figures", ignore_errors=True)


@pytest.mark.parametrize("program", ["prometheus", "alertmanager"])
def test_the_watchers_tell_what_rules_ask_of_them(watched: Watched, program: str) -> None:
    address = watched.prometheus if program == "prometheus" else watched.alertmanager
    page = httpx.get(f"{address}/metrics", timeout=SOON).text
    told = {
        sample.name for family in text_string_to_metric_families(page) for sample in family.samples
    }
    asked = metrics_named(f"{program}_")
    assert asked
    assert asked <= told


def say_all_at_once(service: Instance) -> None:
    """Many clients end their utterances in the same moment."""
    audio = speech()

    def say() -> None:
        try:
            with connect(service.stream_url, max_size=None, open_timeout=SOON) as client:
                client.send(audio)
                client.send('{"type": "end"}')
                for _ in client:
                    pass
        except ConnectionClosedError as closed:
            # On a busy machine it is too much even for late answers: the service refuses the youngest.
            if closed.rcvd is None or closed.rcvd.code != CloseCode.TRY_AGAIN_LATER:
                raise

    speakers = [threading.Thread(target=say) for _ in range(STREAMS_AT_ONCE)]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join()


def test_the_latency_alert_fires_under_too_much_work(watched: Watched) -> None:
    def overload() -> dict[str, Any] | None:
        say_all_at_once(watched.service)
        return watched.firing("RtapLatencyHigh")

    assert watched.firing("RtapLatencyHigh") is None
    alert = wait_for("the latency alert", overload)
    assert alert["labels"]["severity"] == "critical"
    assert alert["labels"]["instance"] == "rtap-main"
    assert float(alert["value"]) > 0.2
    print(f"fired: {alert['annotations']['summary']} ({float(alert['value']):.3f} s)")
    arrived = wait_for("the alert in Alertmanager", lambda: watched.arrived("RtapLatencyHigh"))
    assert arrived["receivers"] == [{"name": "critical"}]
    message = wait_for("the message", lambda: watched.told("RtapLatencyHigh"))
    assert "answers late" in message["commonAnnotations"]["summary"]


def test_a_killed_service_is_reported(watched: Watched) -> None:
    assert watched.firing("RtapDown") is None
    watched.service.process.kill()
    alert = wait_for("the alert", lambda: watched.firing("RtapDown"))
    assert alert["labels"]["severity"] == "critical"
    arrived = wait_for("the alert in Alertmanager", lambda: watched.arrived("RtapDown"))
    assert arrived["receivers"] == [{"name": "critical"}]
    wait_for("the message", lambda: watched.told("RtapDown"))
