"""rtap.vehicle.vocabulary: the intents that grammars know."""

from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from rtap.intents.sources import BUNDLED
from rtap.vehicle.vocabulary import vocabulary


def test_declared_intents_have_their_slots() -> None:
    known = vocabulary([BUNDLED])
    assert known["SetTemperature"] == frozenset({"temperature", "zone"})
    assert known["Undo"] == frozenset()


def test_intents_that_only_have_sentences_may_have_any_slot(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "horn.yaml").write_text(
        "intents:\n  Honk: {data: [{sentences: [honk]}]}\n  Undo: {data: [{sentences: [back]}]}\n"
    )
    known = vocabulary([BUNDLED, tmp_path])
    assert known["Honk"] is None
    assert known["Undo"] == frozenset()


def test_a_damaged_declaration_is_named(tmp_path: Path) -> None:
    (tmp_path / "intents.yaml").write_text("Honk: 3\n")
    with pytest.raises(ConfigurationError, match=r"intents\.yaml:1: intent Honk is no mapping"):
        vocabulary([tmp_path])
