"""What counts as the same word, and what as none."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.evaluation.normalization import normalizer_for, read_spelling


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


@pytest.mark.parametrize("language", ["de", None])
def test_other_languages_keep_numbers_and_letters(language: str | None) -> None:
    words = normalizer_for(language).words("Grüß Gott: einundzwanzig, 21 (leise) um")
    assert words == ["grüß", "gott", "einundzwanzig", "21", "um"]


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
        "import sys; from tools.evaluation.normalization import normalizer_for; normalizer_for('en'); "
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
