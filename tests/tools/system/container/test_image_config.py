"""The image's configuration, and that backend/Dockerfile says the same."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from rtap.config.loader import SOURCE_PROFILES, UnifiedConfigLoader
from tools.root import ROOT
from tools.system.container.architecture import ARCHITECTURES
from tools.system.container.image_config import ENVIRONMENT, PORTS, Origin, image_config
from tools.system.container.layers import Layer
from tools.system.container.root_files import USER_ID

DOCKERFILE = ROOT / "backend/Dockerfile"


@pytest.fixture
def document(origin: Origin, layers: list[Layer]) -> dict[str, Any]:
    return image_config(ARCHITECTURES["arm64"], origin, "auto", layers)


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile's last stage."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    pairs = [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]
    last = max(index for index, (name, _) in enumerate(pairs) if name == "FROM")
    return pairs[last:]


def one(instructions: list[tuple[str, str]], name: str) -> str:
    (value,) = [value for found, value in instructions if found == name]
    return value


def test_processor(origin: Origin) -> None:
    for name, variant in (("arm64", "v8"), ("amd64", None)):
        made = image_config(ARCHITECTURES[name], origin, "m", [])
        assert (made["architecture"], made["os"], made.get("variant")) == (name, "linux", variant)


def test_layers(document: dict[str, Any]) -> None:
    assert document["rootfs"]["diff_ids"] == ["sha256:oneone", "sha256:twotwo"]
    assert [entry["comment"] for entry in document["history"]] == ["one", "two"]


def test_model_is_named(origin: Origin) -> None:
    made = image_config(ARCHITECTURES["arm64"], origin, "whisper-base", [])
    assert "MODEL_NAME=whisper-base" in made["config"]["Env"]


def test_times_are_the_commit_s(document: dict[str, Any]) -> None:
    assert document["created"] == "2023-11-14T22:13:20Z"
    assert "created" in json.dumps(document["config"]["Labels"])


def test_what_the_seed_asks_for(document: dict[str, Any]) -> None:
    config = document["config"]
    assert set(config["ExposedPorts"]) == {
        "8000/tcp",
        "5802/tcp",
        "6552/tcp",
        "6553/tcp",
        "8080/tcp",
        "10300/tcp",
    }
    names = {entry.partition("=")[0] for entry in config["Env"]}
    seed = {"PATH", "PYTHONPATH", "MODEL_NAME", "MODELS_DIR", "CACHE_DIR", "ONNX_NUM_THREADS"}
    assert seed | {"LOG_LEVEL", "AUDIO_DEVICE", "RTAP_ENVIRONMENT"} <= names
    health = config["Healthcheck"]
    assert (health["Interval"], health["Timeout"]) == (30_000_000_000, 10_000_000_000)
    assert health["Retries"] == 3


def test_environment_is_a_configuration() -> None:
    profile = UnifiedConfigLoader([SOURCE_PROFILES], dict(ENVIRONMENT)).load()
    assert profile.environment == "container"
    assert (profile.output.host, profile.output.allow_insecure) == ("0.0.0.0", True)
    output = profile.output
    assert output.wyoming_host == "0.0.0.0"
    assert set(PORTS) == {
        *(output.http_port, output.websocket_port, output.health_port),
        *(output.zmq_pub_port_events, output.zmq_pub_port_transcripts),
        output.wyoming_port,
    }
    assert (
        profile.stt.num_threads
        == UnifiedConfigLoader([SOURCE_PROFILES], {}).load("raspberrypi4").stt.num_threads
    )


def test_dockerfile_has_the_environment(instructions: list[tuple[str, str]]) -> None:
    words = shlex.split(one(instructions, "ENV"))
    assert dict(word.split("=", 1) for word in words) == dict(ENVIRONMENT)


def test_dockerfile_has_the_rest(
    instructions: list[tuple[str, str]], document: dict[str, Any]
) -> None:
    config = document["config"]
    assert {f"{port}/tcp" for port in one(instructions, "EXPOSE").split()} == set(
        config["ExposedPorts"]
    )
    assert {one(instructions, "VOLUME")} == set(config["Volumes"])
    assert one(instructions, "WORKDIR") == config["WorkingDir"]
    assert one(instructions, "USER") == config["User"]
    assert one(instructions, "STOPSIGNAL") == config["StopSignal"]
    assert json.loads(one(instructions, "ENTRYPOINT")) == config["Entrypoint"]
    assert json.loads(one(instructions, "CMD")) == config["Cmd"]


def test_dockerfile_has_the_health_check(
    instructions: list[tuple[str, str]], document: dict[str, Any]
) -> None:
    options, _, command = one(instructions, "HEALTHCHECK").partition(" CMD ")
    health = document["config"]["Healthcheck"]
    seconds = {
        name: int(value)
        for name, value in re.findall(r"--(interval|timeout|start-period)=(\d+)s", options)
    }
    assert seconds == {
        "interval": health["Interval"] / 1e9,
        "timeout": health["Timeout"] / 1e9,
        "start-period": health["StartPeriod"] / 1e9,
    }
    assert f"--retries={health['Retries']}" in options
    assert ["CMD", *json.loads(command)] == health["Test"]


def test_dockerfile_has_the_labels(
    instructions: list[tuple[str, str]], document: dict[str, Any]
) -> None:
    written = dict(word.split("=", 1) for word in shlex.split(one(instructions, "LABEL")))
    wanted = document["config"]["Labels"]
    for name, value in written.items():
        assert value.startswith("$") or value == wanted[name]
    # buildx sets the time of creation itself.
    assert set(written) == set(wanted) - {"org.opencontainers.image.created"}


def test_dockerfile_gives_the_cache_to_the_user(instructions: list[tuple[str, str]]) -> None:
    copies = [value for name, value in instructions if name == "COPY"]
    assert copies[-1] == f"--from=build --chown={USER_ID}:{USER_ID} /layers/cache /app/cache"
    assert [copy.split()[1] for copy in copies[:-1]] == [
        f"/layers/{name}" for name in ("debian", "packages", "rtap")
    ]
