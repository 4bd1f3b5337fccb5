"""Which model is used, and whether the microphone is heard: what the API says and passes on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import pytest

from rtap.config import Config, OutputConfig
from rtap.whisper.model_store import BUNDLED_MODEL, ModelStore
from tests.backend.transports.scripted_service import ScriptedService
from tests.backend.transports.serving import Server, serving
from tests.deadlines import SOON

HEADERS = {"X-API-Key": "sesame"}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Config(output=OutputConfig(api_key="sesame"))) as one:
        yield one


@pytest.fixture
def service(server: Server) -> ScriptedService:
    return server.service


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{server.address}", headers=HEADERS, timeout=SOON) as one:
        yield one


def test_models(service: ScriptedService, client: httpx.Client) -> None:
    assert client.get("/v1/models").json() == {"object": "list", "data": []}
    service.stored = ModelStore.from_environment(os.environ).list_models()
    [card] = client.get("/v1/models").json()["data"]
    assert (card["id"], card["object"], card["owned_by"]) == (BUNDLED_MODEL, "model", "rtap")
    assert card["created"] > 1_700_000_000


def test_one_model(service: ScriptedService, client: httpx.Client) -> None:
    service.stored = ModelStore.from_environment(os.environ).list_models()
    [card] = client.get("/v1/models").json()["data"]
    assert client.get(f"/v1/models/{BUNDLED_MODEL}").json() == card


@pytest.mark.parametrize("name", ["whisper-1", "gpt-4o-transcribe"])
def test_openais_names_are_the_loaded_model(
    name: str, service: ScriptedService, client: httpx.Client
) -> None:
    service.stored = ModelStore.from_environment(os.environ).list_models()
    assert client.get(f"/v1/models/{name}").json()["id"] == BUNDLED_MODEL
    service.facts = None
    assert client.get(f"/v1/models/{name}").status_code == 503


@pytest.mark.parametrize("name", ["gpt-9", "openai/whisper-1", "..", "x" * 255])
def test_no_such_model(name: str, service: ScriptedService, client: httpx.Client) -> None:
    service.stored = ModelStore.from_environment(os.environ).list_models()
    reply = client.get(f"/v1/models/{name.replace('..', '%2E%2E')}")
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["param"]) == (404, "model_not_found", "model")
    assert error["message"].startswith(f"no model {name[:64]}: there are {BUNDLED_MODEL}, and ")
    service.stored = []
    assert "there is none" in client.get("/v1/models/gpt-9").json()["error"]["message"]


def test_a_name_that_no_model_can_have(client: httpx.Client) -> None:
    assert client.get(f"/v1/models/{'x' * 256}").status_code == 422


def test_another_model(service: ScriptedService, client: httpx.Client) -> None:
    service.stored = ModelStore.from_environment(os.environ).list_models()
    reply = client.put("/model", json={"model_name": BUNDLED_MODEL})
    assert (reply.status_code, reply.json()) == (202, {"model_name": BUNDLED_MODEL})
    assert service.used == BUNDLED_MODEL


def test_a_model_that_is_not_there(service: ScriptedService, client: httpx.Client) -> None:
    reply = client.put("/model", json={"model_name": "../secret"})
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "no_such_model"
    assert service.used == ""


def test_the_microphone_is_switched(service: ScriptedService, client: httpx.Client) -> None:
    service.hears = True
    words = ["Hey Mycroft"]
    told = {"available": True, "enabled": True, "wake_words": words}
    assert client.get("/listening").json() == told
    reply = client.put("/listening", json={"enabled": False})
    assert reply.json() == {"available": True, "enabled": False, "wake_words": words}
    assert service.hears is False


def test_no_microphone(service: ScriptedService, client: httpx.Client) -> None:
    told = {"available": False, "enabled": False, "wake_words": []}
    assert client.get("/listening").json() == told
    reply = client.put("/listening", json={"enabled": True})
    assert reply.status_code == 409
    assert "audio.source" in reply.json()["error"]["message"]
    assert service.hears is None


def test_listening_is_cancelled(service: ScriptedService, client: httpx.Client) -> None:
    for hears in (None, True):
        service.hears = hears
        reply = client.post("/listening/cancel").json()
        assert (reply["available"], reply["enabled"]) == (bool(hears), bool(hears))
    assert service.cancelled == 2


def test_an_answer_is_ended(service: ScriptedService, client: httpx.Client) -> None:
    service.speaks = True
    for stopped in (True, False):
        assert client.post("/answers/stop").json() == {"stopped": stopped}


@pytest.mark.parametrize(
    ("path", "body"),
    [("/model", {}), ("/model", {"model_name": ""}), ("/listening", {"enabled": "perhaps"})],
)
def test_bad_bodies(path: str, body: dict[str, str], client: httpx.Client) -> None:
    assert client.put(path, json=body).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("PUT", "/model"),
        ("GET", "/listening"),
        ("PUT", "/listening"),
        ("POST", "/listening/cancel"),
        ("POST", "/answers/stop"),
    ],
)
def test_the_key_is_wanted(method: str, path: str, client: httpx.Client) -> None:
    reply = client.request(method, path, headers={"X-API-Key": "guess"}, json={})
    assert reply.status_code == 401
