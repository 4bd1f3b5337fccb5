"""Makes the answer to what was understood and what came of it. Pure but for the clock, which is handed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from rtap.answers.answer import Answer, Earcon
from rtap.answers.facts import Fact, FactsOf, facts_of, held_fact
from rtap.answers.phrases import Case, Phrases, Situation
from rtap.answers.template import render
from rtap.intents.intent import Intent, Understanding, Value
from rtap.vehicle.result import ActionResult, Cause, Held, Outcome

FALLBACK: Final = "en"
"""The language of answers to speakers whose own has no sentences."""
_REPEAT: Final = "Repeat"
_IDENTIFIER: Final = re.compile(r"[a-z0-9_]+")
_EARCONS: Final = {
    Situation.DONE: Earcon.DONE,
    Situation.UNDERSTOOD: Earcon.HEARD,
    Cause.ELSEWHERE: Earcon.HEARD,
    Situation.DID_YOU_MEAN: Earcon.QUESTION,
    Situation.WHICH: Earcon.QUESTION,
}
"""All others failed."""


class Answerer:
    """Answers in the speaker's language; for any thread.

    Args:
        languages: the sentences by language; English is among them.
        clock: the time of the car, for questions about it.
    """

    def __init__(
        self,
        languages: Mapping[str, Phrases],
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._languages = languages
        self._clock = clock

    def answer(
        self,
        understanding: Understanding,
        result: ActionResult | None,
        previous: Answer | None = None,
    ) -> Answer:
        """The answer to one utterance.

        Args:
            understanding: what was understood.
            result: what came of it; None: nothing was to be done, or nothing was understood.
            previous: the answer before, which is given again where the speaker asks for it.
        """
        phrases = self._languages.get(understanding.language, self._languages[FALLBACK])
        intent = understanding.intent
        if intent is None:
            return _question(understanding, phrases)
        if intent.name == _REPEAT and previous is not None:
            return previous
        situation = _situation(result)
        text = _sentence(intent, situation, result, self._clock(), phrases)
        return _answer(text, situation, phrases)


def _situation(result: ActionResult | None) -> Situation | Cause:
    if result is None:
        return Situation.UNDERSTOOD
    if result.outcome is Outcome.DONE:
        return Situation.DONE
    if result.reason is None or result.reason.cause is None:
        return Situation.TIMED_OUT
    return result.reason.cause


def _sentence(
    intent: Intent,
    situation: Situation | Cause,
    result: ActionResult | None,
    now: datetime,
    phrases: Phrases,
) -> str:
    facts, group = facts_of(intent, result, now, phrases)
    for case in phrases.intents.get(intent.name, {}).get(situation, ()):
        if facts.fits(case.when):
            sentence = render(case.say, _with_each(facts, case, group, intent))
            if sentence is not None:
                return sentence
    return _otherwise(situation, facts)


def _with_each(facts: FactsOf, case: Case, group: tuple[Held, ...], intent: Intent) -> FactsOf:
    """The facts with the list of values, if the case has one and every item of it can be said."""
    if case.each is None:
        return facts
    items = []
    for held in group:
        place = facts.phrases.place(held.path)
        if place is None:
            return facts
        one = facts.and_also(held=held_fact(held, intent), place=Fact(place))
        item = render(case.each, one)
        if item is None:
            return facts
        items.append(item)
    if not items:
        return facts
    phrases = facts.phrases
    return facts.and_also(each=Fact(phrases.listed(tuple(items), phrases.last_and)))


def _question(understanding: Understanding, phrases: Phrases) -> Answer:
    """What is asked back where nothing may be done."""
    choices = _choices(understanding.alternatives)
    if choices:
        fact = Fact(phrases.listed(choices, phrases.last_or))
        text = _otherwise(Situation.WHICH, FactsOf(phrases, {"choices": fact}))
        return _answer(text, Situation.WHICH, phrases)
    if understanding.did_you_mean:
        facts = FactsOf(phrases, {"sentence": Fact(understanding.did_you_mean)})
        return _answer(_otherwise(Situation.DID_YOU_MEAN, facts), Situation.DID_YOU_MEAN, phrases)
    text = _otherwise(Situation.NOT_UNDERSTOOD, FactsOf(phrases, {}))
    return _answer(text, Situation.NOT_UNDERSTOOD, phrases)


def _choices(alternatives: tuple[Intent, ...]) -> tuple[str, ...]:
    """What readings of one intent differ in, such as two names; empty where there is no such thing."""
    if len(alternatives) < 2 or len({intent.name for intent in alternatives}) > 1:
        return ()
    names = {slot.name for intent in alternatives for slot in intent.slots}
    values = {name: [intent.value(name) for intent in alternatives] for name in names}
    different = [name for name, found in values.items() if len(set(found)) > 1]
    if len(different) != 1:
        return ()
    choices = values[different[0]]
    return tuple(str(one) for one in choices) if all(map(_is_name, choices)) else ()


def _is_name(value: Value | None) -> bool:
    """Whether a value can be said, which those that stand for something cannot, such as front_left."""
    return isinstance(value, str) and not _IDENTIFIER.fullmatch(value)


def _otherwise(situation: Situation | Cause, facts: FactsOf) -> str:
    sentence = render(facts.phrases.otherwise[situation], facts)
    assert sentence is not None, "the reader checks that these need no fact that may be missing"
    return sentence


def _answer(text: str, situation: Situation | Cause, phrases: Phrases) -> Answer:
    text = text[:1].upper() + text[1:]
    return Answer(text, phrases.language, _EARCONS.get(situation, Earcon.FAILED))
