"""Draws sentences that a template matches: as examples, and to find what is near to a text."""

from __future__ import annotations

from random import Random
from typing import Final

from hassil import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RangeSlotList,
    RuleReference,
    TextChunk,
    TextSlotList,
)

from rtap.intents.context import is_possible
from rtap.intents.grammar import Grammar

_LEFT_OUT: Final = 0.6
"""How often brackets are left out, so that plain sentences are the most frequent."""

_FIRST: Final = 0.5
"""How often the first of several words is taken."""


def sample(expression: Expression, grammar: Grammar, random: Random) -> str | None:
    """One sentence, in the spelling of texts; None where a list is empty or takes any words."""
    said = _said(expression, grammar, random)
    return None if said is None else " ".join(said.split())


def example(intent: str, grammar: Grammar) -> str | None:
    """A sentence for an intent, always the same; None where each needs an empty list or a wildcard."""
    random = Random(0)
    drawn = (
        sample(template.expression, grammar, random)
        for data in sorted(
            grammar.sentences.intents[intent].data,
            # Those first that are understood without a turn before.
            key=lambda data: not is_possible(data.requires_context, {}),
        )
        for template in data.sentences
    )
    return next((sentence for sentence in drawn if sentence), None)


def _said(expression: Expression, grammar: Grammar, random: Random) -> str | None:  # noqa: PLR0911 (one a kind)
    if isinstance(expression, TextChunk):
        return expression.text
    if isinstance(expression, Alternative):
        if expression.is_optional and random.random() < _LEFT_OUT:
            return ""
        return _said(_usual(expression.items, random), grammar, random)
    if isinstance(expression, Group):
        items = list(expression.items)
        between = ""
        if isinstance(expression, Permutation):
            random.shuffle(items)
            between = " "
        said = [_said(item, grammar, random) for item in items]
        return None if None in said else between.join(part for part in said if part is not None)
    if isinstance(expression, RuleReference):
        rule = grammar.sentences.expansion_rules[expression.rule_name]
        return _said(rule.expression, grammar, random)
    if isinstance(expression, ListReference):
        return _of_list(expression, grammar, random)
    return None


def _usual(items: list[Expression], random: Random) -> Expression:
    """One of several, the first ones more often: they are what most people say."""
    for item in items[:-1]:
        if random.random() < _FIRST:
            return item
    return items[-1]


def _of_list(reference: ListReference, grammar: Grammar, random: Random) -> str | None:
    if (parts := reference.get_inline_range()) is not None:
        start, stop, step = parts
        return str(random.choice(range(start, stop + 1, step)))
    one = grammar.sentences.slot_lists[reference.list_name]
    if isinstance(one, TextSlotList) and one.values:
        return _said(random.choice(one.values).text_in, grammar, random)
    if isinstance(one, RangeSlotList):
        return str(random.choice(list(one.get_numbers())))
    return None
