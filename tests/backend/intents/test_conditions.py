"""Conditions on the turn before that can never hold are named with file and line."""

from pathlib import Path

import pytest

from rtap.errors import ConfigurationFaults
from rtap.intents.loader import load_grammar


def faults(folder: Path, condition: str) -> list[str]:
    (folder / "en").mkdir(exist_ok=True)
    path = folder / "en" / "car.yaml"
    path.write_text(
        "intents:\n"
        "  Heat: {data: [{sentences: [heat]}]}\n"
        f"  More: {{data: [{{sentences: [more], requires_context: {condition}}}]}}\n"
    )
    try:
        load_grammar("en", (folder,))
    except ConfigurationFaults as error:
        return [fault.removeprefix(f"{path}:") for fault in error.faults]
    return []


@pytest.mark.parametrize(
    "condition",
    [
        "{previous: null}",
        "{previous: Heat}",
        "{previous: [Heat, More]}",
        "{previous: {value: [Heat], slot: false}}",
        "{previous: {slot: false}}",
        "{question: [sure, meant, which]}",
        "{zone: left}",
    ],
)
def test_what_can_hold(condition: str, tmp_path: Path):
    assert faults(tmp_path, condition) == []


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        (
            "{previous: Haet}",
            "3: requires_context of More has the unknown previous Haet: did you mean Heat?",
        ),
        (
            "{previous: {value: [Heat, Cool]}}",
            "3: requires_context of More has the unknown previous Cool: there are Heat, More",
        ),
        (
            "{question: what}",
            "3: requires_context of More has the unknown question what: there are which, sure, meant",
        ),
        (
            "[Heat]",
            "3: requires_context is no mapping: write keys below it, each with its value",
        ),
    ],
)
def test_what_cannot(condition: str, fault: str, tmp_path: Path):
    assert faults(tmp_path, condition) == [fault]


def test_slots_of_the_turn_before_have_to_be_declared(tmp_path: Path):
    (tmp_path / "intents.yaml").write_text("Heat: {slots: []}\nMore: {slots: [zone]}\n")
    assert faults(tmp_path, "{zone: {slot: true}}") == []
    there = f"use one of its slots (zone), or add it at {tmp_path / 'intents.yaml'}:2"
    assert faults(tmp_path, "{zone: {slot: where}}") == [f"3: More has no slot where: {there}"]


def test_slots_that_are_filled_for_other_intents(tmp_path: Path):
    (tmp_path / "en").mkdir()
    path = tmp_path / "en" / "car.yaml"
    path.write_text(
        "intents:\n"
        "  Heat: {data: [{sentences: ['heat [{zone}]']}]}\n"
        "  Likewise: {data: [{sentences: ['and {zone}', 'in {zone:zoen}']}]}\n"
        "  Choose: {data: [{sentences: ['number {1..3:number}']}]}\n"
        "lists: {zone: {values: [front]}}\n"
    )
    with pytest.raises(ConfigurationFaults) as error:
        load_grammar("en", (tmp_path,))
    assert [*error.value.faults] == [
        f"{path}:3: no intent has the slot zoen, so that Likewise cannot fill it: did you mean zone?"
    ]
