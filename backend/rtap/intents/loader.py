"""Reads the grammar of a language from folders, and checks it in full before anything is matched with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from hassil import (
    Expression,
    Intents,
    RangeSlotList,
    Sentence,
    SlotList,
    TextSlotList,
    parse_sentence,
)
from hassil.intents import Intent as HassilIntent
from hassil.intents import IntentData
from hassil.parser import ParseError

from rtap.errors import ConfigurationError, ConfigurationFaults
from rtap.intents import conditions, expressions, sources
from rtap.intents.context import BORROWERS
from rtap.intents.grammar import Declared, Grammar, Template
from rtap.intents.name_list import PART, name_list
from rtap.intents.names import NameFiles
from rtap.intents.sources import BUNDLED, Block, Sources
from rtap.intents.spelling import Spelling
from rtap.intents.units import UNITS
from rtap.intents.yaml_file import Fault, Node

LARGEST_LIST: Final = 2_000
"""Values of one list, or numbers of one range: more would have to be searched, not listed."""
MOST_TEMPLATES: Final = 20_000
LONGEST_TEMPLATE: Final = 1_000
"""Characters; Home Assistant's longest has 350."""
_KINDS: Final = ("values", "range", "wildcard", "file")
_UNPARSED: Final = (ParseError, ValueError, AssertionError, KeyError, TypeError, AttributeError)
"""What hassil raises for templates and lists that it cannot make anything of."""


def load_grammar(
    language: str, folders: Sequence[Path] = (BUNDLED,), names: NameFiles | None = None
) -> Grammar:
    """The grammar of one language.

    Args:
        language: the name of its folder, such as ``de``.
        folders: later ones add to the earlier, and replace their lists and rules.
        names: the files of contacts and places.

    Raises:
        ConfigurationError: there is no such folder, file or language.
        ConfigurationFaults: all that is wrong in the files.
    """
    collected = sources.collect(language, folders)
    builder = _Builder(collected, names or NameFiles())
    grammar = builder.build()
    if builder.faults:
        raise ConfigurationFaults(builder.faults)
    return grammar


@dataclass(slots=True)
class _Builder:
    sources: Sources
    names: NameFiles
    spelling: Spelling = field(init=False)
    lists: dict[str, SlotList] = field(default_factory=dict)
    rules: dict[str, Sentence] = field(default_factory=dict)
    units_of_lists: dict[str, str] = field(default_factory=dict)
    units: dict[tuple[str, str, str], str] = field(default_factory=dict)
    intents: dict[str, HassilIntent] = field(default_factory=dict)
    templates: dict[str, list[Template]] = field(default_factory=dict)
    intent_names: tuple[str, ...] = ()
    """All that have sentences, in any file."""
    places: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By template's text: where it is, and the intent."""

    @property
    def faults(self) -> list[str]:
        return self.sources.faults

    def __post_init__(self) -> None:
        self.spelling = Spelling(self.sources.spellings)

    def build(self) -> Grammar:
        for name, node in self.sources.lists.items():
            self._try(self._add_list, name, node)
        for name, node in self.sources.rules.items():
            self._try(self._add_rule, name, node)
        self.intent_names = tuple(dict.fromkeys(block.intent for block in self.sources.blocks))
        if self._references_hold():
            for block in self.sources.blocks:
                self._try(self._add_block, block)
            conditions.check_slots(self.templates, self.faults)
            if sum(map(len, self.templates.values())) > MOST_TEMPLATES:
                self.faults.append(
                    f"there are more than {MOST_TEMPLATES} templates: write alternatives with brackets"
                )
        return Grammar(
            language=self.sources.language,
            intents=MappingProxyType(dict(self._declared())),
            sentences=Intents(
                language=self.sources.language,
                intents=self.intents,
                slot_lists=self.lists,
                expansion_rules=self.rules,
                skip_words=[self.spelling.plain(word) for word in self.sources.skip_words],
                settings=_parsed({"settings": self.sources.settings}).settings,
            ),
            spelling=self.spelling,
            units=MappingProxyType(self.units),
            lists=MappingProxyType({name: _size(one) for name, one in self.lists.items()}),
        )

    def _declared(self) -> Iterator[tuple[str, Declared]]:
        for name, templates in self.templates.items():
            declaration = self.sources.declarations.get(name)
            description = declaration.description if declaration else ""
            acts = declaration.acts if declaration else True
            yield name, Declared(name, description, tuple(templates), acts)

    def _try(self, add: Callable[..., None], *arguments: object) -> None:
        try:
            add(*arguments)
        except Fault as fault:
            self.faults.append(str(fault))
        except ConfigurationError as error:
            self.faults.append(str(error))

    def _add_rule(self, name: str, node: Node) -> None:
        rule = _template(node, f"rule <{name}>")
        expressions.spell(rule.expression, self.spelling)
        self.rules[name] = rule

    def _add_list(self, name: str, node: Node) -> None:
        entry = node.mapping(f"list {{{name}}}")
        kinds = [kind for kind in _KINDS if kind in entry]
        if len(kinds) != 1:
            raise node.fault(
                f"list {{{name}}} needs one of {', '.join(_KINDS)}, and has {len(kinds)}"
            )
        if "unit" in entry:
            unit = entry["unit"].text("unit")
            if unit not in UNITS:
                raise entry["unit"].fault(
                    f"list {{{name}}} has the unknown unit {unit}: use one of {', '.join(sorted(UNITS))}"
                )
            self.units_of_lists[name] = unit
        if kinds == ["file"]:
            self.lists[name] = self._names(name, entry["file"])
            return
        if kinds == ["values"]:
            _check_values(name, entry["values"])
        plain = {key: value for key, value in node.plain().items() if key != "unit"}
        try:
            self.lists[name] = _parsed({"lists": {name: plain}}).slot_lists[name]
        except _UNPARSED as error:
            raise node.fault(
                f"list {{{name}}} cannot be read ({_said(error)}): correct it"
            ) from error
        if (size := _size(self.lists[name])) > LARGEST_LIST:
            raise node.fault(_too_large(name, size))
        for value in expressions.values(self.lists[name]):
            expressions.spell(value, self.spelling)

    def _names(self, name: str, node: Node) -> SlotList:
        wanted = node.text(f"file of list {{{name}}}")
        known = {"contacts": self.names.contacts, "places": self.names.places}
        path = (
            known[wanted]
            if wanted in known
            else Path(node.place.rpartition(":")[0]).parent / wanted
        )
        if path is None:
            return TextSlotList(name, [])
        names = name_list(name, path, self.spelling, self.faults)
        whole = sum(value.metadata is not PART for value in names.values)
        if whole > LARGEST_LIST:
            raise Fault(f"{path}:1: {_too_large(name, whole)}")
        return names

    def _references_hold(self) -> bool:
        """Whether all lists and rules can be followed; if not, templates with them cannot be checked."""
        held = not self.faults
        for name, rule in self.rules.items():
            node = self.sources.rules[name]
            held &= self._all_known(rule.expression, node, f"rule <{name}>")
        for name, one in self.lists.items():
            for value in expressions.values(one):
                held &= self._all_known(value, self.sources.lists[name], f"list {{{name}}}")
        if way := expressions.circle(self.rules, self.lists):
            first = way[0]
            known = self.sources.rules if first[0] == "<" else self.sources.lists
            self.faults.append(
                f"{known[first[1:-1]].place}: {' -> '.join(way)} goes in a circle: take one of them out"
            )
            return False
        return held

    def _all_known(self, expression: Expression, node: Node, where: str) -> bool:
        unknown = list(dict.fromkeys(expressions.unknown_names(expression, self.lists, self.rules)))
        for name in unknown:
            kind = "rule" if name[0] == "<" else "list"
            self.faults.append(f"{node.place}: {where} has the unknown {kind} {name}: define it")
        return not unknown

    def _add_block(self, block: Block) -> None:
        for sentence in block.sentences:
            _template(sentence, f"a sentence of {block.intent}")
        plain = block.node.plain()
        conditions.check(block, self.intent_names, self.faults)
        for key in ("lists", "expansion_rules"):
            if key in plain:
                raise block.node.fault(
                    f"data of {block.intent} has {key} of its own: move them to the top of the file"
                )
        try:
            parsed = _parsed({"intents": {block.intent: {"data": [plain]}}})
            data = parsed.intents[block.intent].data[0]
            templates = data.sentences
        except _UNPARSED as error:
            raise block.node.fault(
                f"data of {block.intent} cannot be read ({_said(error)}): correct it"
            ) from error
        nodes = {node.value: node for node in block.sentences}
        for template in templates:
            self._try(self._add_template, block.intent, template, nodes[template.text], data)
        self.intents.setdefault(block.intent, HassilIntent(block.intent)).data.append(data)

    def _add_template(self, intent: str, sentence: Sentence, node: Node, data: IntentData) -> None:
        expressions.spell(sentence.expression, self.spelling)
        if not self._all_known(sentence.expression, node, f"a sentence of {intent}"):
            return
        if expressions.needs_no_word(sentence.expression, self.lists, self.rules):
            raise node.fault(
                f"this sentence of {intent} needs no word of its own, so that anything would be it: write "
                "words that are always said"
            )
        if not (data.requires_context or data.excludes_context):  # which may tell the two apart
            self._claim(intent, node)
        filled = {*data.slots, *conditions.copied(data.requires_context)}
        for slot, list_name in expressions.slots(sentence.expression, self.lists, self.rules):
            filled.add(slot)
            self._note_unit(intent, node, slot, list_name)
        self._check_slots(intent, node, filled)
        template = Template(node.value, node.place, tuple(sorted(filled)))
        self.templates.setdefault(intent, []).append(template)

    def _claim(self, intent: str, node: Node) -> None:
        text = " ".join(node.value.lower().split())
        place, other = self.places.setdefault(text, (node.place, intent))
        if place != node.place and other != intent:
            raise node.fault(
                f"this sentence of {intent} is a sentence of {other} too ({place}): delete one of the two"
            )

    def _note_unit(self, intent: str, node: Node, slot: str, list_name: str) -> None:
        unit = self.units_of_lists.get(list_name, "")
        if self.units.setdefault((intent, node.value, slot), unit) != unit:
            raise node.fault(
                f"slot {slot} has more than one unit in this sentence: write a sentence for each"
            )

    def _check_slots(self, intent: str, node: Node, filled: set[str]) -> None:
        declaration = self.sources.declarations.get(intent)
        if declaration is None or intent in BORROWERS:
            return
        there = ", ".join(sorted(declaration.slots)) or "none"
        for slot in sorted(filled - declaration.slots):
            self.faults.append(
                f"{node.place}: {intent} has no slot {slot}: use one of its slots ({there}), or add it at "
                f"{declaration.place}"
            )


def _check_values(name: str, node: Node) -> None:
    values = node.items(f"values of list {{{name}}}")
    if len(values) > LARGEST_LIST:
        raise node.fault(_too_large(name, len(values)))
    if not values:
        raise node.fault(f"list {{{name}}} is empty: write its values, or delete it")
    for value in values:
        said = value
        if isinstance(value.value, dict):
            if "in" not in value.value:
                raise value.fault(f"a value of list {{{name}}} has no `in`: write what is said")
            said = value.value["in"]
        _template(said, f"a value of list {{{name}}}")


def _template(node: Node, what: str) -> Sentence:
    """Parse one template.

    Raises:
        Fault: it is no text, too long, or its brackets do not fit.
    """
    text = node.text(what)
    if len(text) > LONGEST_TEMPLATE:
        raise node.fault(f"{what} has more than {LONGEST_TEMPLATE} characters: make several of it")
    try:
        return parse_sentence(text, keep_text=True)
    except (*_UNPARSED, RecursionError) as error:
        raise node.fault(
            f"{what} is no template ({text!r}): see that every bracket is closed"
        ) from error


def _parsed(plain: Mapping[str, Any]) -> Intents:
    return Intents.from_dict({"language": "", "intents": {}, **plain})


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _size(slot_list: SlotList) -> int:
    if isinstance(slot_list, TextSlotList):
        return len(slot_list.values)
    if isinstance(slot_list, RangeSlotList):
        steps = (slot_list.stop - slot_list.start) // slot_list.step + 1
        fractions = {None: 1, "halves": 2, "tenths": 10}
        kind = slot_list.fraction_type
        return steps * fractions[kind.value if kind else None]
    return 0


def _too_large(name: str, size: int) -> str:
    return f"list {{{name}}} has {size} values, and {LARGEST_LIST} are the most: leave out what is rare"
