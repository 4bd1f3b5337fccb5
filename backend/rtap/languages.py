"""The 100 languages of Whisper: their codes, their English names, and what else people call them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from rtap.errors import ConfigurationError

LANGUAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "english",
        "zh": "chinese",
        "de": "german",
        "es": "spanish",
        "ru": "russian",
        "ko": "korean",
        "fr": "french",
        "ja": "japanese",
        "pt": "portuguese",
        "tr": "turkish",
        "pl": "polish",
        "ca": "catalan",
        "nl": "dutch",
        "ar": "arabic",
        "sv": "swedish",
        "it": "italian",
        "id": "indonesian",
        "hi": "hindi",
        "fi": "finnish",
        "vi": "vietnamese",
        "he": "hebrew",
        "uk": "ukrainian",
        "el": "greek",
        "ms": "malay",
        "cs": "czech",
        "ro": "romanian",
        "da": "danish",
        "hu": "hungarian",
        "ta": "tamil",
        "no": "norwegian",
        "th": "thai",
        "ur": "urdu",
        "hr": "croatian",
        "bg": "bulgarian",
        "lt": "lithuanian",
        "la": "latin",
        "mi": "maori",
        "ml": "malayalam",
        "cy": "welsh",
        "sk": "slovak",
        "te": "telugu",
        "fa": "persian",
        "lv": "latvian",
        "bn": "bengali",
        "sr": "serbian",
        "az": "azerbaijani",
        "sl": "slovenian",
        "kn": "kannada",
        "et": "estonian",
        "mk": "macedonian",
        "br": "breton",
        "eu": "basque",
        "is": "icelandic",
        "hy": "armenian",
        "ne": "nepali",
        "mn": "mongolian",
        "bs": "bosnian",
        "kk": "kazakh",
        "sq": "albanian",
        "sw": "swahili",
        "gl": "galician",
        "mr": "marathi",
        "pa": "punjabi",
        "si": "sinhala",
        "km": "khmer",
        "sn": "shona",
        "yo": "yoruba",
        "so": "somali",
        "af": "afrikaans",
        "oc": "occitan",
        "ka": "georgian",
        "be": "belarusian",
        "tg": "tajik",
        "sd": "sindhi",
        "gu": "gujarati",
        "am": "amharic",
        "yi": "yiddish",
        "lo": "lao",
        "uz": "uzbek",
        "fo": "faroese",
        "ht": "haitian creole",
        "ps": "pashto",
        "tk": "turkmen",
        "nn": "nynorsk",
        "mt": "maltese",
        "sa": "sanskrit",
        "lb": "luxembourgish",
        "my": "myanmar",
        "bo": "tibetan",
        "tl": "tagalog",
        "mg": "malagasy",
        "as": "assamese",
        "tt": "tatar",
        "haw": "hawaiian",
        "ln": "lingala",
        "ha": "hausa",
        "ba": "bashkir",
        "jw": "javanese",
        "su": "sundanese",
        "yue": "cantonese",
    }
)
"""Code -> English name, in the order of the language tokens in OpenAI's vocabularies.

Vocabularies before large-v3 have the first 99; ``yue`` came with large-v3.
"""

WITHOUT_SPACES: Final = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Languages that put no spaces between words (OpenAI's ``split_to_word_tokens`` lists these six)."""

_ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Names: OpenAI's ``TO_LANGUAGE_CODE``.
        "burmese": "my",
        "valencian": "ca",
        "flemish": "nl",
        "haitian": "ht",
        "letzeburgesch": "lb",
        "pushto": "ps",
        "panjabi": "pa",
        "moldavian": "ro",
        "moldovan": "ro",
        "sinhalese": "si",
        "castilian": "es",
        "mandarin": "zh",
        # Names in common use.
        "farsi": "fa",
        "filipino": "tl",
        # Current ISO 639 codes where Whisper kept another one, and withdrawn codes still in use.
        "jv": "jw",
        "nb": "no",
        "fil": "tl",
        "cmn": "zh",
        "iw": "he",
        "in": "id",
        "ji": "yi",
    }
)
_BY_NAME: Final[Mapping[str, str]] = MappingProxyType(
    {**{name: code for code, name in LANGUAGES.items()}, **_ALIASES}
)


def language_code(language: str, available: Collection[str] = tuple(LANGUAGES)) -> str:
    """The Whisper code that a user means.

    Args:
        language: a code (``de``), a locale (``de-AT``, ``pt_BR``) or an English name (``German``).
        available: codes that the model knows.

    Raises:
        ConfigurationError: no such language, or the model does not know it; names what is near.
    """
    wanted = language.strip().lower()
    # Locales: the language is the part before the territory.
    short = wanted.replace("_", "-").partition("-")[0]
    for candidate in (wanted, _BY_NAME.get(wanted), short, _BY_NAME.get(short)):
        if candidate is not None and candidate in available:
            return candidate
    known = next(
        (code for code in (_BY_NAME.get(wanted), wanted, short) if code in LANGUAGES), None
    )
    if known is not None:
        raise ConfigurationError(
            f"this model does not know {LANGUAGES[known]} ({known}), only {_some(available)}: "
            f"choose one of these, or a model that was trained for it"
        )
    raise ConfigurationError(f"unknown language {language!r}: {_suggestion(wanted, available)}")


def _suggestion(wanted: str, available: Collection[str]) -> str:
    names = {name: code for name, code in _BY_NAME.items() if code in available}
    near = difflib.get_close_matches(wanted, [*names, *available], n=3, cutoff=0.6)
    if not near:
        return f"use a language code such as {_some(available)}, or an English name"
    shown = [f"{name} ({names[name]})" if name in names else _described(name) for name in near]
    return f"did you mean {' or '.join(shown)}?"


def _described(code: str) -> str:
    return f"{code} ({LANGUAGES[code]})" if code in LANGUAGES else code


def _some(codes: Collection[str], limit: int = 8) -> str:
    shown = ", ".join(list(codes)[:limit])
    return shown if len(codes) <= limit else f"{shown} … ({len(codes)} in all)"


def space_between(language: str | None, task: str = "transcribe") -> str:
    """What stands between two sentences: nothing in languages without spaces, unless they were translated.

    Args:
        language: Whisper's code of what was spoken.
        task: ``translate`` makes it English.
    """
    return "" if language in WITHOUT_SPACES and task == "transcribe" else " "
