"""Text to the words that are compared: whatever is no matter of hearing shall not count as an error.

Whisper's published normalisers come with transformers. They are loaded from their own file, because
importing them the usual way brings torch along, which takes seconds.
"""

from __future__ import annotations

import importlib.util
import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from rtap.errors import ConfigurationError
from rtap.languages import WITHOUT_SPACES
from tools.model.evaluation.number_words import NUMBER_WORDS

_PUBLISHED = Path("models", "whisper", "english_normalizer.py")
_WITHOUT_IT = "run `make setup`, or give --no-normalize"
_APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"
WITHOUT_ACCENTS: Final = frozenset({"ca", "es", "fr", "gl", "it", "pt"})
"""Languages whose accents do not count: who writes ``numero`` for ``número`` has heard the same word, and
transcripts often have it so. A German umlaut is another letter, and counts."""


@dataclass(frozen=True, slots=True)
class Normalizer:
    """Makes words of a text."""

    name: str
    """For the report: what was done."""
    rewrite: Callable[[str], str]

    def words(self, text: str) -> list[str]:
        """The words that count. Whisper's normalisers leave lone dots and currency signs: no words."""
        return [word for word in self.rewrite(text).split() if any(map(str.isalnum, word))]


def normalizer_for(
    language: str | None, spelling: Mapping[str, str] | None = None, *, published: bool = True
) -> Normalizer:
    """What a text of this language goes through before its words are counted.

    Args:
        language: Whisper's code; None when it is detected, and may be any.
        spelling: British to American words, for English; None changes no spelling.
        published: Whisper's normalisers, as published error rates use them; False only lower-cases
            and takes punctuation out.

    Raises:
        ConfigurationError: transformers, which has them, is not there.
    """
    if not published:
        return Normalizer("lower case without punctuation", _plain)
    module = _published_normalizers()
    if language == "en":
        # Makes 21 of "twenty-one", and of digits said one by one a number, on both sides alike.
        name = "Whisper's English normaliser"
        return Normalizer(
            name if spelling else f"{name} without a spelling list",
            module.EnglishTextNormalizer(spelling or {}),
        )
    if language in WITHOUT_SPACES:
        return Normalizer(
            "Whisper's basic normaliser, every character a word",
            module.BasicTextNormalizer(split_letters=True),
        )
    is_accent_free = language in WITHOUT_ACCENTS
    basic: Callable[[str], str] = module.BasicTextNormalizer(remove_diacritics=is_accent_free)
    numbers = NUMBER_WORDS.get(language or "", {})
    name = "Whisper's basic normaliser"
    name += " without accents" if is_accent_free else ""
    if not numbers:
        return Normalizer(name, basic)
    return Normalizer(f"{name}, numbers of one word as digits", _in_digits(basic, numbers))


def read_spelling(path: Path) -> dict[str, str]:
    """A spelling list, such as the ``normalizer.json`` of OpenAI's checkpoints and of models made from them.

    Raises:
        ConfigurationError: it cannot be read, or does not map words to words.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error}): give a checkpoint's normalizer.json"
        ) from error
    if not isinstance(document, dict) or not all(isinstance(to, str) for to in document.values()):
        raise ConfigurationError(
            f"{path} does not map words to words: give a checkpoint's normalizer.json"
        )
    return document


def _published_normalizers() -> ModuleType:
    package = importlib.util.find_spec("transformers")
    if package is None or not package.submodule_search_locations:
        raise ConfigurationError(
            f"transformers, with Whisper's normaliser, is missing: {_WITHOUT_IT}"
        )
    path = Path(package.submodule_search_locations[0]) / _PUBLISHED
    spec = importlib.util.spec_from_file_location("whisper_normalizers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (ImportError, OSError) as error:
        raise ConfigurationError(f"{path} cannot be loaded ({error}): {_WITHOUT_IT}") from error
    return module


def _in_digits(rewrite: Callable[[str], str], numbers: Mapping[str, str]) -> Callable[[str], str]:
    known = {rewrite(word).strip(): digits for word, digits in numbers.items()}
    return lambda text: " ".join(known.get(word, word) for word in rewrite(text).split())


def _plain(text: str) -> str:
    """``Don't -- stop!`` becomes ``dont stop``: an apostrophe parts no words, other punctuation does."""
    kept = (char for char in text.lower() if char not in _APOSTROPHES)
    return "".join(" " if unicodedata.category(char)[0] in "PS" else char for char in kept)
