"""Grammars from folders: what they add to one another, and every fault with its file and line."""

from pathlib import Path

import home_assistant_intents
import pytest

from rtap.errors import ConfigurationError, ConfigurationFaults
from rtap.intents.loader import LARGEST_LIST, load_grammar
from rtap.intents.matcher import Matcher
from rtap.intents.names import NameFiles
from rtap.intents.sources import BUNDLED

OPEN = """\
intents:
  Open:
    data:
      - sentences:
          - open [the] {thing}
lists:
  thing:
    values: [door, hood]
"""


def write(folder: Path, text: str, name: str = "en/car.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def faults(folder: Path, *more: Path, names: NameFiles | None = None) -> list[str]:
    """The faults of a grammar, without the folder in front of them."""
    with pytest.raises(ConfigurationFaults) as raised:
        load_grammar("en", (folder, *more), names)
    return [fault.replace(f"{folder}/", "") for fault in raised.value.faults]


def test_a_small_grammar(tmp_path: Path):
    write(tmp_path, OPEN)
    grammar = load_grammar("en", (tmp_path,))
    (template,) = grammar.intents["Open"].templates
    assert (template.text, template.place) == ("open [the] {thing}", f"{tmp_path}/en/car.yaml:5")
    assert template.slots == ("thing",)
    assert (grammar.template_count, dict(grammar.lists)) == (1, {"thing": 2})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "intents: {Any: {data: [{sentences: ['{words}']}]}}\nlists: {words: {wildcard: true}}",
            "en/car.yaml:1: this sentence of Any needs no word of its own, so that anything would be it: "
            "write words that are always said",
            id="a wildcard alone",
        ),
        pytest.param(
            "intents: {Any: {data: [{sentences: ['[please] <x>']}]}}\nexpansion_rules: {x: '[now|{w}]'}\n"
            "lists: {w: {wildcard: true}}",
            "en/car.yaml:1: this sentence of Any needs no word of its own, so that anything would be it: "
            "write words that are always said",
            id="all of it optional",
        ),
        pytest.param(
            "intents: {A: {data: [{sentences: [go <a>]}]}}\nexpansion_rules:\n  a: to <b>\n  b: the <a>",
            "en/car.yaml:3: <a> -> <b> -> <a> goes in a circle: take one of them out",
            id="rules in a circle",
        ),
        pytest.param(
            "lists:\n  a: {values: ['the {a}']}\nintents: {A: {data: [{sentences: ['go {a}']}]}}",
            "en/car.yaml:2: {a} -> {a} goes in a circle: take one of them out",
            id="a list in itself",
        ),
        pytest.param(
            "intents:\n  A:\n    data:\n      - sentences:\n          - go\n          - go {nowhere}",
            "en/car.yaml:6: a sentence of A has the unknown list {nowhere}: define it",
            id="an unknown list",
        ),
        pytest.param(
            "expansion_rules:\n  a: to <nowhere>\nintents: {A: {data: [{sentences: [go <a>]}]}}",
            "en/car.yaml:2: rule <a> has the unknown rule <nowhere>: define it",
            id="an unknown rule",
        ),
        pytest.param(
            "intents:\n  A: {data: [{sentences: [go]}]}\n  A: {data: [{sentences: [run]}]}",
            "en/car.yaml:3: A is here for the second time, first at {folder}/en/car.yaml:2: "
            "put both together",
            id="an intent twice",
        ),
        pytest.param(
            "intents:\n  A: {data: [{sentences: [go  home]}]}\n  B:\n    data: [{sentences: [Go home]}]",
            "en/car.yaml:4: this sentence of B is a sentence of A too ({folder}/en/car.yaml:2): "
            "delete one of the two",
            id="a sentence of two intents",
        ),
        pytest.param(
            "intents: {A: {data: [{sentences: ['go (now']}]}}",
            "en/car.yaml:1: a sentence of A is no template ('go (now'): see that every bracket is closed",
            id="an open bracket",
        ),
        pytest.param(
            "intents: {A: {data: [{sentences: [on]}]}}",
            "en/car.yaml:1: a sentence of A is no text: put it in quotes",
            id="YAML's on",
        ),
        pytest.param(
            "intents: [\n",
            "en/car.yaml:2: this is no YAML: did not find expected node content",
            id="no YAML",
        ),
        pytest.param(
            "intents: {A: {data: &a [*a]}}",
            "en/car.yaml:1: an alias (*) repeats this: write it out where it is needed",
            id="an alias that leads to itself",
        ),
        pytest.param(
            "intent: {}",
            "en/car.yaml:1: the file has the unknown key intent: did you mean intents?",
            id="a misspelt key",
        ),
        pytest.param(
            "intents: {A: {data: [{sentences: [go], slot: {a: 1}}]}}",
            "en/car.yaml:1: data of A has the unknown key slot: did you mean slots?",
            id="a misspelt key of data",
        ),
        pytest.param(
            "lists: {a: {range: {from: 1, to: 9}, unit: celcius}}",
            "en/car.yaml:1: list {a} has the unknown unit celcius: use one of ",
            id="an unknown unit",
        ),
        pytest.param(
            "lists: {a: {range: {from: 9, to: 1}}}",
            "en/car.yaml:1: list {a} cannot be read (start cannot be greater than stop): correct it",
            id="a range from high to low",
        ),
        pytest.param(
            "lists: {a: {range: {from: 0, to: 5000}}}",
            "en/car.yaml:1: list {a} has 5001 values, and 2000 are the most: leave out what is rare",
            id="a range without end",
        ),
        pytest.param(
            "lists: {a: {}}",
            "en/car.yaml:1: list {a} needs one of values, range, wildcard, file, and has 0",
            id="a list without kind",
        ),
        pytest.param(
            "lists: {a: {file: stations.txt}}",
            "{folder}/en/stations.txt is not there: write it, with a name on each line, or correct the path",
            id="a missing file of names",
        ),
        pytest.param(
            "language: de\nintents: {A: {data: [{sentences: [go]}]}}",
            "en/car.yaml:1: language is de, and the folder is en: move the file, or correct it",
            id="another language",
        ),
        pytest.param(
            "lists:\n  a: {values: [x], unit: km}\n  b: {values: [y], unit: mi}\n"
            "intents: {A: {data: [{sentences: ['go ({a:way}|{b:way})']}]}}",
            "en/car.yaml:4: slot way has more than one unit in this sentence: write a sentence for each",
            id="two units",
        ),
        pytest.param(
            "intents: {A: {data: [{sentences: [" + "go " * 400 + "]}]}}",
            "en/car.yaml:1: a sentence of A has more than 1000 characters: make several of it",
            id="a sentence without end",
        ),
        pytest.param(
            "intents: {A: " + "[" * 40 + "]" * 40 + "}",
            "en/car.yaml:1: this is nested too deep: a grammar needs 12 levels at most",
            id="brackets without end",
        ),
    ],
)
def test_faults(text: str, expected: str, tmp_path: Path):
    write(tmp_path, text)
    (fault,) = faults(tmp_path)
    assert fault.startswith(expected.replace("{folder}/", ""))


def test_a_list_of_thousands(tmp_path: Path):
    many = ", ".join(f"word{number}" for number in range(LARGEST_LIST + 1))
    write(tmp_path, f"lists:\n  a:\n    values: [{many}]")
    assert faults(tmp_path) == [
        "en/car.yaml:3: list {a} has 2001 values, and 2000 are the most: leave out what is rare"
    ]


def test_all_faults_at_once(tmp_path: Path):
    write(tmp_path, "lists: {a: {}}\nintents: {A: {data: [{sentences: [on]}]}}")
    write(tmp_path, "intents: [", "en/b.yaml")
    assert len(faults(tmp_path)) == 3


def test_a_slot_that_the_intent_does_not_have(tmp_path: Path):
    write(tmp_path, OPEN)
    write(tmp_path, "Open: {description: Open it, slots: [part]}", "intents.yaml")
    assert faults(tmp_path) == [
        "en/car.yaml:5: Open has no slot thing: use one of its slots (part), or add it at intents.yaml:1"
    ]


def test_one_folder_says_a_thing_once(tmp_path: Path):
    write(tmp_path, OPEN)
    write(tmp_path, OPEN, "en/door.yaml")
    assert faults(tmp_path) == [
        "en/door.yaml:2: intent Open is here for the second time, first at en/car.yaml:2: put both together",
        "en/door.yaml:7: list {thing} is here for the second time, first at en/car.yaml:7: put both together",
    ]


def test_a_later_folder_adds_sentences_and_replaces_lists(tmp_path: Path):
    write(tmp_path / "ours", OPEN)
    write(
        tmp_path / "theirs",
        "intents: {Open: {data: [{sentences: ['lift [the] {thing}']}]}}\nlists: {thing: {values: [lid]}}",
    )
    matcher = Matcher(load_grammar("en", (tmp_path / "ours", tmp_path / "theirs")))
    assert matcher.understand("lift the lid").intent is not None
    assert matcher.understand("open the lid").intent is not None
    assert matcher.understand("open the hood").intent is None


def test_a_later_folder_adds_to_what_we_bring(tmp_path: Path):
    write(tmp_path, "intents: {Honk: {data: [{sentences: ['(honk|sound) [<the>] horn']}]}}")
    matcher = Matcher(load_grammar("en", (BUNDLED, tmp_path)))
    honk = matcher.understand("Sound the horn!").intent
    assert honk is not None
    assert honk.name == "Honk"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            lambda folder: None, "is no folder with intents: correct the path", id="no folder"
        ),
        pytest.param(
            lambda folder: folder.mkdir(), "has no intents: put files into a folder", id="empty"
        ),
        pytest.param(
            lambda folder: write(folder, OPEN, "fr/a.yaml"),
            "there are no intents in the language en: choose one of fr, or add en/*.yaml",
            id="another language",
        ),
    ],
)
def test_folders_that_will_not_do(make, message: str, tmp_path: Path):
    make(tmp_path / "more")
    with pytest.raises(ConfigurationError, match=message.replace("*", r"\*")):
        load_grammar("en", (tmp_path / "more",))


def test_contacts_and_places_that_are_not_there(tmp_path: Path):
    write(
        tmp_path,
        "lists: {who: {file: contacts}}\nintents: {Call: {data: [{sentences: ['call {who}']}]}}",
    )
    missing = tmp_path / "contacts.txt"
    assert faults(tmp_path, names=NameFiles(contacts=missing)) == [
        "contacts.txt is not there: write it, with a name on each line, or correct the path"
    ]
    assert load_grammar("en", (tmp_path,)).lists["who"] == 0


def test_one_name_for_two_contacts(tmp_path: Path):
    write(
        tmp_path,
        "lists: {who: {file: contacts}}\nintents: {Call: {data: [{sentences: ['call {who}']}]}}",
    )
    contacts = write(tmp_path, "Anna\nAnna Meier, Anna\nANNA\n", "contacts.txt")
    assert faults(tmp_path, names=NameFiles(contacts=contacts)) == [
        "contacts.txt:2: Anna already stands for Anna: write what tells them apart",
        "contacts.txt:3: ANNA already stands for Anna: write what tells them apart",
    ]


def test_home_assistants_own_sentences(tmp_path: Path):
    """They come as JSON, which is YAML; areas, floors and names are the house's."""
    for language in ("en", "de"):
        data = Path(home_assistant_intents.__file__).parent / "data" / f"{language}.json"
        write(tmp_path, data.read_text("utf-8"), f"{language}/home_assistant.yaml")
        house = (
            "lists: {name: {values: [lamp]}, area: {values: [kitchen]}, floor: {values: [attic]}}"
        )
        write(tmp_path, house, f"{language}/house.yaml")
    assert load_grammar("de", (tmp_path,)).template_count > 800
    matcher = Matcher(load_grammar("en", (tmp_path,)))
    assert matcher.grammar.template_count > 800
    intent = matcher.understand("Turn on the lights in the kitchen.").intent
    assert intent is not None
    assert (intent.name, intent.value("domain")) == ("HassTurnOn", "light")


def test_no_text_in_utf8(tmp_path: Path):
    write(tmp_path, OPEN)
    (tmp_path / "en" / "car.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"car.yaml:1: this is not text in UTF-8"):
        load_grammar("en", (tmp_path,))
