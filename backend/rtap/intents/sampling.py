"""Draws sentences that a template matches: as examples, and to find what is near to a text."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Habit:
    """How somebody speaks."""

    first: float
    """How often the first of several words is taken."""
    rules_left_out: float
    """How often brackets with a rule are: such rules are articles and verbs, which most people say."""


VARIED: Final = Habit(first=0.5, rules_left_out=_LEFT_OUT)
NATURAL: Final = Habit(first=0.5, rules_left_out=0.25)
"""Nearly all of what may be said, in sentences that are seldom curt."""
_USUAL: Final = Habit(first=1.0, rules_left_out=0.0)
"""Templates have first what is said most, and what is right beside what was misheard."""


def sample(
    expression: Expression, grammar: Grammar, random: Random, habit: Habit = VARIED
) -> str | None:
    """One sentence, in the spelling of texts; None where a list is empty or takes any words."""
    return _Speaker(grammar, random, habit).sentence(expression)


def can_begin(intent: str, grammar: Grammar) -> bool:
    """Whether some sentence for an intent is understood without a turn before."""
    data = grammar.sentences.intents[intent].data
    return any(is_possible(one.requires_context, {}) for one in data)


def example(intent: str, grammar: Grammar) -> str | None:
    """A usual sentence for an intent, always the same; None where each needs an empty list or a wildcard."""
    speaker = _Speaker(grammar, Random(0), _USUAL)
    drawn = (
        speaker.sentence(template.expression)
        for data in sorted(
            grammar.sentences.intents[intent].data,
            # Those first that are understood without a turn before.
            key=lambda data: not is_possible(data.requires_context, {}),
        )
        for template in data.sentences
    )
    return next((sentence for sentence in drawn if sentence), None)


@dataclass(frozen=True, slots=True)
class _Speaker:
    grammar: Grammar
    random: Random
    habit: Habit

    def sentence(self, expression: Expression) -> str | None:
        said = self._said(expression)
        return None if said is None else " ".join(said.split())

    def _said(self, expression: Expression) -> str | None:
        if isinstance(expression, TextChunk):
            return expression.text
        if isinstance(expression, Alternative):
            return self._alternative(expression)
        if isinstance(expression, Group):
            return self._group(expression)
        if isinstance(expression, RuleReference):
            return self._said(
                self.grammar.sentences.expansion_rules[expression.rule_name].expression
            )
        if isinstance(expression, ListReference):
            return self._of_list(expression)
        return None

    def _alternative(self, expression: Alternative) -> str | None:
        if expression.is_optional:
            holds_rule = any(map(_is_rule, expression.items))
            left_out = self.habit.rules_left_out if holds_rule else _LEFT_OUT
            if self.random.random() < left_out:
                return ""
        for item in expression.items[:-1]:
            if self.random.random() < self.habit.first:
                return self._said(item)
        return self._said(expression.items[-1])

    def _group(self, expression: Group) -> str | None:
        items = list(expression.items)
        between = ""
        if isinstance(expression, Permutation):
            self.random.shuffle(items)
            between = " "
        said = [self._said(item) for item in items]
        return None if None in said else between.join(part for part in said if part is not None)

    def _of_list(self, reference: ListReference) -> str | None:
        if (parts := reference.get_inline_range()) is not None:
            start, stop, step = parts
            return str(self.random.choice(range(start, stop + 1, step)))
        one = self.grammar.sentences.slot_lists[reference.list_name]
        if isinstance(one, TextSlotList) and one.values:
            return self._said(self.random.choice(one.values).text_in)
        if isinstance(one, RangeSlotList):
            return str(self.random.choice(list(one.get_numbers())))
        return None


def _is_rule(expression: Expression) -> bool:
    """Whether it is a rule and nothing else."""
    if isinstance(expression, Group) and not isinstance(expression, Alternative):
        return [*map(_is_rule, expression.items)] == [True]
    return isinstance(expression, RuleReference)
