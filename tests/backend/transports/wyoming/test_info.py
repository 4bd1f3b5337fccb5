"""rtap.transports.wyoming.info: what Home Assistant learns of the service."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from rtap.config import Config, PreprocessConfig, SttConfig, WakeWordConfig
from rtap.errors import ModelError
from rtap.transports.wyoming.info import describe
from rtap.transports.wyoming.package import Describe, Info
from rtap.whisper.model_store import StoredModel
from tests.backend.transports.scripted_service import FACTS, ScriptedService
from tests.backend.transports.wyoming.wyoming_serving import receive, run, send, serving


class Directory:
    """What is needed of a ModelDirectory."""

    def __init__(self, document: dict[str, Any] | Exception) -> None:
        self.document = document

    def read_json(self, name: str) -> dict[str, Any]:
        assert name == "generation_config.json"
        if isinstance(self.document, Exception):
            raise self.document
        return self.document


def stored(name: str, document: dict[str, Any] | Exception | None) -> StoredModel:
    directory = None if document is None else cast("Any", Directory(document))
    return StoredModel(name, Path(name), False, directory)


def loading(*models: StoredModel, wanted: str = "auto") -> ScriptedService:
    service = ScriptedService(replace(Config(), stt=SttConfig(model_name=wanted)))
    service.facts = None
    service.stored = list(models)
    return service


def test_over_the_wire_it_is_what_home_assistant_wants() -> None:
    async def test() -> Info:
        async with serving() as served, served.client() as client:
            await send(client, Describe())
            return Info.from_event(await receive(client))

    info = run(test)
    (program,) = info.asr
    assert program.installed
    assert program.supports_transcript_streaming
    (model,) = program.models
    assert (model.name, model.installed, model.languages) == ("cabin-en", True, ["en", "de"])
    for artifact in (program, model, info.wake[0], *info.wake[0].models):
        assert artifact.version
        assert artifact.attribution.url.startswith("https://")
    (wake,) = info.wake
    names = [word.name for word in wake.models]
    assert names == ["hey_mycroft", "alexa", "hey_jarvis", "okay_nabu"]
    assert all(word.installed and word.languages == ["en"] for word in wake.models)
    assert wake.models[0].phrase == "Hey Mycroft"
    assert info.satellite is None
    json.dumps(info.event().data)


def test_a_model_without_languages_is_english() -> None:
    service = ScriptedService(Config())
    service.facts = replace(FACTS, languages=())
    assert describe(service).asr[0].models[0].languages == ["en"]


GERMAN = {"lang_to_id": {"<|de|>": 1, "<|en|>": 2}}


@pytest.mark.parametrize(
    ("models", "wanted", "name", "languages"),
    [
        ([stored("one", {}), stored("two", GERMAN)], "two", "two", ["de", "en"]),
        ([stored("one", {}), stored("two", GERMAN)], "one", "one", ["en"]),
        ([stored("two", GERMAN)], "auto", "two", ["de", "en"]),
        ([stored("one", {}), stored("two", GERMAN)], "auto", "auto", ["de", "en"]),
        ([stored("one", {"lang_to_id": 7})], "auto", "one", ["en"]),
        ([stored("one", ModelError("damaged"))], "auto", "one", ["en"]),
        ([stored("one", None)], "auto", "auto", ["en"]),
        ([], "missing", "missing", ["en"]),
    ],
)
def test_before_the_model_is_loaded(
    models: list[StoredModel], wanted: str, name: str, languages: list[str]
) -> None:
    (model,) = describe(loading(*models, wanted=wanted)).asr[0].models
    assert (model.name, model.languages, model.installed) == (name, languages, True)


def test_models_that_cannot_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    service = loading(wanted="base")

    def fail() -> list[StoredModel]:
        raise ModelError("MODELS_DIR cannot be read")

    monkeypatch.setattr(service, "models", fail)
    assert describe(service).asr[0].models[0].name == "base"


def test_porcupine_is_named_where_it_listens() -> None:
    wakeword = WakeWordConfig(engine="porcupine", keyword="hey google", access_key="key")
    (wake,) = describe(ScriptedService(replace(Config(), wakeword=wakeword))).wake
    assert (wake.name, [word.name for word in wake.models]) == ("porcupine", ["hey google"])


def test_what_is_done_to_the_sound_here_need_not_be_done_there() -> None:
    program = describe(ScriptedService(Config())).asr[0]
    assert not program.prefers_auto_gain_enabled
    assert not program.prefers_noise_reduction_enabled
    off = replace(Config(), preprocess=PreprocessConfig(noise_suppression=0, auto_gain_dbfs=0))
    program = describe(ScriptedService(off)).asr[0]
    assert program.prefers_auto_gain_enabled
    assert program.prefers_noise_reduction_enabled
