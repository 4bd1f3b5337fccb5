"""Questions about parsed templates: what they refer to, and what they match at least."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from hassil import (
    Alternative,
    Expression,
    Group,
    ListReference,
    RuleReference,
    Sentence,
    Sequence,
    SlotList,
    TextChunk,
    TextSlotList,
    WildcardSlotList,
)

from rtap.intents.spelling import Spelling

Lists = Mapping[str, SlotList]
Rules = Mapping[str, Sentence]


def parts(expression: Expression) -> Iterator[Expression]:
    """The expression and all within it, without following references."""
    yield expression
    if isinstance(expression, Group):
        for item in expression.items:
            yield from parts(item)


def values(slot_list: SlotList) -> Iterator[Expression]:
    """What may be said for a list; nothing of ranges and wildcards."""
    if isinstance(slot_list, TextSlotList):
        for value in slot_list.values:
            yield value.text_in


def spell(expression: Expression, spelling: Spelling) -> None:
    """Bring the words of an expression into the form that a text is brought into, in place."""
    if isinstance(expression, TextChunk):
        _spell_run([expression], spelling)
    elif isinstance(expression, Sequence):
        for is_text, run in groupby(expression.items, lambda item: isinstance(item, TextChunk)):
            if is_text:
                _spell_run([item for item in run if isinstance(item, TextChunk)], spelling)
            else:
                for item in run:
                    spell(item, spelling)
    elif isinstance(expression, Group):
        for item in expression.items:
            spell(item, spelling)


def _spell_run(chunks: list[TextChunk], spelling: Spelling) -> None:
    """Spell words that follow one another, as a short form may take several of them."""
    apart = [spelling.plain(chunk.text) for chunk in chunks]
    text = "".join(chunk.text for chunk in chunks)
    whole = spelling.plain(text)
    if whole == " ".join(filter(None, apart)):
        for chunk, words in zip(chunks, apart, strict=True):
            if chunk.text.strip():
                _write(chunk, chunk.text, words)
        return
    _write(chunks[0], text, whole)
    for chunk in chunks[1:]:
        chunk.text = chunk.original_text = ""


def _write(chunk: TextChunk, before: str, words: str) -> None:
    """Words in place of what was there, with a space where it began or ended with one."""
    first = " " if before[0].isspace() else ""
    last = " " if before[-1].isspace() else ""
    chunk.text = chunk.original_text = f"{first}{words}{last}"


def unknown_names(expression: Expression, lists: Lists, rules: Rules) -> Iterator[str]:
    """``{list}`` and ``<rule>`` that an expression refers to and that are not there."""
    for part in parts(expression):
        if isinstance(part, RuleReference) and part.rule_name not in rules:
            yield f"<{part.rule_name}>"
        elif isinstance(part, ListReference) and not (
            part.is_inline_range or part.list_name in lists
        ):
            yield f"{{{part.list_name}}}"


def circle(rules: Rules, lists: Lists) -> tuple[str, ...]:
    """Rules and lists that lead back to the first of them; empty where none do."""
    graph = {f"<{name}>": rule.expression for name, rule in rules.items()}
    done: set[str] = set()

    def search(name: str, way: tuple[str, ...]) -> tuple[str, ...]:
        if name in way:
            return (*way[way.index(name) :], name)
        if name in done:
            return ()
        expressions = [graph[name]] if name in graph else []
        if name[0] == "{" and name[1:-1] in lists:
            expressions = list(values(lists[name[1:-1]]))
        for expression in expressions:
            for following in _references(expression):
                if found := search(following, (*way, name)):
                    return found
        done.add(name)
        return ()

    for start in (*graph, *(f"{{{name}}}" for name in lists)):
        if found := search(start, ()):
            return found
    return ()


def _references(expression: Expression) -> Iterator[str]:
    for part in parts(expression):
        if isinstance(part, RuleReference):
            yield f"<{part.rule_name}>"
        elif isinstance(part, ListReference):
            yield f"{{{part.list_name}}}"


def slots(expression: Expression, lists: Lists, rules: Rules) -> Iterator[tuple[str, str]]:
    """Each slot that an expression may fill, with the list that does, references followed."""
    for part in parts(expression):
        if isinstance(part, RuleReference):
            yield from slots(rules[part.rule_name].expression, lists, rules)
        elif isinstance(part, ListReference):
            if not part.is_capture:
                yield part.slot_name, part.list_name
            if part.list_name in lists:
                for value in values(lists[part.list_name]):
                    yield from slots(value, lists, rules)


def needs_no_word(expression: Expression, lists: Lists, rules: Rules) -> bool:  # noqa: PLR0911 (one a kind)
    """Whether it can match without any word of its own: nothing at all, or whatever a wildcard takes."""
    if isinstance(expression, TextChunk):
        return not expression.text.strip()
    if isinstance(expression, Alternative):
        return any(needs_no_word(item, lists, rules) for item in expression.items)
    if isinstance(expression, Group):
        return all(needs_no_word(item, lists, rules) for item in expression.items)
    if isinstance(expression, RuleReference):
        return needs_no_word(rules[expression.rule_name].expression, lists, rules)
    if isinstance(expression, ListReference):
        slot_list = lists.get(expression.list_name)
        if isinstance(slot_list, WildcardSlotList):
            return True
        return slot_list is not None and any(
            needs_no_word(value, lists, rules) for value in values(slot_list)
        )
    return False
