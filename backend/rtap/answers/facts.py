"""What can be said of a command and its outcome: facts by name, and their words in a language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from rtap.answers.phrases import Phrases
from rtap.answers.template import Hole, render
from rtap.intents.intent import Intent, Value
from rtap.vehicle.plan import text_of
from rtap.vehicle.result import ActionResult, Held, Limits
from rtap.vehicle.units import converted

HELD = ("held", "lowest", "highest", "each", "place")
"""Facts of values that hold: the value where all are equal, or the ends of their range; a list of all, and
what the place of one is called in it. Of what is out of range: the ends of what can be set."""
CLOCK = ("hour", "hour12", "half_day", "minute", "minute2", "weekday", "day", "month", "year")
"""Facts of the clock: the hour of 24 and of 12, am or pm, the minute also with two digits, Monday is 1."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value and its unit."""

    value: Value
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class FactsOf:
    """Facts in the words of a language."""

    phrases: Phrases
    facts: Mapping[str, Fact]
    is_many: bool = False

    def text(self, hole: Hole) -> str | None:
        """See :meth:`rtap.answers.template.Facts.text`."""
        fact = self.facts.get(hole.name)
        if fact is None:
            return None
        if hole.words is not None:
            words = self.phrases.words[hole.words].get(plain(fact.value))
            if words is not None or not _is_number(fact.value):
                return words
        return said(fact, self.phrases)

    def fits(self, when: Mapping[str, str | None]) -> bool:
        """Whether facts have the values that a case asks for."""
        return all(
            name in self.facts and wanted in (None, plain(self.facts[name].value))
            for name, wanted in when.items()
        )

    def and_also(self, **facts: Fact) -> FactsOf:
        """The same with more facts."""
        return replace(self, facts={**self.facts, **facts})


def plain(value: Value) -> str:
    """A value as files write it."""
    return f"{value:g}" if isinstance(value, float) else text_of(value)


def said(fact: Fact, phrases: Phrases) -> str | None:
    """A fact in words, such as ``21,5 Grad``; None for true and false, which need words of their own."""
    if not _is_number(fact.value):
        return fact.value if isinstance(fact.value, str) else None
    number, unit = float(fact.value), fact.unit
    words = phrases.units.get(unit or "")
    if words is not None and words.shown_as is not None:
        number, unit = converted(number, unit, words.shown_as), words.shown_as
        words = phrases.units[unit]
    shown = _number(number, 1 if words is None else words.digits, phrases)
    if words is None:
        return shown
    form = words.forms.get(shown, words.forms["other"])
    return render(form, FactsOf(phrases, {"number": Fact(shown)}))


def facts_of(
    intent: Intent, result: ActionResult | None, now: datetime, phrases: Phrases
) -> tuple[FactsOf, tuple[Held, ...]]:
    """All facts, and the values that they are about: the first, and those of the same signal elsewhere."""
    held = () if result is None else result.held
    group = tuple(one for one in held if _signal(one) == _signal(held[0]))
    facts = _clock_facts(now) | _held_facts(group, _wanted_unit(intent, group))
    if result is not None and result.reason is not None and result.reason.limits is not None:
        facts |= _limit_facts(result.reason.limits, intent)
    facts |= {slot.name: Fact(slot.value, slot.unit) for slot in intent.slots}
    return FactsOf(phrases, facts, is_many=len(group) > 1), group


def held_fact(held: Held, intent: Intent) -> Fact:
    """A value that holds, in the unit that the speaker used."""
    return _in_unit(held, _wanted_unit(intent, (held,)))


def _signal(held: Held) -> str:
    return held.path.rpartition(".")[2]


def _wanted_unit(intent: Intent, group: tuple[Held, ...]) -> str | None:
    """The unit of a slot in which the values can be said, or their own."""
    if not group:
        return None
    for slot in intent.slots:
        if slot.unit is not None and group[0].unit is not None:
            try:
                converted(0, group[0].unit, slot.unit)
            except ValueError:
                continue
            return slot.unit
    return group[0].unit


def _in_unit(held: Held, unit: str | None) -> Fact:
    if unit == held.unit or not _is_number(held.value):
        return Fact(held.value, held.unit)
    return Fact(converted(float(held.value), held.unit, unit), unit)


def _limit_facts(limits: Limits, intent: Intent) -> dict[str, Fact]:
    ends = tuple(Held("", end, limits.unit) for end in (limits.lowest, limits.highest))
    return _held_facts(ends, _wanted_unit(intent, ends))


def _held_facts(group: tuple[Held, ...], unit: str | None) -> dict[str, Fact]:
    facts = [_in_unit(held, unit) for held in group]
    if not facts:
        return {}
    if all(fact.value == facts[0].value for fact in facts):
        return {"held": facts[0]}
    numbers = [fact for fact in facts if _is_number(fact.value)]
    if len(numbers) < len(facts):
        return {}
    by_size = sorted(numbers, key=lambda fact: float(fact.value))
    return {"lowest": by_size[0], "highest": by_size[-1]}


def _clock_facts(now: datetime) -> dict[str, Fact]:
    facts: Iterable[tuple[str, Value]] = (
        ("hour", now.hour),
        ("hour12", (now.hour - 1) % 12 + 1),
        ("half_day", "am" if now.hour < 12 else "pm"),
        ("minute", now.minute),
        ("minute2", f"{now.minute:02}"),
        ("weekday", now.isoweekday()),
        ("day", now.day),
        ("month", now.month),
        ("year", now.year),
    )
    return {name: Fact(value) for name, value in facts}


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(number: float, digits: int, phrases: Phrases) -> str:
    text = f"{abs(number):.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    sign = phrases.minus if number < 0 and text != "0" else ""
    return sign + text.replace(".", phrases.decimal)
