"""Commands as text, asked by the package's own client over a real socket."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.event import Eventable
from wyoming.handle import Handled, NotHandled
from wyoming.intent import Entity, Intent, NotRecognized, Recognize

from rtap.config import Config, SttConfig
from rtap.transports.wyoming.package import Describe, Info
from tests.backend.assistant.french_car import french_car
from tests.backend.transports.wyoming.wyoming_serving import (
    FREE_PORT,
    error_of,
    receive,
    run,
    send,
    serving,
)


@pytest.fixture
def car(tmp_path: Path) -> Config:
    return french_car(tmp_path, FREE_PORT)


def ask(car: Config, message: Eventable) -> tuple[Eventable | None, bool]:
    """The answer, and whether the car was touched."""
    kinds: tuple[type[Handled | NotHandled | Intent | NotRecognized], ...]
    kinds = (Handled, NotHandled, Intent, NotRecognized)

    async def test() -> tuple[Eventable | None, bool]:
        async with serving(car) as served, served.client() as client:
            await send(client, message)
            event = await receive(client)
            acted = served.metric('rtap_actions_total{intent="RaiseVolume",outcome="done"} 1.0')
            told = next((kind for kind in kinds if kind.is_type(event.type)), None)
            return (told and told.from_event(event)), acted

    return run(test)


def test_a_transcript_is_carried_out(car: Config) -> None:
    answer, acted = ask(car, Transcript("Plus fort!", language="fr"))
    assert answer == Handled("The volume is 40 percent.")
    assert acted


def test_what_the_car_does_not_do_is_not_handled_and_says_why(car: Config) -> None:
    answer, acted = ask(car, Transcript("Chauffe à 21°.", language="fr"))
    assert isinstance(answer, NotHandled)
    assert answer.text
    assert not acted


def test_what_is_no_command_is_not_handled(car: Config) -> None:
    answer, _ = ask(car, Transcript("Il fait beau.", language="fr"))
    assert isinstance(answer, NotHandled)


def test_recognize_says_what_it_means_in_the_language_of_the_car(car: Config) -> None:
    french = replace(car, stt=SttConfig(language="fr"))
    answer, acted = ask(french, Recognize("chauffe à 21,5°"))
    assert answer == Intent("Heat", [Entity("state", True), Entity("temperature", 21.5)])
    assert not acted
    assert ask(french, Recognize("ciao"))[0] == NotRecognized(None)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (Transcript("ciao", language="it"), "choose one of fr"),
        (Transcript("ciao", language="Klingon"), "unknown language"),
        (Transcript("x" * 1_001, language="fr"), "text"),
    ],
)
def test_what_is_refused(car: Config, message: Eventable, fault: str) -> None:
    async def test() -> None:
        async with serving(car) as served, served.client() as client:
            await send(client, message)
            assert fault in (await error_of(client)).text

    run(test)


def test_the_programs_are_described_with_their_languages(car: Config) -> None:
    async def test() -> None:
        async with serving(car) as served, served.client() as client:
            await send(client, Describe())
            info = Info.from_event(await receive(client))
            assert [program.models[0].languages for program in info.handle] == [["fr"]]
            assert [program.models[0].languages for program in info.intent] == [["fr"]]

    run(test)
