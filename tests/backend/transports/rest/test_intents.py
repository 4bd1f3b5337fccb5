"""POST /intent: what a text means, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rtap.config import Config, IntentsConfig, OutputConfig
from tests.backend.transports.serving import serving

KEY = {"X-API-Key": "sesame"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    # A language of its own, so that the large grammars need not be loaded.
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "car.yaml").write_text(
        "intents: {Heat: {data: [{sentences: ['chauffe à {t:temperature} degrés'], slots: {state: true}}]}}\n"
        "lists: {t: {unit: celsius, range: {from: 14, to: 30, fractions: halves}}}\n"
        "spellings: {°: degrés}\n",
        "utf-8",
    )
    intents = IntentsConfig(folders=(str(tmp_path),), languages=("fr",))
    config = Config(intents=intents, output=OutputConfig(api_key="sesame"))
    with (
        serving(config) as server,
        httpx.Client(base_url=f"http://{server.address}", headers=KEY) as one,
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
        ({"text": "chauffe", "language": "fr", "execute": True}, "execute"),
    ],
)
def test_what_is_refused(body: dict[str, object], message: str, client: httpx.Client) -> None:
    reply = client.post("/intent", json=body)
    assert reply.status_code == 422
    assert message in reply.json()["error"]["message"]


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
