"""rtap.config.wake_engines: each entry is true, and enough for everything that asks for an engine."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import MappingProxyType, ModuleType
from typing import Any

import pymicro_wakeword
import pytest

from rtap.config import Config, WakeWordConfig, conflicts, wake_engines
from rtap.config.parameters import PARAMETERS
from rtap.config.wake_engines import DEFAULT, ENGINES, WakeEngine
from rtap.stages.wakeword import engine as engine_module
from rtap.stages.wakeword import make_wake_word
from rtap.transports.wyoming import wake as wyoming_wake
from rtap.transports.wyoming.info import describe
from tests.backend.transports.scripted_service import ScriptedService

THIRD = WakeEngine(
    name="third",
    title="Third",
    module="a_third_engine",
    package="third",
    is_bundled=False,
    author="Somebody",
    url="https://third.example",
    words=("hello_car",),
    needs_key=True,
)


def test_words_are_those_of_the_package() -> None:
    assert sorted(model.value for model in pymicro_wakeword.Model) == list(DEFAULT.words)


@pytest.mark.parametrize(
    ("keyword", "spoken"),
    [
        ("hey_mycroft", "Hey Mycroft"),
        ("alexa", "Alexa"),
        ("hey google", "Hey Google"),
        ("/data/Hey-Car_en_raspberry-pi_v3_0_0.ppn", "Hey Car"),
        ("grüß-dich_de_linux.ppn", "Grüß Dich"),
    ],
)
def test_a_word_as_people_say_it(keyword: str, spoken: str) -> None:
    assert WakeWordConfig(keyword=keyword).spoken == (spoken,)
    assert WakeWordConfig(keyword=keyword, enabled=False).spoken == ()


def test_the_configuration_admits_every_engine() -> None:
    (mark,) = PARAMETERS["wakeword.engine"].kind.__metadata__
    assert mark.names == tuple(ENGINES)
    assert WakeWordConfig().engine == DEFAULT.name


@pytest.fixture
def _third(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType(THIRD.module)
    module.make = lambda config: f"{config.keyword}, loaded"
    monkeypatch.setitem(sys.modules, THIRD.module, module)
    table = MappingProxyType({**ENGINES, THIRD.name: THIRD})
    for user in (wake_engines, engine_module, wyoming_wake, conflicts):
        monkeypatch.setattr(user, "ENGINES", table)


@pytest.mark.usefixtures("_third")
def test_one_entry_makes_an_engine() -> None:
    wakeword = WakeWordConfig(engine="third", keyword="hello_car")
    assert str(make_wake_word(wakeword)) == "hello_car, loaded"
    config = replace(Config(), wakeword=wakeword)
    (wake,) = describe(ScriptedService(config)).wake
    assert (wake.name, wake.attribution.name) == ("Third", "Somebody")
    assert [word.name for word in wake.models] == ["hello_car"]
    (conflict,) = conflicts.conflicts(config)
    assert "give Somebody's wakeword.access_key, or take microwakeword" in conflict.message
