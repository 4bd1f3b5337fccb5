"""The documents' quick starts, as they stand there, against real services: only ports are changed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
import soundfile
import yaml
from playwright.sync_api import sync_playwright
from websockets.sync.client import connect
from wyoming.asr import Transcribe, Transcript
from wyoming.client import AsyncTcpClient
from zeroconf import ServiceBrowser, ServiceListener, Zeroconf

from rtap.audio.format import Samples
from rtap.transports.wyoming.package import Describe, Info
from tests.backend.transports.wyoming.wyoming_serving import receive, receive_until, say, send
from tests.backend.vehicle.adapters.mqtt.mosquitto import mosquitto
from tests.deadlines import SOON
from tests.running_service import AUDIO, COMMAND, Running, service
from tools.process.child import Child
from tools.root import ROOT

FILE = AUDIO / "set_the_temperature.wav"
README = (ROOT / "README.md").read_text(encoding="utf-8")
_CLIENTS = README.partition("\n## Clients\n")[2].partition("\n## ")[0]

pytestmark = pytest.mark.slow


def quick_start(language: str, ports: dict[str, int]) -> str:
    """The only block of the section in this language, for a service on other ports than usual."""
    [block] = re.findall(rf"^```{language}\n(.*?)^```$", _CLIENTS, re.DOTALL | re.MULTILINE)
    usual = {
        "8000": "http_port",
        "5802": "websocket_port",
        "6553": "zmq_pub_port_transcripts",
    }
    found: list[str] = []

    def other(match: re.Match[str]) -> str:
        found.append(match[1])
        return f"localhost:{ports[usual[match[1]]]}"

    text = re.sub(r"localhost:(\d+)", other, block)
    assert found or language == "yaml"
    return text


def installed(program: str, package: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is missing: apt-get install {package}")
    return path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with service(tmp_path_factory.mktemp("service")) as one:
        one.wait_until_healthy()
        yield one


def speak(running: Running) -> None:
    """A client that says the command, so that all others hear of it."""
    with connect(running.url("/stream", scheme="ws"), open_timeout=SOON) as client:
        client.send(samples().tobytes())
        client.send('{"type":"end"}')
        assert COMMAND in [json.loads(message).get("text") for message in client]


def samples() -> Samples:
    audio: Samples = soundfile.read(FILE, dtype="float32")[0]
    return audio


def wait_until(condition: Callable[[], object], every: Callable[[], None]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        every()


def test_curl(running: Running, tmp_path: Path) -> None:
    installed("curl", "curl")
    shutil.copy(FILE, tmp_path / "command.wav")
    command = quick_start("sh", running.ports)
    done = subprocess.run(
        ["sh", "-ec", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=SOON,
    )
    assert json.loads(done.stdout)["text"] == COMMAND


def test_python(running: Running, tmp_path: Path) -> None:
    shutil.copy(FILE, tmp_path / "command.wav")
    program = tmp_path / "quick_start.py"
    program.write_text(quick_start("python", running.ports), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=SOON,
    )
    assert done.stdout == f"{COMMAND}\n"


def test_javascript(running: Running) -> None:
    browser_path = installed("chromium", "chromium")
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"http://localhost:{running.port}/try")
        opened = "return new Promise((opened) => { socket.onopen = opened; });"
        page.evaluate(f"() => {{ {quick_start('js', running.ports)} {opened} }}")
        speak(running)
        wait_until(lambda: COMMAND in said, lambda: page.wait_for_timeout(20))
        browser.close()


def test_cpp(running: Running, tmp_path: Path) -> None:
    compiler = installed("g++", "g++")
    if not Path("/usr/include/zmq.hpp").is_file():
        pytest.skip("zmq.hpp is missing: apt-get install cppzmq-dev")
    source = tmp_path / "transcripts.cpp"
    source.write_text(quick_start("cpp", running.ports), encoding="utf-8")
    program = tmp_path / "transcripts"
    subprocess.run([compiler, "-Wall", "-o", program, source, "-lzmq"], check=True, timeout=120)
    lines: list[str] = []
    with Child([str(program)], on_line=lines.append):
        # What was published before it had subscribed it does not get.
        wait_until(lambda: lines, lambda: speak(running))
    assert json.loads(lines[0])["text"] == COMMAND


class _Found(ServiceListener):
    def __init__(self) -> None:
        self.ports: set[int | None] = set()

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        info = zc.get_service_info(type_, name)
        self.ports.add(None if info is None else info.port)

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.add_service(zc, type_, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        pass


async def _transcribed(port: int) -> tuple[Info, Transcript]:
    """As Home Assistant's integration does it."""
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await send(client, Describe())
        info = Info.from_event(await receive(client))
        await say(client, samples(), Transcribe(language="en"))
        events = await receive_until(client, "transcript")
        return info, Transcript.from_event(events[-1])


def has_network() -> bool:
    addresses = [one.address for all_ in psutil.net_if_addrs().values() for one in all_]
    return any("." in one and not one.startswith("127.") for one in addresses)


def test_home_assistant(tmp_path: Path) -> None:
    if not has_network():
        pytest.skip("this machine has no network to be found in: connect it to one")
    profile: dict[str, Any] = yaml.safe_load(quick_start("yaml", {}))
    assert profile.pop("inherits") == "default"
    assert list(profile) == ["output"]
    with ExitStack() as stack:
        running = stack.enter_context(service(tmp_path, output=profile["output"]))
        running.wait_until_healthy()
        port = running.ports["wyoming_port"]
        zeroconf = Zeroconf()
        stack.callback(zeroconf.close)
        found = _Found()
        browser = ServiceBrowser(zeroconf, "_wyoming._tcp.local.", found)
        stack.callback(browser.cancel)
        wait_until(lambda: port in found.ports, lambda: time.sleep(0.05))
        info, transcript = asyncio.run(_transcribed(port))
    assert info.asr
    assert info.asr[0].installed
    assert transcript.text == COMMAND


def test_mqtt(tmp_path: Path) -> None:
    text = (ROOT / "conf/README.md").read_text(encoding="utf-8")
    section = text.partition("\n## A car over MQTT\n")[2].partition("\n## ")[0]
    car, command = re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    installed("mosquitto_sub", "mosquitto-clients")
    with mosquitto(tmp_path) as broker:
        for program in ("mosquitto_pub", "mosquitto_sub"):
            (tmp_path / program).write_text(f"-p {broker.port}\n")
        environment = os.environ | {
            "HOME": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "RTAP_CONFIG_DIR": str(ROOT / "conf" / "profiles"),
            "XDG_CONFIG_HOME": str(tmp_path),
        }
        said: list[str] = []

        def act() -> None:
            done = subprocess.run(
                ["sh", "-c", command.replace("127.0.0.1:1883", broker.address)],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=SOON,
            )
            said[:] = done.stdout.splitlines()

        # In a group of its own, as the shell starts programs that would outlive it.
        with subprocess.Popen(["sh", "-c", car], env=environment, process_group=0) as running_car:
            try:
                # It may not have subscribed yet.
                wait_until(lambda: said[:1] == ["SetTemperature: done"], act)
            finally:
                os.killpg(running_car.pid, signal.SIGTERM)
    assert said == [
        "SetTemperature: done",
        "  Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature = 21.0 celsius",
        said[2],
        "Vehicle.Speed = 0.0 km/h",
    ]
    assert json.loads(said[2])["value"] == 21.0
