"""What counts as the same word, and what as none."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.model.evaluation.normalization import normalizer_for, read_spelling


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("21 degrees", "Twenty-one degrees."),
        ("turn on the heating", "Um, turn on -- uh -- the HEATING!"),
        ("I will not", "I won't"),
        ("tune to 101.5", "tune to one hundred and one point five"),
        ("Mister Smith", "Mr. Smith"),
        ("cafe", "Café"),
        ("stop", "stop ..."),
    ],
)
def test_the_same_in_english(one: str, other: str) -> None:
    normalizer = normalizer_for("en")
    assert normalizer.words(one) == normalizer.words(other) != []


def test_different_in_english() -> None:
    normalizer = normalizer_for("en")
    assert normalizer.words("21 degrees") != normalizer.words("twenty two degrees")
    assert normalizer.words("turn left") != normalizer.words("turn right")


@pytest.mark.parametrize("text", ["", "...", "$", "uh", "[BLANK_AUDIO]", "(music)"])
def test_no_words(text: str) -> None:
    assert normalizer_for("en").words(text) == []


def test_spelling_list(tmp_path: Path) -> None:
    path = tmp_path / "normalizer.json"
    path.write_text(json.dumps({"colour": "color"}))
    american = normalizer_for("en", read_spelling(path))
    assert american.words("Colour me") == ["color", "me"]
    british = normalizer_for("en")
    assert british.words("Colour me") == ["colour", "me"]
    assert american.name != british.name


@pytest.mark.parametrize("text", [None, "{", "[]", '{"colour": 1}', b"\xff"])
def test_what_is_no_spelling_list(text: str | bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "normalizer.json"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError, match=r"normalizer\.json .*: give a checkpoint's"):
        read_spelling(path)


@pytest.mark.parametrize(("language", "number"), [("de", "21"), (None, "einundzwanzig")])
def test_other_languages_keep_numbers_and_letters(language: str | None, number: str) -> None:
    words = normalizer_for(language).words("Grüß Gott: einundzwanzig, 21 (leise) um")
    assert words == ["grüß", "gott", number, "21", "um"]


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("es", "Introduzca su número, por favor.", "introduzca su numero por favor"),
        ("es", "dieciseis", "16"),
        ("es", "veintidós", "22."),
        ("fr", "ÉTEINS la lumière du Rez-de-chaussée", "eteins la lumiere du rez de chaussee"),
        ("fr", "quatorze", "14"),
        ("it", "L’utente potrà partecipare.", "l'utente potra partecipare"),
        ("it", "trentotto", "38"),
        ("it", "ventuno ventitré", "21, 23"),
        ("de", "dreißig Grad", "30 GRAD"),
        ("de", "einundzwanzig", "21"),
    ],
)
def test_the_same_in_other_languages(language: str, one: str, other: str) -> None:
    normalizer = normalizer_for(language)
    assert normalizer.words(one) == normalizer.words(other) != []


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("de", "schon", "schön"),
        ("fr", "une lumière", "1 lumière"),
        ("es", "tres", "trece"),
        ("it", "sette", "17"),
    ],
)
def test_different_in_other_languages(language: str, one: str, other: str) -> None:
    normalizer = normalizer_for(language)
    assert normalizer.words(one) != normalizer.words(other)


def test_characters_are_words_where_no_spaces_part_them() -> None:
    assert normalizer_for("ja").words("今日は、 良い") == ["今", "日", "は", "良", "い"]


def test_plain() -> None:
    normalizer = normalizer_for("en", published=False)
    assert normalizer.words("Um, DON'T don\u2019t -- twenty-one 21 (x)!") == [
        *("um", "dont", "dont", "twenty", "one", "21", "x"),
    ]


def test_without_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"transformers.* is missing: .* --no-normalize"):
        normalizer_for("en")
    assert normalizer_for("en", published=False).words("Stop!") == ["stop"]


def test_torch_is_not_waited_for() -> None:
    program = (
        "import sys; from tools.model.evaluation.normalization import normalizer_for; normalizer_for('en'); "
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
