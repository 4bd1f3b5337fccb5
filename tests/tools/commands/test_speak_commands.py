"""tools/speak_commands: the command line, with a voice that costs no time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import StorageError
from tests.tools.conftest import Done, Start
from tools.commands import speak_commands
from tools.model.cabin.synthesis import Request
from tools.model.evaluation.data import load_data
from tools.root import ROOT


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def speak(start: Start, said: list[str]) -> object:
    def tones(requests: Sequence[Request]) -> list[NDArray[np.int16]]:
        said.extend(one.text for one in requests)
        return [np.full(SAMPLE_RATE // 10, 1_000, np.int16) for _ in requests]

    def run(*arguments: str | Path) -> Done:
        return start(lambda argv: speak_commands.main(argv, tones), *arguments)

    return run


def test_folders_of_commands(speak, said: list[str], tmp_path: Path) -> None:
    done = speak(tmp_path / "out", "--count", "21")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"{tmp_path}/out/spoken_commands_en: 21 commands in 7 voices",
        f"{tmp_path}/out/spoken_commands_de: 9 commands in 3 voices",
    ]
    found = load_data([tmp_path / "out"])
    assert sorted(one.text for one in found) == sorted(said)
    assert set(Counter(one.speaker for one in found).values()) == {3}
    assert {one.language for one in found} == {"en", "de"}
    assert all(one.meant for one in found)


def test_choices(speak, said: list[str], tmp_path: Path) -> None:
    names = tmp_path / "contacts.txt"
    names.write_text("Zarathustra\n")
    profile = tmp_path / "mine.yaml"
    profile.write_text(f"intents: {{contacts: {names}}}\n")
    options = ("--language", "German", "--voice", "pico-de-DE", "--file", profile)
    assert speak(tmp_path / "out", *options, "--count", "150").status == 0
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["spoken_commands_de"]
    assert any("zarathustra" in text.lower() for text in said)
    first = list(said)
    speak(tmp_path / "again", *options, "--count", "150")
    assert said[150:] == first
    said.clear()
    speak(tmp_path / "other", *options, "--count", "150", "--seed", "1")
    assert said != first


def test_sentences_of_a_file(speak, said: list[str], tmp_path: Path) -> None:
    file = tmp_path / "sentences.txt"
    file.write_text("Mach das Fenster auf.\nWie spät ist es?\n", "utf-8")
    done = speak(tmp_path / "out", "--language", "de", "--sentences", file)
    assert done.out == f"{tmp_path}/out/spoken_commands_de: 2 commands in 3 voices\n"
    assert said == ["Mach das Fenster auf.", "Wie spät ist es?"]
    found = load_data([tmp_path / "out"])
    assert [one.meant.intent for one in found if one.meant] == ["OpenWindow", "AskTime"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--count", "0"], "'0' is not a number from 1 on"),
        (["--language", "klingon"], "unknown language 'klingon'"),
        (["--language", "fr"], "no voice speaks fr: choose from en, de"),
        (["--sentences", "none.txt"], "--sentences are in one language: give it with --language"),
        (["--sentences", "none.txt", "--language", "de"], "none.txt"),
        (["--voice", "none"], "there is no voice none: choose from"),
    ],
)
def test_bad_input(
    speak, said: list[str], arguments: list[str], message: str, tmp_path: Path
) -> None:
    done = speak(tmp_path / "out", *arguments)
    assert (done.status, done.out, said) == (2, "", [])
    assert message in done.err


def test_nothing_is_written_into_the_repository(speak, said: list[str]) -> None:
    done = speak(ROOT / "build/spoken")
    assert (done.status, said) == (2, [])
    assert "is in the repository: choose a folder outside it" in done.err


def test_a_folder_that_cannot_be_written(speak, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("no folder")
    done = speak(tmp_path / "out", "--count", "1", "--voice", "pico-de-DE")
    assert done.status == StorageError.exit_status
    assert "cannot be written (Not a directory): make room, or choose another OUT" in done.err
