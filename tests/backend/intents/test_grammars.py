"""The sentences that this project brings: what drivers say is understood, and other speech is not."""

import json
import re
from pathlib import Path

import pytest

from rtap.intents.context import is_possible
from rtap.intents.expressions import parts
from rtap.intents.intent import Understanding
from rtap.intents.loader import load_grammar
from rtap.intents.matcher import Matcher
from rtap.intents.names import NameFiles
from rtap.intents.sources import BUNDLED

SENTENCES = Path(__file__).parent / "sentences"
LANGUAGES = ("en", "de")


@pytest.fixture(scope="module")
def matchers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Matcher]:
    folder = tmp_path_factory.mktemp("names")
    contacts, places = folder / "contacts.txt", folder / "places.txt"
    contacts.write_text("Anna Huber, Anna\nMum, Mama\nDr. Weber, Doktor Weber\n", "utf-8")
    places.write_text(
        "Home, Hause, nach Hause\nMunich, München\nWork, Arbeit\nSt. Pölten\n", "utf-8"
    )
    names = NameFiles(contacts, places)
    return {language: Matcher(load_grammar(language, (BUNDLED,), names)) for language in LANGUAGES}


def lines(name: str) -> list[str]:
    """A table's lines, without empty ones and comments."""
    text = (SENTENCES / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def shown(understanding: Understanding) -> str:
    """An intent as the tables write it: ``Name slot=value slot=value unit``."""
    intent = understanding.intent
    if intent is None:
        return "nothing"
    slots = [
        f"{slot.name}={json.dumps(slot.value, ensure_ascii=False)}{f' {slot.unit}' if slot.unit else ''}"
        for slot in intent.slots
    ]
    return ", ".join([intent.name, *slots]).replace('"', "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_drivers_say(language: str, matchers: dict[str, Matcher]):
    wrong = []
    rows = [line.split(" -> ") for line in lines(f"{language}.txt")]
    for text, expected in rows:
        understood = shown(matchers[language].understand(text))
        if understood != expected.strip():
            wrong.append(f"{text.strip()}: {understood}, not {expected.strip()}")
    assert wrong == []
    assert len(rows) >= 75


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_no_command(language: str, matchers: dict[str, Matcher]):
    texts = lines(f"{language}_other_speech.txt")
    taken = {text: shown(matchers[language].understand(text)) for text in texts}
    assert {text: intent for text, intent in taken.items() if intent != "nothing"} == {}
    assert len(texts) >= 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_has_a_sentence_for_every_intent(language: str, matchers: dict[str, Matcher]):
    tried = {
        re.split(r"[ ,]", line.split(" -> ")[1].strip())[0] for line in lines(f"{language}.txt")
    }
    alone = {
        name
        for name, intent in matchers[language].grammar.sentences.intents.items()
        if any(is_possible(data.requires_context, {}) for data in intent.data)
    }
    assert sorted(alone - tried) == []


def test_languages_know_the_same_intents_and_slots(matchers: dict[str, Matcher]):
    known = {
        language: {
            name: {slot for template in intent.templates for slot in template.slots}
            for name, intent in matcher.grammar.intents.items()
        }
        for language, matcher in matchers.items()
    }
    assert known["en"] == known["de"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_intent_is_declared_and_described(language: str, matchers: dict[str, Matcher]):
    grammar = matchers[language].grammar
    assert [name for name, intent in grammar.intents.items() if not intent.description] == []
    assert len(grammar.intents) >= 40
    assert grammar.template_count >= 300


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_template_can_be_heard(language: str, matchers: dict[str, Matcher]):
    """A word with a capital or a stop never would be: the loader spells templates as texts are spelt."""
    grammar = matchers[language].grammar
    texts = [
        part.text.strip()
        for intent in grammar.sentences.intents.values()
        for data in intent.data
        for template in data.sentences
        for part in parts(template.expression)
        if hasattr(part, "text")
    ]
    assert [text for text in texts if grammar.spelling.plain(text) != text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_list_and_rule_is_used(language: str, matchers: dict[str, Matcher]):
    folder = BUNDLED / language
    written = "".join(path.read_text("utf-8") for path in sorted(folder.glob("*.yaml")))
    grammar = matchers[language].grammar
    lists = {name for name in grammar.lists if not re.search(rf"{{{name}[:}}]", written)}
    rules = {name for name in grammar.sentences.expansion_rules if f"<{name}>" not in written}
    assert (lists, rules) == (set(), set())
