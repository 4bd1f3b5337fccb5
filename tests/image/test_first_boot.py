"""A new card in a device with a network: what an integrator looks at first."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect

from tests.image.device import (
    BACKEND,
    CONTAINER,
    LOAD,
    SCREEN,
    SMALL_MODEL,
    Booted,
    Device,
    Figures,
)
from tests.image.screen_text import seen
from tests.image.speech import (
    AUDIO,
    COMMANDS,
    a_person,
    read,
    words,
)

pytestmark = pytest.mark.image

SETTINGS_BUTTON = (1211, 60)
"""Its middle on the screen of QEMU's machine, 1280 by 720."""
OURS = (BACKEND, LOAD, SCREEN, "voice-assistant-data.service", "voice-assistant-state.service")


@pytest.fixture(scope="module")
def first(device: Device, figures: Figures, pictures: Path) -> Iterator[Booted]:
    """Booted for the first time, and waited for until all is there."""
    with device.boot() as booted:
        figures.note("first boot: login (s)", booted.login_seconds)
        # A device listens to itself only; an integrator who wants more says so.
        booted.run(
            "mkdir -p /data/config && echo WHISPER_ADDRESS=0.0.0.0 >/data/config/whisper-backend"
        )
        # An inference that takes a second on the board may take a minute here.
        booted.run("echo WHISPER_HEALTH_TIMEOUT=600 >>/data/config/whisper-backend")
        figures.note("first boot: screen shown (s)", seen(booted, pictures, "starting"))
        figures.note("first boot: service healthy (s)", booted.wait_healthy())
        figures.note("first boot: screen usable (s)", seen(booted, pictures, "ready"))
        booted.run("systemctl is-system-running --wait || true", 300)
        # From the next start on.
        booted.run(f"echo {SMALL_MODEL} >>/data/config/whisper-backend && sync")
        yield booted


@pytest.fixture(scope="module")
def quick(first: Booted) -> Booted:
    """The same device with the small model, for what is not about understanding people."""
    first.use_model("cabin-en")
    return first


def url(booted: Booted, port: int = 8000) -> str:
    return f"http://127.0.0.1:{booted.machine.ports[port]}"


class TestSystem:
    def test_everything_has_started(self, first: Booted) -> None:
        failed = first.run("systemctl --failed --plain --no-legend")
        assert not failed
        assert first.attempt("systemctl is-system-running").output.strip() == "running"

    def test_no_unit_waits_for_itself(self, first: Booted) -> None:
        assert "ordering cycle" not in first.journal().lower()

    def test_the_root_is_read_only(self, first: Booted) -> None:
        assert first.attempt("touch /usr/proof /etc/proof").status != 0

    def test_the_data_partition_fills_the_disk(self, first: Booted) -> None:
        source, size = first.run("findmnt --bytes --noheadings --output SOURCE,SIZE /data").split()
        assert source.endswith("3")
        # The disk has 6 GiB, and the data begin at 4.
        assert int(size) > 1.8 * 2**30

    def test_the_image_was_loaded_before_the_service_and_after_docker(self, first: Booted) -> None:
        docker, load, backend = (first.activated(one) for one in ("docker.service", LOAD, BACKEND))
        assert docker < load < backend
        assert "loading sha256:" in first.journal(LOAD)

    def test_the_screen_is_there_before_the_service(self, first: Booted) -> None:
        # A driver sees that something happens while the service still starts.
        assert first.activated(SCREEN) < first.activated(BACKEND)

    def test_nobody_writes_errors_into_the_journal(self, first: Booted) -> None:
        errors = first.journal(*OURS, options="--priority err")
        assert errors in ("", "-- No entries --")
        told = first.journal(BACKEND).splitlines()
        worse = [line for line in told if '"level": "ERROR"' in line or "Traceback" in line]
        # This device has none.
        assert [line for line in worse if "no microphone was found" not in line] == []

    def test_the_version_is_told_everywhere(self, first: Booted, device: Device) -> None:
        release = first.os_release()
        version = release["IMAGE_VERSION"]
        console = (device.folder / "boot-1/console.log").read_text(errors="replace")
        assert (
            f"Voice Assistant {version} ({release['BUILD_ID']}, {release['VARIANT_ID']})" in console
        )
        assert (
            httpx.get(f"{url(first)}/model/info", timeout=60)
            .json()["system"]
            .startswith(f"{version} (")
        )
        metrics = httpx.get(f"{url(first, 8080)}/metrics", timeout=60).text
        assert f'system="{version} (' in metrics


class TestPeople:
    """With the model that the image was made with."""

    def test_the_model_is_the_systems(self, first: Booted) -> None:
        name = first.default_model()
        loaded = httpx.get(f"{url(first)}/model/info", timeout=60).json()
        assert (loaded["model_name"], loaded["model_path"]) == (name, f"/app/models/{name}")
        assert "warning" not in loaded

    def test_a_person_is_understood(self, first: Booted, figures: Figures) -> None:
        first.default_model()
        file = a_person("front center")
        began = time.monotonic()
        reply = httpx.post(
            f"{url(first)}/transcribe",
            files={"file": (file.name, file.read_bytes(), "audio/wav")},
            timeout=600,
        )
        assert reply.status_code == 200, reply.text
        assert words(reply.json()["text"]) == "front center"
        figures.note("transcribing a person's front center (s)", time.monotonic() - began)
        own = first.inside("print(open('/sys/fs/cgroup/memory.current').read())")
        figures.note("memory: service with the system's model (MB)", int(own) / 1e6)


class TestTouch:
    """A finger and a keyboard reach the screen through systemd's device filter."""

    def test_a_touch_opens_the_settings(self, first: Booted, pictures: Path) -> None:
        first.machine.touch(*SETTINGS_BUTTON)
        seen(first, pictures, "you speak")

    def test_a_key_closes_them(self, first: Booted, pictures: Path) -> None:
        first.machine.press("esc")
        seen(first, pictures, "say hey mycroft")


class TestService:
    def test_it_is_healthy(self, quick: Booted) -> None:
        assert httpx.get(f"{url(quick)}/health", timeout=30).json()["status"] == "healthy"

    @pytest.mark.parametrize("file", ["turn_on_the_heating.wav", "set_the_temperature.wav"])
    def test_a_file_is_transcribed(self, quick: Booted, file: str, figures: Figures) -> None:
        began = time.monotonic()
        reply = httpx.post(
            f"{url(quick)}/transcribe",
            files={"file": (file, (AUDIO / file).read_bytes(), "audio/wav")},
            timeout=120,
        )
        assert reply.status_code == 200, reply.text
        assert words(reply.json()["text"]) == COMMANDS[file]
        figures.note(f"transcribing {file} (s)", time.monotonic() - began)

    def test_speech_is_transcribed_as_it_comes(self, quick: Booted) -> None:
        rate = 16000
        silence = np.zeros(2 * rate, dtype=np.float32)
        with connect(f"{url(quick).replace('http', 'ws')}/stream", open_timeout=60) as stream:
            sound = np.concatenate([read(AUDIO / "set_the_temperature.wav"), silence])
            for at in range(0, len(sound), rate // 10):
                stream.send(sound[at : at + rate // 10].tobytes())
            while (message := json.loads(stream.recv(timeout=120)))["type"] != "final":
                pass
        assert words(message["text"]) == COMMANDS["set_the_temperature.wav"]


class TestConfinement:
    def test_the_container_may_do_little(self, first: Booted) -> None:
        found = json.loads(first.run(f"docker container inspect {CONTAINER}"))[0]
        limits = found["HostConfig"]
        assert limits["ReadonlyRootfs"]
        assert limits["CapDrop"] == ["ALL"]
        assert "no-new-privileges" in limits["SecurityOpt"]
        assert not limits["Privileged"]
        assert limits["Memory"] == limits["MemorySwap"] == 2**30
        assert limits["PidsLimit"] == 256

    def test_its_limits_are_the_kernels(self, first: Booted) -> None:
        # Docker only warns where the kernel lacks the memory cgroup.
        number = first.run(f"docker container inspect --format '{{{{.Id}}}}' {CONTAINER}")
        group = first.run(
            f"find /sys/fs/cgroup -type d -name 'docker-{number}.scope' -o -name {number} | head -1"
        )
        assert first.run(f"cat {group}/memory.max {group}/pids.max").split() == [str(2**30), "256"]

    def test_its_user_is_nobody(self, first: Booted) -> None:
        told = first.inside(
            "import os, pathlib\n"
            "print(os.getuid())\n"
            "for place in ('/', '/app', '/etc', '/opt/venv'):\n"
            "    print(os.access(place, os.W_OK))\n"
            "status = pathlib.Path('/proc/self/status').read_text()\n"
            "print([line.split()[1] for line in status.splitlines() if line.startswith('CapEff')][0])\n"
        ).split()
        assert told == ["10001", "False", "False", "False", "False", "0" * 16]

    def test_the_screen_is_no_root(self, first: Booted) -> None:
        number = first.property(SCREEN, "MainPID")
        status = first.run(f"cat /proc/{number}/status")
        assert first.run(f"stat -c %U /proc/{number}") == "voice-assistant"
        assert re.search(r"NoNewPrivs:\s+1", status)
        assert re.search(r"CapEff:\s+0{16}", status)

    def test_there_are_no_secrets(self, first: Booted) -> None:
        assert not first.attempt(
            "ls /root/.ssh/authorized_keys /etc/ssh/*key /home/*/.ssh 2>/dev/null"
        ).output
        found = first.attempt(
            # The other one names the mark by which a key is known.
            "grep -rlE --exclude=freedesktop.org.xml 'BEGIN [A-Z ]*PRIVATE KEY' /etc /root /home /usr/share"
        )
        assert not found.output

    def test_nothing_else_listens(self, first: Booted) -> None:
        lines = first.run("cat /proc/net/tcp /proc/net/tcp6").splitlines()
        listening = [line.split()[1].split(":") for line in lines if " 0A " in line]
        local = ("0100007F", "0" * 24 + "01000000")
        open_ports = {int(port, 16) for address, port in listening if address not in local}
        # Those of the service are open because this test has asked for it.
        assert open_ports - {8000, 5802, 6552, 6553, 8080, 10300} <= {22}


def test_memory(quick: Booted, figures: Figures) -> None:
    for name, unit in (("screen", SCREEN), ("docker", "docker.service")):
        used = int(quick.property(unit, "MemoryCurrent")) / 1e6
        figures.note(f"memory: {name} (MB)", used)
    own = quick.inside("print(open('/sys/fs/cgroup/memory.current').read())")
    figures.note("memory: service (MB)", int(own) / 1e6)
    free = dict(line.split()[:2] for line in quick.run("cat /proc/meminfo").splitlines())
    taken = (int(free["MemTotal:"]) - int(free["MemAvailable:"])) * 1024
    figures.note("memory: whole system (MB)", taken / 1e6)
    # Of a board with 2 GB.
    assert taken < 1.2e9
