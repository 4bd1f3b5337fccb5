"""Reads the sentences of one language from files, and checks them in full before any of them is said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rtap.answers.facts import CLOCK, HELD
from rtap.answers.layers import Layers, collect, languages
from rtap.answers.phrases import ALL, EXTRA, OUTCOMES, Case, Phrases, UnitWords
from rtap.answers.template import Template, holes, parse
from rtap.errors import ConfigurationError, ConfigurationFaults
from rtap.intents.faults import advice, check_keys, noted, number
from rtap.intents.units import UNITS as SLOT_UNITS
from rtap.intents.yaml_file import Fault, Node
from rtap.vehicle.case_reader import Vocabulary
from rtap.vehicle.plan import text_of
from rtap.vehicle.units import UNITS as SIGNAL_UNITS
from rtap.vehicle.units import converted

_UNITS: Final = SLOT_UNITS | SIGNAL_UNITS
_NUMBERS: Final = ("decimal", "minus")
_LISTS: Final = ("and", "or")
_UNIT: Final = ("digits", "shown_as")
_CASE: Final = ("when", "say", "each")
_GIVEN: Final = "given"
_OTHER: Final = "other"
_MOST_DIGITS: Final = 3


def read_phrases(language: str, folders: Sequence[Path], vocabulary: Vocabulary) -> Phrases:
    """The sentences of a language: LANGUAGE.yaml of each folder, entries of later ones over the earlier.

    Args:
        language: its code.
        folders: where the files are; those that have none are passed over.
        vocabulary: the intents that there are, with their slots.

    Raises:
        ConfigurationError: no folder has the language, or a file cannot be read; as ConfigurationFaults: all
            that is wrong.
    """
    layers = collect(language, folders)
    if not layers.place:
        there = ", ".join(languages(folders))
        raise ConfigurationError(
            f"there are no answers in the language {language}: choose one of {there}, or add "
            f"{language}.yaml to a folder of yours"
        )
    phrases = _Reader(layers, vocabulary).phrases()
    if layers.faults:
        raise ConfigurationFaults(layers.faults)
    return phrases


class _Reader:
    """Makes phrases of what the files say; what is wrong is noted."""

    def __init__(self, layers: Layers, vocabulary: Vocabulary) -> None:
        self._layers = layers
        self._vocabulary = vocabulary
        self._faults = layers.faults
        self._sections = layers.sections
        self._words: dict[str, Mapping[str, str]] = {}

    def phrases(self) -> Phrases:
        numbers = self._texts("numbers", _NUMBERS)
        lists = self._texts("lists", _LISTS)
        for name, node in self._sections["words"].items():
            with noted(self._faults):
                self._words[name] = {
                    key: _any_text(one, f"{key} of {name}")
                    for key, one in node.mapping(f"words {name}").items()
                }
        return Phrases(
            language=self._layers.language,
            decimal=numbers["decimal"],
            minus=numbers["minus"],
            last_and=lists["and"],
            last_or=lists["or"],
            units=MappingProxyType(self._units()),
            words=MappingProxyType(self._words),
            places=tuple(
                (pattern, _any_text(node, f"place {pattern}"))
                for pattern, node in self._sections["places"].items()
            ),
            intents=MappingProxyType(
                {name: self._intent(name, entry) for name, entry in self._layers.intents.items()}
            ),
            otherwise=MappingProxyType(self._otherwise()),
        )

    def _texts(self, section: str, names: Iterable[str]) -> dict[str, str]:
        """A section of single texts, each of which has to be there."""
        entries = self._sections[section]
        check_keys(entries, tuple(names), section, self._faults)
        texts = dict.fromkeys(names, "")
        for name in texts:
            with noted(self._faults):
                if name not in entries:
                    raise Fault(f"{self._layers.place}: {section} has no {name}: write it")
                texts[name] = _any_text(entries[name], f"{name} of {section}")
        return texts

    def _units(self) -> dict[str, UnitWords]:
        units: dict[str, UnitWords] = {}
        for unit, node in self._sections["units"].items():
            with noted(self._faults):
                if unit not in _UNITS:
                    raise node.fault(f"{unit} is no unit: {advice(unit, sorted(_UNITS))}")
                units[unit] = self._unit(unit, node)
        missing = sorted(_UNITS - self._sections["units"].keys())
        if missing:
            self._faults.append(
                f"{self._layers.place}: units has no {', '.join(missing)}: write how they are said"
            )
        return units

    def _unit(self, unit: str, node: Node) -> UnitWords:
        entry = dict(node.mapping(f"unit {unit}"))
        settings = {key: entry.pop(key) for key in _UNIT if key in entry}
        if _OTHER not in entry:
            raise node.fault(f"unit {unit} has no {_OTHER}: write how any number of it is said")
        digits = settings.get("digits")
        shown_as = settings.get("shown_as")
        return UnitWords(
            forms={
                form: self._template(one, {"number"}, f"{form} of {unit}")
                for form, one in entry.items()
            },
            digits=1 if digits is None else _digits(digits),
            shown_as=None if shown_as is None else self._shown_as(unit, shown_as),
        )

    def _shown_as(self, unit: str, node: Node) -> str:
        other = node.text("shown_as")
        try:
            converted(1, unit, other)
        except ValueError as error:
            raise node.fault(f"{error}: write another unit") from error
        target = self._sections["units"].get(other)
        if target is None or "shown_as" in target.mapping(f"unit {other}"):
            raise node.fault(
                f"{unit} is shown as {other}, which is shown as something else: write that"
            )
        return other

    def _intent(self, intent: str, entry: Mapping[str, Node]) -> dict[str, tuple[Case, ...]]:
        node = self._sections["intents"][intent]
        if intent not in self._vocabulary:
            self._faults.append(
                f"{node.place}: no grammar has the intent {intent}: {advice(intent, self._vocabulary)}"
            )
        check_keys(entry, OUTCOMES, f"intent {intent}", self._faults)
        cases: dict[str, tuple[Case, ...]] = {}
        for outcome, one in entry.items():
            items = one.value if isinstance(one.value, tuple) else (one,)
            found = []
            for item in items:
                with noted(self._faults):
                    found.append(self._case(intent, item))
            cases[outcome] = tuple(found)
        return cases

    def _case(self, intent: str, node: Node) -> Case:
        known = self._known(intent)
        if isinstance(node.value, str):
            return Case({}, self._template(node, known, "a sentence"), None, node.place)
        entry = node.mapping(f"a sentence of {intent}")
        check_keys(entry, _CASE, f"a sentence of {intent}", self._faults)
        if "say" not in entry:
            raise node.fault(f"a sentence of {intent} has no say: write the sentence there")
        when: dict[str, str | None] = {}
        for name, one in (entry["when"].mapping("when") if "when" in entry else {}).items():
            if known is not None:
                _check_name(name, known, one)
            value = _scalar(one, f"when {name}")
            when[name] = None if value == _GIVEN else value
        return Case(
            when=when,
            say=self._template(entry["say"], known, "say"),
            each=self._template(entry["each"], known, "each") if "each" in entry else None,
            place=node.place,
        )

    def _known(self, intent: str) -> frozenset[str] | None:
        """The facts that a sentence about an intent can have; None: nobody knows."""
        slots = self._vocabulary.get(intent)
        return None if slots is None else slots | set(HELD) | set(CLOCK)

    def _otherwise(self) -> dict[str, Template]:
        entries = self._sections["otherwise"]
        check_keys(entries, ALL, "otherwise", self._faults)
        sentences: dict[str, Template] = {}
        for outcome in ALL:
            with noted(self._faults):
                if outcome not in entries:
                    raise Fault(
                        f"{self._layers.place}: otherwise has no {outcome}: write a sentence"
                    )
                extra = EXTRA.get(outcome)
                known = {extra} if extra else set()
                template = self._template(entries[outcome], known, outcome)
                if any(hole.words for hole in holes(template)):
                    raise entries[outcome].fault(
                        "a list of words may have none for it: write {fact}"
                    )
                sentences[outcome] = template
        return sentences

    def _template(self, node: Node, known: Collection[str] | None, what: str) -> Template:
        try:
            template = parse(node.text(what))
        except ValueError as error:
            raise node.fault(str(error)) from error
        for hole in holes(template):
            if known is not None:
                _check_name(hole.name, known, node)
            if hole.words is not None and hole.words not in self._sections["words"]:
                raise node.fault(
                    f"there are no words {hole.words}: {advice(hole.words, self._sections['words'])}"
                )
        return template


def _check_name(name: str, known: Collection[str], node: Node) -> None:
    if name not in known:
        there = advice(name, sorted(known)) if known else "this sentence has none"
        raise node.fault(f"{{{name}}} is no fact here: {there}")


def _digits(node: Node) -> int:
    digits = number(node, "digits")
    if digits not in range(_MOST_DIGITS + 1):
        raise node.fault(f"digits is not from 0 to {_MOST_DIGITS}: correct it")
    return int(digits)


def _scalar(node: Node, what: str) -> str:
    if not isinstance(node.value, str | int | float):
        raise node.fault(f"{what} is no single value: write one, or {_GIVEN}")
    return f"{node.value:g}" if isinstance(node.value, float) else text_of(node.value)


def _any_text(node: Node, what: str) -> str:
    """A text that may be empty."""
    if not isinstance(node.value, str):
        raise node.fault(f"{what} is no text: put it in quotes")
    return node.value
