"""The sentences of grammars, as the decoder of speech expects them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtap.intents.expected_sentences import ExpectedSentences, IntentPreference
from rtap.intents.loader import load_grammar
from rtap.intents.matcher import Matcher

CAR = """\
intents:
  Heat:
    data:
      - sentences: ["heat to {warmth} percent", "play {song}"]
      - sentences: [a bit more]
        requires_context: {previous: [Heat]}
lists:
  warmth: {range: {from: 14, to: 60}}
  song: {wildcard: true}
spellings: {"%": percent, heated: heat}
skip_words: [please]
"""


@pytest.fixture
def matcher(tmp_path: Path) -> Matcher:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "car.yaml").write_text(CAR, "utf-8")
    return Matcher(load_grammar("en", (tmp_path,)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Heat to 21%.", True),
        ("Heat to twenty percent, please!", True),
        ("Heat to fifty five percent.", True),  # not in the graph, but understood
        ("Heat, please, to 21 percent.", True),
        ("Play so.", True),
        ("A bit more.", True),  # after another one
        ("Play whatever you like.", False),  # hardly a word of it is known
        ("Heat to 80%.", False),
        ("Heat to", False),
        ("", False),
        ("...", False),
    ],
)
def test_which_texts_are_sentences(text: str, *, expected: bool, matcher: Matcher):
    assert ExpectedSentences(matcher).contains(text) is expected


def test_what_the_decoder_is_given(matcher: Matcher):
    sentences = ExpectedSentences(matcher)
    assert set(sentences.start.following) == {"heat", "please"}
    assert sentences.short_forms == {"%": "percent", "heated": "heat"}


def test_languages_are_expected_once_they_are_added(matcher: Matcher):
    preference = IntentPreference()
    assert preference.sentences("en") is None
    preference.add(matcher)
    assert preference.sentences("en") is preference.sentences("en") is not None
    assert preference.sentences("de") is None
