"""POST /intent: what a text means, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rtap.config import Config, IntentsConfig, OutputConfig
from tests.backend.assistant.french_car import LOUDER, VOLUME, french_car
from tests.backend.transports.serving import serving
from tests.deadlines import SOON

KEY = {"X-API-Key": "sesame"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    config = french_car(tmp_path, OutputConfig(api_key="sesame"))
    with (
        serving(config) as server,
        httpx.Client(base_url=f"http://{server.address}", headers=KEY, timeout=SOON) as one,
    ):
        yield one


def test_what_a_text_means(client: httpx.Client) -> None:
    reply = client.post("/intent", json={"text": "Chauffe à 21,5°.", "language": "French"})
    assert reply.status_code == 200
    assert reply.json() == {
        "text": "Chauffe à 21,5°.",
        "language": "fr",
        "intent": {
            "name": "Heat",
            "slots": [
                {"name": "state", "value": True, "unit": None, "text": ""},
                {"name": "temperature", "value": 21.5, "unit": "celsius", "text": "21.5"},
            ],
            "confidence": 1.0,
            "matching": 1.0,
        },
        "alternatives": [],
        "did_you_mean": None,
        "question": None,
        "action": None,
        "answer": {"text": "I understood that.", "language": "en", "earcon": "heard"},
    }


def test_what_is_no_command(client: httpx.Client) -> None:
    reply = client.post("/intent", json={"text": "chaufe à 22 degrés", "language": "fr"}).json()
    assert reply["intent"] is None
    assert reply["did_you_mean"] == "chauffe à 22 degrés"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"text": "", "language": "fr"}, "text"),
        ({"language": "fr"}, "text"),
        ({"text": "x" * 1_001, "language": "fr"}, "text"),
        ({"text": "ciao", "language": "Klingon"}, "unknown language"),
        ({"text": "ciao", "language": "it"}, "intents.languages leaves it out: choose one of fr"),
        ({"text": "chauffe", "language": "fr", "execute": "perhaps"}, "execute"),
        ({"text": "chauffe", "language": "fr", "act": True}, "act"),
        ({"text": "chauffe", "language": "fr", "utterance_id": ""}, "utterance_id"),
        ({"text": "chauffe", "language": "fr", "conversation": ""}, "conversation"),
    ],
)
def test_what_is_refused(body: dict[str, object], message: str, client: httpx.Client) -> None:
    reply = client.post("/intent", json=body)
    assert reply.status_code == 422
    assert message in reply.json()["error"]["message"]


def test_nothing_is_done_unless_it_is_asked_for(client: httpx.Client) -> None:
    said = {"text": "plus fort", "language": "fr"}
    assert client.post("/intent", json=said).json()["action"] is None
    done = client.post("/intent", json=said | {"execute": True}).json()
    assert done["intent"]["name"] == "RaiseVolume"
    assert done["answer"] == {
        "text": "The volume is 40 percent.",
        "language": "en",
        "earcon": "done",
    }
    assert done["action"] == {
        "intent": "RaiseVolume",
        "outcome": "done",
        "held": [{"path": VOLUME, "value": LOUDER, "unit": "percent", "previous": 30}],
        "reason": None,
    }


def test_what_is_sent_again_is_not_done_again(client: httpx.Client) -> None:
    said = {"text": "plus fort", "language": "fr", "execute": True, "utterance_id": "once"}
    first = client.post("/intent", json=said).json()
    assert client.post("/intent", json=said).json() == first
    other = client.post("/intent", json=said | {"utterance_id": "another"}).json()
    assert other["action"]["held"][0]["value"] > LOUDER


def test_a_text_answers_what_was_asked_in_its_conversation(client: httpx.Client) -> None:
    unclear = {"text": "plus fortt", "language": "fr", "execute": True}
    yes = {"text": "oui", "language": "fr", "execute": True}
    mine = {"conversation": "screen"}
    asked = client.post("/intent", json=unclear | mine).json()
    assert (asked["intent"], asked["question"]) == (None, "meant")
    assert asked["did_you_mean"] == "plus fort"
    assert client.post("/intent", json=yes).json()["action"]["outcome"] == "refused"
    for other in ("other", "microphone"):
        reply = client.post("/intent", json=yes | {"conversation": other}).json()
        assert reply["action"] is None
    done = client.post("/intent", json=yes | mine).json()
    assert (done["question"], done["action"]["intent"]) == (None, "RaiseVolume")
    assert client.post("/intent", json=unclear).json()["question"] is None, "it is for itself"


def test_what_can_be_said(client: httpx.Client) -> None:
    reply = client.get("/intents", params={"language": "French"})
    assert reply.status_code == 200
    told = reply.json()
    assert told["language"] == "fr"
    examples = {one["intent"]: one["text"] for one in told["examples"]}
    assert examples.keys() == {"Heat", "Confirm", "RaiseVolume", "OpenTrunk"}
    assert examples["RaiseVolume"] == "plus fort"
    for text in examples.values():
        understood = client.post("/intent", json={"text": text, "language": "fr"}).json()
        assert understood["intent"] is not None, text
    refused = client.get("/intents", params={"language": "it"})
    assert refused.status_code == 422
    assert "choose one of fr" in refused.json()["error"]["message"]


def test_what_is_refused_by_the_car(client: httpx.Client) -> None:
    reply = client.post(
        "/intent", json={"text": "chauffe à 21 degrés", "language": "fr", "execute": True}
    ).json()
    assert reply["action"]["outcome"] == "refused"
    assert reply["action"]["reason"]["cause"] == "not_in_table"


def test_it_wants_the_key(client: httpx.Client) -> None:
    reply = client.post("/intent", json={"text": "chauffe"}, headers={"X-API-Key": "wrong"})
    assert reply.status_code == 401


def test_switched_off() -> None:
    with (
        serving(Config(intents=IntentsConfig(enabled=False))) as server,
        httpx.Client(base_url=f"http://{server.address}") as client,
    ):
        reply = client.post("/intent", json={"text": "warmer"})
    assert reply.status_code == 422
    assert "set intents.enabled to true" in reply.json()["error"]["message"]
