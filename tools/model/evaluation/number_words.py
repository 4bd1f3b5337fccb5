"""Numbers that are one word, in languages for which Whisper's published normalisers know none.

Whisper writes ``16`` where a transcript has ``seize``: that is no error of hearing. One is left out where it
is an article too, and what takes more than one word or is above a hundred stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Final


def _numbered(first: int, words: str) -> dict[str, str]:
    return {
        word: str(number) for number, word in enumerate(words.split(), start=first) if word != "_"
    }


def _german() -> dict[str, str]:
    ones = ("ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
    tens = ("zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
    words = _numbered(
        0,
        "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn "
        "sechzehn siebzehn achtzehn neunzehn",
    )
    for ten, word in enumerate(tens, start=2):
        words[word] = str(10 * ten)
    for (one, unit), (ten, word) in product(enumerate(ones, start=1), enumerate(tens, start=2)):
        words[f"{unit}und{word}"] = str(10 * ten + one)
    return words


def _italian() -> dict[str, str]:
    ones = ("uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove")
    tens = (
        "venti",
        "trenta",
        "quaranta",
        "cinquanta",
        "sessanta",
        "settanta",
        "ottanta",
        "novanta",
    )
    words = _numbered(
        0,
        "zero _ due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici "
        "sedici diciassette diciotto diciannove",
    )
    for ten, word in enumerate(tens, start=2):
        words[word] = str(10 * ten)
        for one, unit in enumerate(ones, start=1):
            stem = word[:-1] if unit in ("uno", "otto") else word
            words[stem + unit] = str(10 * ten + one)
    return words


_SPANISH: Final = _numbered(
    0,
    "cero _ dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco "
    "veintiséis veintisiete veintiocho veintinueve treinta",
) | {
    word: str(10 * ten)
    for ten, word in enumerate(
        ("cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa", "cien"), start=4
    )
}
_FRENCH: Final = _numbered(
    0,
    "zéro _ deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
) | {
    "vingt": "20",
    "trente": "30",
    "quarante": "40",
    "cinquante": "50",
    "soixante": "60",
    "cent": "100",
}

NUMBER_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "de": _german(),
    "es": _SPANISH,
    "fr": _FRENCH,
    "it": _italian(),
}
"""Digits by word, as it is spelt, for each language."""
