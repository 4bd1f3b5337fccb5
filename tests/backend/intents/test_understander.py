"""Languages of a configuration, loaded when they are asked for."""

from pathlib import Path

import pytest

from rtap.config import IntentsConfig
from rtap.errors import ConfigurationError
from rtap.intents.understander import Understander


def test_languages_folders_and_names(tmp_path: Path):
    for language, call in (("fr", "appelle"), ("it", "chiama")):
        (tmp_path / language).mkdir()
        (tmp_path / language / "car.yaml").write_text(
            f"intents: {{Call: {{data: [{{sentences: ['{call} {{who}}']}}]}}}}\n"
            "lists: {who: {file: contacts}}\n"
        )
    contacts = tmp_path / "contacts.txt"
    contacts.write_text("Anna\n")
    understander = Understander(
        IntentsConfig(folders=(str(tmp_path),), languages=("fr", "it"), contacts=contacts)
    )
    for text, language in (("Appelle Anna.", "fr"), ("Chiama Anna.", "it")):
        understood = understander.understand(text, language, 0.5)
        assert understood.intent is not None
        assert (understood.intent.name, understood.intent.confidence) == ("Call", 0.5)
    with pytest.raises(ConfigurationError, match="leaves en out: choose one of fr, it"):
        understander.understand("call Anna", "en")


def test_switched_off():
    with pytest.raises(ConfigurationError, match=r"set intents\.enabled to true"):
        Understander(IntentsConfig(enabled=False)).understand("warmer", "en")


def test_what_understands_a_language_is_loaded_once():
    understander = Understander(IntentsConfig())
    matcher = understander.load("en")
    assert matcher is understander.load("en")
    assert matcher.grammar.language == "en"
    with pytest.raises(ConfigurationError):
        understander.load("tlh")


def test_examples_are_understood_without_a_turn_before():
    understander = Understander(IntentsConfig())
    examples = understander.examples("de")
    assert len(examples) > 90
    assert not {"Choose", "Likewise"} & examples.keys()
    for name, sentence in examples.items():
        understood = understander.understand(sentence, "de").intent
        assert understood is not None, sentence
        assert understood.name == name, sentence
