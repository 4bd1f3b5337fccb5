"""The voices that speak commands."""

from __future__ import annotations

import pytest

from rtap.errors import ConfigurationError
from tools.model.cabin import voices as trained
from tools.model.cabin.voices import Role
from tools.model.speaking.voices import VOICES, choose


def test_none_was_trained_with() -> None:
    seen = {one.speaker for one in trained.VOICES if one.role is not Role.NEVER_USED}
    speakers = [one.speaker for voices in VOICES.values() for one in voices]
    assert not seen.intersection(speakers)
    assert len(set(speakers)) == len(speakers) >= 10
    trained_with = {one.synthesiser for one in trained.with_role(Role.SEEN)}
    assert {one.synthesiser for one in VOICES["en"]} & trained_with == {"festival"}


def test_choice() -> None:
    assert choose((), ()) == {language: list(voices) for language, voices in VOICES.items()}
    assert choose(("de",), ()) == {"de": list(VOICES["de"])}
    chosen = choose((), ("pico-de-DE", "pico-en-US"))
    assert {language: [one.name for one in voices] for language, voices in chosen.items()} == {
        "en": ["en-US"],
        "de": ["de-DE"],
    }
    assert list(choose((), ("pico-de-DE",))) == ["de"]


@pytest.mark.parametrize(
    ("languages", "names", "message"),
    [
        (("fr",), (), "no voice speaks fr: choose from en, de"),
        ((), ("pico-xx",), "there is no voice pico-xx: choose from"),
        (("en",), ("pico-de-DE",), "there is no voice pico-de-DE: choose from"),
    ],
)
def test_what_there_is_not(
    languages: tuple[str, ...], names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        choose(languages, names)
