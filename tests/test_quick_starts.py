"""The README's quick starts, taken from it as they stand, against a real service: only ports are changed."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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

from rtap.transports.wyoming_package import AudioChunk, AudioStart, AudioStop, Describe, Info
from tools.benchmarks.service_process import ServiceProcess, ServiceSettings, healthy_service
from tools.gui_screens.child import Child

ROOT = Path(__file__).resolve().parents[1]
COMMAND = ROOT / "tests/audio/set_the_temperature.wav"
TEXT = "set the temperature to twenty one degrees"
SOON = 30.0
_CHUNK = 1024
"""Samples; Home Assistant sends as many."""
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
def service() -> Iterator[ServiceProcess]:
    with healthy_service(ServiceSettings(), []) as running:
        yield running


def speak(service: ServiceProcess) -> None:
    """A client that says the command, so that all others hear of it."""
    samples, _ = soundfile.read(COMMAND, dtype="float32")
    with connect(service.stream_url) as client:
        client.send(samples.tobytes())
        client.send('{"type":"end"}')
        assert TEXT in [json.loads(message).get("text") for message in client]


def wait_until(condition: Callable[[], object], every: Callable[[], None]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        every()


def test_curl(service: ServiceProcess, tmp_path: Path) -> None:
    installed("curl", "curl")
    shutil.copy(COMMAND, tmp_path / "command.wav")
    command = quick_start("sh", service.ports)
    done = subprocess.run(
        ["sh", "-ec", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=SOON,
    )
    assert json.loads(done.stdout)["text"] == TEXT


def test_python(service: ServiceProcess, tmp_path: Path) -> None:
    shutil.copy(COMMAND, tmp_path / "command.wav")
    program = tmp_path / "quick_start.py"
    program.write_text(quick_start("python", service.ports), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=SOON,
    )
    assert done.stdout == f"{TEXT}\n"


def test_javascript(service: ServiceProcess) -> None:
    browser_path = installed("chromium", "chromium")
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"http://localhost:{service.port}/try")
        opened = "return new Promise((opened) => { socket.onopen = opened; });"
        page.evaluate(f"() => {{ {quick_start('js', service.ports)} {opened} }}")
        speak(service)
        wait_until(lambda: TEXT in said, lambda: page.wait_for_timeout(20))
        browser.close()


def test_cpp(service: ServiceProcess, tmp_path: Path) -> None:
    compiler = installed("g++", "g++")
    if not Path("/usr/include/zmq.hpp").is_file():
        pytest.skip("zmq.hpp is missing: apt-get install cppzmq-dev")
    source = tmp_path / "transcripts.cpp"
    source.write_text(quick_start("cpp", service.ports), encoding="utf-8")
    program = tmp_path / "transcripts"
    subprocess.run([compiler, "-Wall", "-o", program, source, "-lzmq"], check=True, timeout=120)
    lines: list[str] = []
    with Child([str(program)], on_line=lines.append):
        # What was published before it had subscribed it does not get.
        wait_until(lambda: lines, lambda: speak(service))
    assert json.loads(lines[0])["text"] == TEXT


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
        await client.write_event(Describe().event())
        event = await client.read_event()
        assert event is not None
        info = Info.from_event(event)
        await client.write_event(Transcribe(language="en").event())
        with wave.open(str(COMMAND), "rb") as audio:
            sound = {"rate": audio.getframerate(), "width": 2, "channels": 1}
            await client.write_event(AudioStart(**sound).event())
            while data := audio.readframes(_CHUNK):
                await client.write_event(AudioChunk(audio=data, **sound).event())
        await client.write_event(AudioStop().event())
        while True:
            event = await client.read_event()
            assert event is not None
            if Transcript.is_type(event.type):
                return info, Transcript.from_event(event)


@contextmanager
def home_assistant_profile() -> Iterator[ServiceProcess]:
    profile: dict[str, Any] = yaml.safe_load(quick_start("yaml", {}))
    assert profile["inherits"] == "default"

    class Settings(ServiceSettings):
        def profile(self, ports: dict[str, int]) -> dict[str, Any]:
            own = super().profile(ports)
            return {**profile, **own, "output": {**profile["output"], **own["output"]}}

    with healthy_service(Settings(), []) as running:
        yield running


def has_network() -> bool:
    addresses = [one.address for all_ in psutil.net_if_addrs().values() for one in all_]
    return any("." in one and not one.startswith("127.") for one in addresses)


def test_home_assistant() -> None:
    if not has_network():
        pytest.skip("this machine has no network to be found in: connect it to one")
    with ExitStack() as stack:
        running = stack.enter_context(home_assistant_profile())
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
    assert transcript.text == TEXT
