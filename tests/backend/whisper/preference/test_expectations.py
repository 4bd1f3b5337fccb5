"""What is made once for a model."""

from __future__ import annotations

import pytest

from rtap.whisper.preference import expectations
from rtap.whisper.preference.expectations import Expectations
from tests.backend.whisper.preference.listed_sentences import ListedPreference, ListedSentences
from tests.backend.whisper.scripted_model import ScriptedModel, says


def test_each_language_is_made_once():
    made = Expectations(ScriptedModel(says([])))
    preference = ListedPreference(en=ListedSentences("yes"), de=ListedSentences("ja"))
    english = made.of(preference, "en")
    assert english is not None
    assert made.of(preference, "en") is english
    assert made.of(preference, "de") not in {None, english}
    assert made.of(preference, "fr") is None


def test_sentences_that_were_replaced_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(expectations, "MOST_LANGUAGES", 2)
    made = Expectations(ScriptedModel(says([])))
    first = ListedPreference(en=ListedSentences("yes"))
    before = made.of(first, "en")
    for _ in range(2):
        made.of(ListedPreference(en=ListedSentences("no")), "en")
    assert made.of(first, "en") is not before
