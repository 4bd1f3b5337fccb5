"""The same card the next day, without a network: nothing is loaded again, nothing is forgotten, all works."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.device import BACKEND, CONTAINER, LOAD, SMALL_MODEL, Booted, Device, Figures
from tests.image.screen_text import seen
from tests.image.speech import (
    AUDIO,
    COMMANDS,
    bring,
    read,
    words,
)
from tools.system.booting.machine import Settings

pytestmark = pytest.mark.image

POST = """\
import base64, json, sys, urllib.request
body = json.dumps({"audio_base64": base64.b64encode(sys.stdin.buffer.read()).decode()}).encode()
headers = {"Content-Type": "application/json"}
request = urllib.request.Request("http://127.0.0.1:8000/transcribe/base64", body, headers)
print(urllib.request.urlopen(request).read().decode())
"""


@pytest.fixture(scope="module")
def second(device: Device, figures: Figures, pictures: Path) -> Iterator[Booted]:
    """Booted again, without a network."""
    if not device.disk.exists():
        pytest.skip("boots the disk of test_first_boot.py: make test-image")
    with device.boot(Settings(network=False)) as booted:
        figures.note("second boot: login (s)", booted.login_seconds)
        figures.note("second boot: service healthy (s)", booted.wait_healthy())
        figures.note("second boot: screen usable (s)", seen(booted, pictures, "ready"))
        booted.run("systemctl is-system-running --wait || true", 300)
        yield booted


def test_there_is_no_network(second: Booted) -> None:
    assert second.run("ls /sys/class/net | grep -v -e docker -e veth -e '^br'") == "lo"


def test_everything_has_started(second: Booted) -> None:
    assert not second.run("systemctl --failed --plain --no-legend")
    assert second.attempt("systemctl is-system-running").output.strip() == "running"


def test_nothing_was_loaded_again(second: Booted) -> None:
    assert "loading" not in second.journal(LOAD, BACKEND)


def test_settings_are_still_there(second: Booted) -> None:
    settings = second.run("cat /data/config/whisper-backend").split()
    assert settings == ["WHISPER_ADDRESS=0.0.0.0", "WHISPER_HEALTH_TIMEOUT=600", SMALL_MODEL]


def test_the_device_is_still_the_same(second: Booted) -> None:
    assert second.run("cat /etc/machine-id") == second.run("cat /data/state/machine-id")


def test_a_file_is_transcribed(second: Booted) -> None:
    bring(second, read(AUDIO / "navigate_home.wav"), "/tmp/file.wav")
    post = f"docker exec --interactive {CONTAINER} python -c {shlex.quote(POST)} </tmp/file.wav"
    assert words(json.loads(second.run(post, 120))["text"]) == COMMANDS["navigate_home.wav"]
