"""Data in every form that people have it in, and the line that each broken one gets."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, ClassVar

import pytest

from rtap.errors import ConfigurationError
from tools.model.evaluation.data import Utterance, load_data, with_language
from tools.model.evaluation.meaning import NOTHING, Meaning

Entry = dict[str, Any] | str


@pytest.fixture
def car(tmp_path: Path) -> Path:
    folder = tmp_path / "car"
    folder.mkdir()
    for name in ("a.wav", "b.wav", "c.flac"):
        (folder / name).touch()
    return folder


def write_manifest(folder: Path, *entries: Entry, name: str = "manifest.jsonl") -> Path:
    lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_librispeech(root: Path, lines: dict[str, str], suffix: str = ".flac") -> None:
    for name, text in lines.items():
        speaker, chapter, _ = name.split("-")
        folder = root / speaker / chapter
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).with_suffix(suffix).touch()
        with (folder / f"{speaker}-{chapter}.trans.txt").open("a") as file:
            file.write(f"{name} {text}\n")


class TestManifest:
    def test_everything_that_a_line_can_say(self, car: Path) -> None:
        write_manifest(
            car,
            {
                "audio": "a.wav",
                "text": "turn  left",
                "speaker": "anna",
                "noise": "10 dB",
                "set": "x",
            },
            "",
            {"audio_filepath": str(car / "b.wav"), "text": "", "duration": 2.5, "speaker": 7},
            {"audio": "c.flac", "text": "grüß Gott\u2028du", "speaker": None, "offset": 0.0},
        )
        assert load_data([car]) == [
            Utterance(car / "a.wav", "turn left", "x", "anna", "10 dB"),
            Utterance(car / "b.wav", "", "car", "7", ""),
            Utterance(car / "c.flac", "grüß Gott du", "car"),
        ]

    def test_language(self, car: Path) -> None:
        write_manifest(
            car,
            {"audio": "a.wav", "text": "links", "language": "German"},
            {"audio": "b.wav", "text": "left"},
        )
        found = load_data([car])
        assert [one.language for one in found] == ["de", ""]
        assert [one.language for one in with_language(found, "en")] == ["de", "en"]

    def test_what_is_meant(self, car: Path) -> None:
        write_manifest(
            car,
            {"audio": "a.wav", "text": "x", "intent": "SetFan", "slots": {"level": 3}},
            {"audio": "b.wav", "text": "x", "intent": ""},
            {"audio": "c.flac", "text": "x"},
        )
        meant = [one.meant for one in load_data([car])]
        assert meant == [Meaning("SetFan", (("level", 3),)), NOTHING, None]

    def test_phrases_instead_of_a_text(self, car: Path) -> None:
        entry = {"audio": "a.wav", "must_contain": [" brown  sugar", ""], "seconds": 7.1}
        write_manifest(car, entry, name="keywords.jsonl")
        (one,) = load_data([car])
        assert (one.text, one.group, one.must_contain) == ("", "car", ("brown sugar",))
        assert one.is_speech

    def test_a_folder_of_sets(self, car: Path) -> None:
        write_manifest(car, {"audio": "a.wav", "text": "left"})
        coffee = car.parent / "coffee"
        coffee.mkdir()
        (coffee / "a.wav").touch()
        write_manifest(coffee, {"audio": "a.wav", "must_contain": ["latte"]}, name="keywords.jsonl")
        (car.parent / "notes").mkdir()
        assert [one.clip for one in load_data([car.parent])] == ["car/a.wav", "coffee/a.wav"]

    def test_separators_within_a_line_do_not_break_it(self, car: Path) -> None:
        write_manifest(car, '{"audio": "a.wav", "text": "one\u2028two\x85three"}')
        assert [one.text for one in load_data([car])] == ["one two three"]

    @pytest.mark.parametrize(
        ("name", "group"), [("manifest.jsonl", "car"), ("night drive.jsonl", "night drive")]
    )
    def test_the_set_is_named_after_the_folder_or_the_file(
        self, name: str, group: str, car: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(car)
        write_manifest(car, {"audio": "a.wav", "text": ""}, name=name)
        assert [one.group for one in load_data([Path(name)])] == [group]

    def test_files_of_windows(self, car: Path) -> None:
        text = '\ufeff{"audio": "a.wav", "text": "left"}\r\n{"audio": "b.wav", "text": "right"}\r\n'
        (car / "manifest.jsonl").write_bytes(text.encode())
        assert [one.text for one in load_data([car])] == ["left", "right"]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("{", "not JSON (Expecting property name enclosed in double quotes, column 2)"),
            ("[" * 100_000, "not JSON that can be read"),
            ("[1]", "not a JSON object: write one object per line"),
            ({"text": "left"}, 'there is no "audio"'),
            ({"audio": "", "text": "left"}, 'there is no "audio"'),
            ({"audio": ["b.wav"], "text": "left"}, '"audio" is neither text nor a number'),
            ({"audio": "b.wav"}, 'there is no "text": add what is said, "" where nobody speaks'),
            ({"audio": "b.wav", "text": 21}, 'there is no "text"'),
            ({"audio": "b.wav", "text": "left", "noise": True}, '"noise" is neither text'),
            ({"audio": "b.wav", "text": "left", "offset": 1.5}, '"offset" asks for a part'),
            ({"audio": "none.wav", "text": "left"}, "there is no file"),
            ({"audio": "b.wav", "must_contain": "latte"}, '"must_contain" is no list of texts'),
            ({"audio": "b.wav", "text": "x", "intent": 3}, '"intent" is no text'),
            ({"audio": "b.wav", "must_contain": [1]}, '"must_contain" is no list of texts'),
            ({"audio": "b.wav", "must_contain": []}, 'there is no "text"'),
            ({"audio": "b.wav", "text": "", "language": "klingon"}, "unknown language 'klingon'"),
            ({"audio": ".", "text": "left"}, "there is no file"),
        ],
    )
    def test_a_broken_line_is_named_by_its_number(
        self, line: Entry, message: str, car: Path
    ) -> None:
        path = write_manifest(car, {"audio": "a.wav", "text": "left"}, "", line)
        with pytest.raises(ConfigurationError) as caught:
            load_data([car])
        text = str(caught.value)
        assert text.startswith(f"{path}, line 3: {message}")
        assert "\n" not in text

    def test_an_empty_one(self, car: Path) -> None:
        write_manifest(car, "")
        with pytest.raises(ConfigurationError, match="is empty: write one object per line"):
            load_data([car])

    def test_an_audio_file_is_none(self, car: Path) -> None:
        (car / "a.wav").write_bytes(b"RIFF\xff\xfe\x80")
        with pytest.raises(
            ConfigurationError, match=r"a\.wav is not UTF-8 text: .* give a manifest"
        ):
            load_data([car / "a.wav"])

    @pytest.mark.parametrize("name", ["none.jsonl", "x" * 300])
    def test_one_that_is_not_there(self, name: str, car: Path) -> None:
        with pytest.raises(ConfigurationError, match=rf"{name} cannot be read .*: check the path"):
            load_data([car / name])


class TestLibriSpeech:
    LINES: ClassVar = {
        "84-121-0000": "GO DO YOU HEAR",
        "84-121-0001": "BUT",
        "7-5-0000": "IN LESS THAN",
    }

    @pytest.mark.parametrize("above", [".", "LibriSpeech"])
    @pytest.mark.parametrize("suffix", [".flac", ".wav"])
    def test_whole(self, above: str, suffix: str, tmp_path: Path) -> None:
        root = tmp_path / above / "test-clean"
        write_librispeech(root, self.LINES, suffix)
        (tmp_path / above / "README.TXT").touch()
        found = load_data([tmp_path / above])
        assert {one.audio.stem: one.text for one in found} == self.LINES
        assert {one.audio.stem: one.speaker for one in found} == {
            name: name.split("-")[0] for name in self.LINES
        }
        assert {one.audio.suffix for one in found} == {suffix}
        assert {one.group for one in found} == {"test-clean"}
        assert {one.noise for one in found} == {""}

    @pytest.mark.parametrize("part", ["84", "84/121"])
    def test_a_part_belongs_to_the_same_set(self, part: str, tmp_path: Path) -> None:
        root = tmp_path / "dev-other"
        write_librispeech(root, self.LINES)
        found = load_data([root / part])
        assert [(one.group, one.text) for one in found] == [
            ("dev-other", "GO DO YOU HEAR"),
            ("dev-other", "BUT"),
        ]

    def test_all_in_one_folder(self, tmp_path: Path) -> None:
        root = tmp_path / "flat"
        root.mkdir()
        for name in ("84-121-0000", "84-122-0000"):
            (root / f"{name}.flac").touch()
            (root / f"{name[:6]}.trans.txt").write_text(f"{name} SAID\n")
        assert [(one.group, one.speaker) for one in load_data([root])] == [("flat", "84")] * 2

    def test_a_line_without_audio(self, tmp_path: Path) -> None:
        write_librispeech(tmp_path, self.LINES)
        (tmp_path / "84/121/84-121-0001.flac").unlink()
        with pytest.raises(
            ConfigurationError,
            match=r"84-121\.trans\.txt, line 2: there is no audio 84-121-0001 beside it: unpack",
        ):
            load_data([tmp_path])

    def test_audio_without_a_line(self, tmp_path: Path) -> None:
        write_librispeech(tmp_path, self.LINES)
        (tmp_path / "7/5/7-5-0001.flac").touch()
        with pytest.raises(
            ConfigurationError, match=r"7-5-0001\.flac stands in no \.trans\.txt file"
        ):
            load_data([tmp_path])


class TestPairs:
    def test_whole(self, car: Path) -> None:
        for name, text in {"a": "Turn left,\nplease.\n", "b": "", "c": "Stop!"}.items():
            (car / f"{name}.txt").write_text(text)
        (car / "._a.wav").touch()
        assert load_data([car]) == [
            Utterance(car / "a.wav", "Turn left, please.", "car"),
            Utterance(car / "b.wav", "", "car"),
            Utterance(car / "c.flac", "Stop!", "car"),
        ]

    def test_audio_without_a_text(self, car: Path) -> None:
        for name in "ab":
            (car / f"{name}.txt").touch()
        with pytest.raises(
            ConfigurationError, match=r"c\.flac has no transcript: .* c\.txt beside it"
        ):
            load_data([car])

    def test_a_text_without_audio(self, car: Path) -> None:
        for name in "abcd":
            (car / f"{name}.txt").touch()
        with pytest.raises(
            ConfigurationError, match=r"d\.txt has no audio of the same name beside"
        ):
            load_data([car])

    def test_one_text_for_two_files(self, car: Path) -> None:
        (car / "c.wav").touch()
        with pytest.raises(ConfigurationError, match=r"c\.flac and c\.wav share one transcript"):
            load_data([car])

    def test_texts_alone_are_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "README.txt").touch()
        with pytest.raises(ConfigurationError, match=r"has nothing to evaluate: give a manifest, "):
            load_data([tmp_path])


def test_several_sources_stay_in_order(car: Path, tmp_path: Path) -> None:
    (tmp_path / "d.wav").touch()
    (tmp_path / "d.txt").write_text("back")
    first = write_manifest(car, {"audio": "b.wav", "text": "b"}, name="first.jsonl")
    second = write_manifest(car, {"audio": "a.wav", "text": "a"}, name="second.jsonl")
    assert [one.text for one in load_data([second, tmp_path, first])] == ["a", "back", "b"]


def test_nothing_counts_twice(car: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_manifest(car, {"audio": "a.wav", "text": "left"})
    monkeypatch.chdir(car)
    message = re.escape(f"{car / 'a.wav'} stands 2 times in the data")
    with pytest.raises(ConfigurationError, match=message):
        load_data([path, Path("manifest.jsonl")])


def test_limit_holds_for_each_set(car: Path) -> None:
    write_manifest(
        car,
        {"audio": "a.wav", "text": "1", "set": "x"},
        {"audio": "b.wav", "text": "2", "set": "x"},
        {"audio": "c.flac", "text": "3", "set": "y"},
    )
    assert [one.text for one in load_data([car], limit=1)] == ["1", "3"]
    assert [one.text for one in load_data([car], limit=2)] == ["1", "2", "3"]


def test_what_is_meant_beside_a_recording(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.wav").touch()
        (tmp_path / f"{name}.txt").write_text("slower")
    (tmp_path / "b.json").write_text('{"intent": "LowerFan", "slots": {"zone": "rear"}}')
    assert [one.meant for one in load_data([tmp_path])] == [
        None,
        Meaning("LowerFan", (("zone", "rear"),)),
    ]
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ConfigurationError, match=r"a\.json says no intent"):
        load_data([tmp_path])
