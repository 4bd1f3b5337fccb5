"""The built images: what is in them, and that they run in a real Docker daemon.

Building takes a minute and a network for each; running the arm64 image on another processor takes the
emulator. `pytest -m container` runs all of it.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from rtap.whisper.model_directory import file_sha256
from rtap.whisper.model_store import BUNDLED_MODEL, BUNDLED_WARNING, DEFAULT_MODEL
from tools.benchmarks.service.exhaustion import ATTACKS, Target
from tools.root import ROOT
from tools.system.container.architecture import ARCHITECTURES, Architecture, this_architecture
from tools.system.container.lock import LEFT_OUT
from tools.system.container.sizes import LARGEST, LARGEST_COMPRESSED

AUDIO = ROOT / "tests/audio"
SITE_PACKAGES = "opt/venv/lib/python3.11/site-packages/"
CHOSEN_MODEL = "cabin-chosen"
"""The amd64 image has a model that was put in, the arm64 image the bundled one."""
STOP_SECONDS = 5
START_SECONDS = 240
API_KEY = "a key for this test alone"
MOST_MB = 300
"""After an attack."""
MACHINES = {"arm64": 183, "amd64": 62}
"""What ELF files say of their processor."""

pytestmark = [
    pytest.mark.container,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        shutil.which("mmdebstrap") is None, reason="needs mmdebstrap: apt-get install mmdebstrap"
    ),
]


@dataclass(frozen=True)
class Image:
    """What one build wrote."""

    architecture: Architecture
    folder: Path

    @property
    def archive(self) -> Path:
        return self.folder / "whisper-backend.tar"

    @property
    def description(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "whisper-backend.json").read_text())
        return document

    @property
    def id(self) -> str:
        return str(self.description["image_id"])


def build(architecture: str, folder: Path, *options: str | Path, umask: int = 0o022) -> Image:
    command = [ROOT / "tools/build_container", "--arch", architecture, "--output", folder, *options]
    # A commit made meanwhile is no difference that is looked for here.
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1700000000", "SOURCE_REVISION": "tested"}
    done = subprocess.run(
        command, umask=umask, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Image(ARCHITECTURES[architecture], folder)


@pytest.fixture(scope="module")
def chosen_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = tmp_path_factory.mktemp("models") / "anything"
    shutil.copytree(ROOT / "backend/rtap/models" / BUNDLED_MODEL, model)
    manifest = json.loads((model / "manifest.json").read_text())
    (model / "manifest.json").write_text(json.dumps(manifest | {"name": CHOSEN_MODEL}))
    return model


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, chosen_model: Path) -> dict[str, Image]:
    place = tmp_path_factory.mktemp("images")
    return {
        "arm64": build("arm64", place / "arm64"),
        "amd64": build("amd64", place / "amd64", "--model", chosen_model),
    }


@pytest.fixture(scope="module", params=["amd64", "arm64"])
def image(request: pytest.FixtureRequest, images: dict[str, Image]) -> Image:
    return images[request.param]


@pytest.fixture(scope="module")
def files(image: Image) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    """Everything in the image's layers."""
    found = {}
    with tarfile.open(image.archive) as archive:
        (manifest,) = json.load(archive.extractfile("manifest.json") or io.BytesIO())
        for name in manifest["Layers"]:
            with tarfile.open(fileobj=archive.extractfile(name)) as layer:
                for entry in layer:
                    content = layer.extractfile(entry) if entry.isreg() else None
                    found[entry.name] = (entry, content.read() if content else b"")
    return found


# --- without Docker ---


def test_same_image_again(images: dict[str, Image], tmp_path: Path) -> None:
    again = build("arm64", tmp_path / "somewhere/else", umask=0o077)
    assert again.id == images["arm64"].id
    assert file_sha256(again.archive) == file_sha256(images["arm64"].archive)


def test_sizes(image: Image) -> None:
    model = image.description["model"]["bytes"]
    assert image.description["archive_bytes"] - model <= LARGEST
    assert image.description["compressed_bytes"] <= LARGEST_COMPRESSED


def test_checksum_file(image: Image) -> None:
    subprocess.run(
        ["sha256sum", "--check", "whisper-backend.tar.sha256"], cwd=image.folder, check=True
    )
    assert image.description["archive_sha256"] == file_sha256(image.archive)


def test_all_code_is_for_its_processor(
    image: Image, files: dict[str, tuple[tarfile.TarInfo, bytes]]
) -> None:
    wanted = MACHINES[image.architecture.name]
    machines = {
        name: struct.unpack_from("<H", content, 18)[0]
        for name, (_, content) in files.items()
        if content.startswith(b"\x7fELF")
    }
    assert len(machines) > 100
    assert {name: machine for name, machine in machines.items() if machine != wanted} == {}


def test_every_module_is_compiled(files: dict[str, tuple[tarfile.TarInfo, bytes]]) -> None:
    modules = [name for name in files if name.endswith(".py") and name != "app/health.py"]
    missing = []
    for name in modules:
        folder, _, file = name.rpartition("/")
        compiled = f"{folder}/__pycache__/{file.removesuffix('.py')}.cpython-311.pyc"
        if compiled not in files and not name.startswith("etc/"):
            missing.append(name)
    assert len(modules) > 1_000
    assert missing == []
    flags = {content[4:8] for name, (_, content) in files.items() if name.endswith(".pyc")}
    assert flags == {b"\x01\0\0\0"}


def test_nothing_that_builds_or_installs(files: dict[str, tuple[tarfile.TarInfo, bytes]]) -> None:
    programs = {
        name
        for name, (entry, _) in files.items()
        if re.match(r"(usr/|opt/venv/)?s?bin/", name) and not entry.isdir()
    }
    venv = {
        f"opt/venv/bin/{name}" for name in ("python", "python3", "python3.11", "rtap", "uvicorn")
    }
    assert programs == venv | {"usr/bin/espeak-ng", "usr/bin/python3.11", "sbin/ldconfig"}
    packages = {name.removeprefix(SITE_PACKAGES).split("/")[0] for name in files}
    unwanted = {name.replace("-", "_") for name in LEFT_OUT} | {"pip", "setuptools", "torch"}
    assert packages & unwanted == set()


def test_nobody_gains_rights(files: dict[str, tuple[tarfile.TarInfo, bytes]]) -> None:
    for entry, _ in files.values():
        assert not entry.mode & 0o6000
        assert entry.name == "tmp" or entry.issym() or not entry.mode & 0o022
    owned = {name for name, (entry, _) in files.items() if entry.uid or entry.gid}
    assert owned == {"app/cache"}


def test_bill_of_materials_has_everything(
    image: Image, files: dict[str, tuple[tarfile.TarInfo, bytes]]
) -> None:
    bill = json.loads((image.folder / "whisper-backend.spdx.json").read_text())
    listed = {part["SPDXID"] for part in bill["packages"]}
    wheels = {
        "SPDXRef-python-" + re.sub(r"[-_.]+", "-", found[1]).lower()
        for name in files
        if (found := re.search(r"([^/]+)-[^/-]+\.dist-info/METADATA$", name))
    }
    debian = {
        "SPDXRef-deb-" + re.sub(r"[^A-Za-z0-9.-]", "-", name.rpartition("/")[2])
        for name in files
        if name.startswith("var/lib/dpkg/status.d/")
    }
    model = f"SPDXRef-model-{image.description['model']['name']}"
    assert len(wheels) > 40
    assert len(debian) > 30
    assert listed == wheels | debian | {model, "SPDXRef-image"}


# --- with Docker ---


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=check)


@pytest.fixture(scope="module")
def daemon() -> None:
    if shutil.which("docker") is None:
        pytest.skip("Docker is not installed: apt-get install docker.io")
    done = docker("version", "--format", "{{.Server.Version}}", check=False)
    if done.returncode:
        pytest.skip(f"no Docker daemon answers; start dockerd as root: {done.stderr.strip()}")


@pytest.fixture(scope="module")
def loaded(daemon: None, image: Image) -> Iterator[Image]:
    if image.architecture != this_architecture():
        emulator = Path(f"/proc/sys/fs/binfmt_misc/qemu-{image.architecture.machine}")
        if not emulator.exists():
            pytest.skip(f"needs {emulator}: apt-get install qemu-user-static")
    docker("load", "--quiet", "--input", str(image.archive))
    yield image
    docker("image", "rm", "--force", image.id)


class Container:
    """A container as the unit on the device runs it: read-only, with a limit, published on localhost."""

    def __init__(self, image: Image, *options: str) -> None:
        self.id = docker(
            *("run", "--detach", "--read-only", "--tmpfs", "/tmp", "--memory", "1g"),
            *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "256"),
            *("--publish", "127.0.0.1::8000", "--publish", "127.0.0.1::8080"),
            # Nothing newer than the Raspberry Pi's processor has; no effect where nothing is emulated.
            *("--env", "QEMU_CPU=cortex-a72"),
            *options,
            image.id,
        ).stdout.strip()

    def address(self, port: int) -> str:
        return "http://" + self.published(port)

    def published(self, port: int) -> str:
        return docker("port", self.id, f"{port}/tcp").stdout.splitlines()[0]

    def port(self, port: int) -> int:
        """On localhost."""
        return int(self.published(port).rpartition(":")[2])

    def megabytes(self) -> float:
        """Resident memory of the service."""
        status = self.python("print(open('/proc/1/status').read())")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1_000

    def wait_until_healthy(self) -> float:
        """Seconds that it took."""
        begin = time.monotonic()
        pause = threading.Event()
        while time.monotonic() - begin < START_SECONDS:
            try:
                if httpx.get(f"{self.address(8080)}/health", timeout=30).status_code == 200:
                    return time.monotonic() - begin
            except (httpx.TransportError, IndexError):
                pass
            pause.wait(0.1)
        pytest.fail(f"not healthy within {START_SECONDS} s: {self.logs()}")

    def python(self, program: str) -> str:
        return docker("exec", self.id, "python", "-c", program).stdout

    def logs(self) -> str:
        done = docker("logs", self.id)
        return done.stdout + done.stderr

    def stop(self) -> tuple[float, int]:
        """Seconds and exit status."""
        begin = time.monotonic()
        docker("stop", "--time", "60", self.id)
        seconds = time.monotonic() - begin
        return seconds, int(docker("inspect", "--format", "{{.State.ExitCode}}", self.id).stdout)

    def remove(self) -> None:
        docker("rm", "--force", "--volumes", self.id)


@pytest.fixture(scope="module")
def container(loaded: Image) -> Iterator[Container]:
    container = Container(loaded)
    try:
        seconds = container.wait_until_healthy()
        print(f"{loaded.architecture.name}: healthy after {seconds:.1f} s", file=sys.stderr)
        yield container
    finally:
        container.remove()


def test_docker_has_what_was_built(loaded: Image) -> None:
    text = docker(
        "image", "inspect", "--format", "{{.Id}} {{.Architecture}}", "whisper-backend"
    ).stdout
    assert text.split() == [loaded.id, loaded.architecture.name]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("turn_on_the_heating.wav", "turn on the heating"),
        ("set_the_temperature.wav", "set the temperature to twenty one degrees"),
    ],
)
def test_transcribes(container: Container, file: str, words: str) -> None:
    with (AUDIO / file).open("rb") as audio:
        reply = httpx.post(
            f"{container.address(8000)}/transcribe", files={"audio_file": audio}, timeout=120
        )
    assert reply.json()["text"] == words


def test_runs_the_model_that_was_put_in(container: Container, loaded: Image) -> None:
    model = httpx.get(f"{container.address(8000)}/model/info", timeout=60).text
    wanted = CHOSEN_MODEL if loaded.architecture.name == "amd64" else BUNDLED_MODEL
    assert f'"{wanted}"' in model
    assert loaded.description["model"]["name"] == wanted


def test_a_model_that_is_mounted_is_used(loaded: Image, chosen_model: Path) -> None:
    if loaded.description["model"]["name"] == CHOSEN_MODEL:
        pytest.skip("this one has a model of its own")
    mounted = ("--volume", f"{chosen_model}:/app/models/{DEFAULT_MODEL}:ro")
    listed = docker("run", "--rm", "--read-only", *mounted, loaded.id, "models", "list").stdout
    assert [line.split()[1] for line in listed.splitlines() if line.startswith("*")] == [
        DEFAULT_MODEL
    ]


def test_user_and_what_he_can_write(container: Container) -> None:
    program = """
import os
print(os.getuid(), 29 in os.getgroups())
for folder in ("/", "/app", "/app/models", "/app/rtap", "/etc/rtap", "/opt/venv", "/tmp", "/app/cache"):
    try:
        open(folder + "/new", "w")
        print(folder)
    except OSError:
        pass
"""
    assert container.python(program).splitlines() == ["10001 True", "/tmp", "/app/cache"]


def test_user_can_write_no_more_without_read_only(loaded: Image) -> None:
    program = """
import os
for place, folders, _ in os.walk("/"):
    if place == "/":
        folders[:] = set(folders) - {"dev", "proc", "sys"}
    if os.access(place, os.W_OK):
        print(place)
"""
    options = ("run", "--rm", "--entrypoint", "python", loaded.id, "-c", program)
    assert set(docker(*options).stdout.splitlines()) == {"/tmp", "/app/cache"}


def test_sound_wake_word_and_languages_load(container: Container) -> None:
    done = docker("exec", container.id, "rtap", "doctor", "--json", check=False)
    checks = {row["check"]: row for row in json.loads(done.stdout)["checks"]}
    verdicts = {name: row["verdict"] for name, row in checks.items()}
    parts = ("configuration", "packages", "wake word", "language", "ports", "memory", "disk")
    assert {name: verdicts[name] for name in parts} == dict.fromkeys(parts, "ok")
    assert verdicts["model"] in {"ok", "warning"}  # an emulated processor is slow
    # PortAudio is there; what lacks is a sound card.
    assert "no microphone was found" in checks["microphone"]["message"]


def test_health_check_is_the_image_s(container: Container, loaded: Image) -> None:
    text = docker(
        "image", "inspect", "--format", "{{json .Config.Healthcheck.Test}}", loaded.id
    ).stdout
    kind, *command = json.loads(text)
    assert kind == "CMD"
    done = docker("exec", container.id, *command)
    assert json.loads(done.stdout)["status"] == "healthy"


def test_logs_no_error_but_the_missing_microphone(container: Container) -> None:
    lines = [json.loads(line) for line in container.logs().splitlines() if line.startswith("{")]
    # No models are mounted here.
    lines = [line for line in lines if line["message"] != BUNDLED_WARNING]
    bad = [line for line in lines if line["level"] not in {"INFO", "DEBUG"}]
    assert lines
    assert [line for line in bad if "no microphone was found" not in line.get("error", "")] == []


def test_stops_in_time(loaded: Image) -> None:
    container = Container(loaded)
    try:
        container.wait_until_healthy()
        seconds, status = container.stop()
        assert (seconds < STOP_SECONDS, status) == (True, 0), container.logs()
        assert '"stopped"' in container.logs()
    finally:
        container.remove()


def test_uvicorn_serves_too(loaded: Image) -> None:
    container = docker(
        *(
            "run",
            "--detach",
            "--read-only",
            "--publish",
            "127.0.0.1::8000",
            "--entrypoint",
            "uvicorn",
        ),
        *("--env", "QEMU_CPU=cortex-a72", loaded.id),
        *("rtap.app:create_app", "--factory", "--host", "0.0.0.0"),
    ).stdout.strip()
    try:
        address = docker("port", container, "8000/tcp").stdout.splitlines()[0]
        begin = time.monotonic()
        status = 0
        while status != 200 and time.monotonic() - begin < START_SECONDS:
            try:
                status = httpx.get(f"http://{address}/health", timeout=30).status_code
            except httpx.TransportError:
                threading.Event().wait(0.1)
        assert status == 200, docker("logs", container).stderr
    finally:
        docker("rm", "--force", "--volumes", container)


# --- under attack ---


@pytest.fixture(scope="module")
def besieged(loaded: Image) -> Iterator[Container]:
    if loaded.architecture != this_architecture():
        pytest.skip("an emulated processor would be attacked, and not the service")
    ports = ("--publish", "127.0.0.1::5802", "--publish", "127.0.0.1::6552")
    container = Container(loaded, "--env", f"RTAP_API_KEY={API_KEY}", *ports)
    try:
        container.wait_until_healthy()
        yield container
    finally:
        container.remove()


@pytest.mark.parametrize("name", ATTACKS)
def test_is_alive_after_an_attack(besieged: Container, name: str) -> None:
    """In the limits of the device: a gigabyte and 256 processes."""
    before = besieged.megabytes()
    http, events, zmq_events = map(besieged.port, (8000, 5802, 6552))
    outcome = ATTACKS[name](Target("127.0.0.1", http, events, zmq_events, API_KEY))
    besieged.wait_until_healthy()
    after = besieged.megabytes()
    print(f"{name}: {outcome}; {before:.0f} MB before, {after:.0f} MB after", file=sys.stderr)
    assert after < MOST_MB
    state = docker("inspect", "--format", "{{.State.OOMKilled}} {{.RestartCount}}", besieged.id)
    assert state.stdout.split() == ["false", "0"]
