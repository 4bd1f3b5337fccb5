"""What may be said for a name of a file."""

from pathlib import Path

import pytest

from rtap.intents.name_list import PART, name_list, parts
from rtap.intents.spelling import Spelling


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Mum", []),
        ("Anna Schmidt", ["Anna", "Schmidt"]),
        ("Anna Maria Schmidt", ["Anna", "Anna Maria", "Maria", "Maria Schmidt", "Schmidt"]),
        ("Ludwig van Beethoven", ["Ludwig", "van Beethoven", "Beethoven"]),
        ("Dr. Weber", ["Weber"]),
        ("St. Pölten", ["Pölten"]),
        ("Bahnhof am Zoo", ["Bahnhof", "am Zoo", "Zoo"]),
        ("anna schmidt", []),
        ("Q 8", []),
    ],
)
def test_parts(name: str, expected: list[str]):
    assert list(parts(name)) == expected


def test_parts_of_a_long_name():
    """All that follow one another would be 15 of five words, and 5,050 of a hundred."""
    assert len(list(parts("Anna Berta Carla Dora Emma"))) == 10
    assert len(list(parts(" ".join(["Anna"] * 100)))) == 10


def said(folder: Path, text: str) -> tuple[list[tuple[str, str, bool]], list[str]]:
    path = folder / "contacts.txt"
    path.write_text(text, "utf-8")
    faults: list[str] = []
    names = name_list("contact", path, Spelling({}), faults)
    return [
        (value.text_in.text, value.value_out, value.metadata is PART)  # type: ignore[attr-defined]
        for value in names.values
    ], [fault.removeprefix(f"{path}:") for fault in faults]


def test_a_part_stands_for_all_who_have_it(tmp_path: Path):
    assert said(tmp_path, "Anna Schmidt\nAnna Müller") == (
        [
            ("anna schmidt", "Anna Schmidt", False),
            ("anna müller", "Anna Müller", False),
            ("anna", "Anna Schmidt", True),
            ("schmidt", "Anna Schmidt", True),
            ("anna", "Anna Müller", True),
            ("müller", "Anna Müller", True),
        ],
        [],
    )


def test_what_somebody_is_called_is_no_part_of_another(tmp_path: Path):
    values, _ = said(tmp_path, "Anna Schmidt, Anna\nAnna Müller")
    assert [name for words, name, _ in values if words == "anna"] == ["Anna Schmidt"]


def test_two_who_are_called_the_same(tmp_path: Path):
    values, faults = said(tmp_path, "Anna Schmidt, my sister\nBerta Schmidt, my sister")
    assert [name for words, name, _ in values if words == "my sister"] == [
        "Anna Schmidt",
        "Berta Schmidt",
    ]
    assert faults == []


def test_names_that_nothing_tells_apart(tmp_path: Path):
    _, faults = said(tmp_path, "Anna-Maria\nAnna Maria\nAnna Maria Huber, Anna Maria")
    assert faults == [
        "2: Anna Maria already stands for Anna-Maria: write what tells them apart",
        "3: Anna Maria already stands for Anna-Maria: write what tells them apart",
    ]
