"""What may be said for a list: its values, or the numbers of a range in digits and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hassil import Expression, ListReference, RangeSlotList, TextChunk, TextSlotList
from hassil.numbers import get_rbnf_engine

from rtap.intents.grammar import Grammar

LARGEST_NUMBER_WORD: Final = 20
"""Larger numbers are in digits only, as Whisper writes them."""


def spoken_values(
    reference: ListReference, required: Mapping[str, Any], grammar: Grammar
) -> Iterator[Expression]:
    """What may be said for a list; nothing for a wildcard.

    Args:
        required: the context that the sentence requires. A value that brings another one is left out.
    """
    if (inline := reference.get_inline_range()) is not None:
        start, stop, step = inline
        yield from _numbers(RangeSlotList(None, start, stop, step), grammar.language)
        return
    slot_list = grammar.sentences.slot_lists.get(reference.list_name)
    if isinstance(slot_list, RangeSlotList):
        yield from _numbers(slot_list, grammar.language)
    elif isinstance(slot_list, TextSlotList):
        for value in slot_list.values:
            if _fits(value.context or {}, required):
                yield value.text_in


def _fits(context: Mapping[str, Any], required: Mapping[str, Any]) -> bool:
    """Whether nothing that a value brings contradicts what its sentence requires."""
    for key, wanted in required.items():
        found = context.get(key)
        if found is None or isinstance(wanted, dict):
            continue
        if found not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def _numbers(one: RangeSlotList, language: str) -> Iterator[Expression]:
    for number in one.get_numbers():
        yield TextChunk(str(number))
        if one.words and isinstance(number, int) and 0 <= number <= LARGEST_NUMBER_WORD:
            for words in _words_of(number, one.words_language or language):
                yield TextChunk(words)


def _words_of(number: int, language: str) -> Iterator[str]:
    """A number in words; nothing in a language whose numbers nobody knows."""
    try:
        engine = get_rbnf_engine(language)
    except ValueError:
        return
    found = engine.format_number(number).text_by_ruleset
    yield from dict.fromkeys(words.lower() for name, words in found.items() if "cardinal" in name)
