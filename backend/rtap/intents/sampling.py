"""Draws sentences that a template matches: as examples, and to find what is near to a text."""

from __future__ import annotations

from random import Random

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

from rtap.intents.grammar import Grammar


def sample(expression: Expression, grammar: Grammar, random: Random) -> str | None:
    """One sentence, in the spelling of texts; None where a list is empty or takes any words."""
    said = _said(expression, grammar, random)
    return None if said is None else " ".join(said.split())


def _said(expression: Expression, grammar: Grammar, random: Random) -> str | None:
    if isinstance(expression, TextChunk):
        return expression.text
    if isinstance(expression, Alternative):
        return _said(random.choice(expression.items), grammar, random)
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
