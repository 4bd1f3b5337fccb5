"""tools/evaluate: the command line, with an engine that hears what it is told and with a real one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from rtap.__main__ import build_parser
from rtap.__main__ import main as rtap
from rtap.audio.format import SAMPLE_RATE
from rtap.cli import transcribe
from rtap.cli.transcribe import Engine
from rtap.errors import ConfigurationError
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.result import Segment, Transcription
from rtap.whisper.transcribe import TranscribeOptions
from tests.backend.model_directories import make_model
from tests.tools.conftest import Done, Start
from tools.commands import evaluate
from tools.root import ROOT

AUDIO = ROOT / "tests/audio"
SPOKEN = {
    "turn_on_the_heating.wav": "turn on the heating",
    "navigate_home.wav": "navigate home",
    "set_the_temperature.wav": "set the temperature to twenty one degrees",
}


class FakeEngine:
    """Hears the same in everything, in a quarter of its time."""

    def __init__(self, text: str = " Turn  left.") -> None:
        self.text = text
        self.options: list[TranscribeOptions] = []
        self.threads = 0
        self.loaded: list[Path] = []
        self.settings: list[tuple[bool, bool]] = []
        self.heard: list[NDArray[np.float32]] = []
        self.unknown = ("de",)
        self.log_probability = -0.1

    def load(self, directory: ModelDirectory, threads: int, *, vad: bool, padded: bool) -> Engine:
        self.loaded.append(directory.path)
        self.settings.append((vad, padded))
        self.threads = threads
        return self

    def check(self, options: TranscribeOptions) -> None:
        if options.language in self.unknown:
            raise ConfigurationError("this model does not know German (de): choose another")

    def transcribe(
        self,
        blocks: Iterable[NDArray[np.float32]],
        options: TranscribeOptions,
        on_progress: Callable[[float], None] | None = None,
    ) -> Transcription:
        self.options.append(options)
        self.heard.append(np.concatenate(list(blocks)))
        seconds = self.heard[-1].size / SAMPLE_RATE
        segment = Segment(0, seconds, self.text, (1, 2), "en", self.log_probability, 1.0, 0.0, 0.0)
        return Transcription(self.text, "en", 1.0, seconds, seconds / 4, (segment,))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "small")


@pytest.fixture
def car(tmp_path: Path) -> Path:
    """Two utterances, two seconds each."""
    folder = tmp_path / "car"
    folder.mkdir()
    for name, text in {"a": "turn left", "b": "turn right"}.items():
        soundfile.write(folder / f"{name}.wav", np.zeros(2 * SAMPLE_RATE), SAMPLE_RATE)
        (folder / f"{name}.txt").write_text(text)
    return folder


@pytest.fixture
def measure(start: Start, engine: FakeEngine, model: Path) -> Callable[..., Done]:
    def run(*arguments: str | Path) -> Done:
        return start(
            lambda argv: evaluate.main(argv, load=engine.load), *arguments, "--model", model
        )

    return run


Measure = Callable[..., Done]


def test_report(measure: Measure, engine: FakeEngine, car: Path, model: Path) -> None:
    done = measure(car, "--errors", "1")
    assert (done.status, done.err) == (0, "")
    assert "**WER 25.00 %** (95 % within 0.0 to 50.0): 1 errors in 4 words; 1 of 2" in done.out
    assert "  said    turn right\n  heard   Turn left.\n" in done.out
    assert f"    tools/evaluate {car} --errors 1 --model {model}\n" in done.out
    assert (engine.loaded, engine.threads) == ([model], 1)


def test_json(measure: Measure, car: Path) -> None:
    done = measure(car, "--json", "--limit", "1")
    document = json.loads(done.out)
    assert document["total"]["wer"] == 0.0
    speed = document["total"]["speed"]
    assert (speed["seconds"], speed["inference_time"], speed["rtf"]) == (2.0, 0.5, 0.25)
    assert speed["processor_time"] >= 0
    assert [one["audio"] for one in document["utterances"]] == [str(car / "a.wav")]


def test_markdown_file(measure: Measure, car: Path, tmp_path: Path) -> None:
    target = tmp_path / "reports/today.md"
    done = measure(car, "--markdown", target)
    assert target.read_text() == done.out
    assert json.loads(measure(car, "--markdown", target, "--json").out)
    assert target.read_text().startswith("# Word error rate of small\n")


@pytest.mark.parametrize("language", ["en", "German", "auto"])
def test_listens_as_the_command_does(
    language: str, engine: FakeEngine, car: Path, model: Path, start: Start
) -> None:
    engine.check = lambda options: None  # type: ignore[method-assign]
    arguments = [car, "--model", model, "--language", language, "--no-normalize"]
    assert start(lambda argv: evaluate.main(argv, load=engine.load), *arguments).status == 0
    command = build_parser().parse_args(["transcribe", "a.wav", "--language", language])
    assert engine.options == [transcribe._options(command)] * 2


def test_english_unless_told_otherwise(measure: Measure, engine: FakeEngine, car: Path) -> None:
    measure(car, "--threads", "3")
    assert engine.options == [TranscribeOptions(language="en")] * 2
    assert engine.threads == 3


def test_normalisation(measure: Measure, engine: FakeEngine, car: Path, tmp_path: Path) -> None:
    (car / "a.txt").write_text("colour 21")
    (car / "b.txt").write_text("colour 21")
    engine.text = "Um, color twenty-one"
    spelling = tmp_path / "normalizer.json"
    spelling.write_text('{"colour": "color"}')
    rates = {
        option: json.loads(measure(car, "--json", *option).out)["total"]["wer"]
        for option in [(), ("--spelling", str(spelling)), ("--no-normalize",)]
    }
    # Of "colour 21", "um color twenty one" is two substitutions and two insertions away.
    assert list(rates.values()) == [0.5, 0.0, 2.0]


def test_one_bad_file_keeps_back_no_other(measure: Measure, car: Path) -> None:
    (car / "a.wav").write_text("no audio")
    done = measure(car, "--json")
    assert done.status == 2
    document = json.loads(done.out)
    assert [one["audio"] for one in document["utterances"]] == [str(car / "b.wav")]
    assert document["total"]["words"] == 2
    reason = document["failed"][0]["reason"]
    assert reason.startswith(f"{car / 'a.wav'} is not audio of a kind that can be read")
    assert done.err == f"evaluate: error: {reason}\n"
    markdown = measure(car)
    assert markdown.status == 2
    assert f"## Failed\n\n- {reason}\n" in markdown.out


def test_a_file_that_breaks_off_is_counted_and_named(measure: Measure, car: Path) -> None:
    whole = (car / "a.wav").read_bytes()
    (car / "a.wav").write_bytes(whole[: len(whole) // 2])
    done = measure(car, "--json")
    assert done.status == 0
    one, other = json.loads(done.out)["utterances"]
    assert "breaks off after 1.0 s" in one["warnings"][0]
    assert (one["seconds"], other["warnings"]) == (pytest.approx(1.0, abs=0.01), [])


def test_progress_on_a_terminal(
    measure: Measure, car: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    done = measure(car, "--json")
    assert "0/2" in done.err
    assert len(json.loads(done.out)["utterances"]) == 2


def test_names_that_are_not_utf8(measure: Measure, tmp_path: Path, car: Path) -> None:
    odd = tmp_path / "odd\udcff"
    car.rename(odd)
    done = measure(odd)
    assert (done.status, done.err) == (0, "")
    assert "odd" in done.out
    assert json.loads(measure(odd, "--json").out)["sets"].keys() == {"odd?"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threads", "0"], "'0' is not a number from 1 on"),
        (["--limit", "none"], "'none' is not a number from 1 on"),
        (["--errors=-1"], "'-1' is not a number from 1 on"),
        (["--language", "klingon"], "unknown language 'klingon'"),
        (["--markdown", "."], "is a folder: give --markdown the name of a file"),
        (["--spelling", "none.json"], "none.json cannot be read"),
        (["--spelling", "x.json", "--no-normalize"], "--spelling is for Whisper's English"),
        (["--spelling", "x.json", "--language", "fr"], "--spelling is for Whisper's English"),
        (["--snr", "loud"], "'loud' has no levels: give decibels"),
        (["--snr", "inf"], "'inf' has no levels: give decibels"),
        (["--snr", "5,5.0"], "'5,5.0' has a level twice"),
        (["--snr", "5"], "--noise and --snr go together"),
        (["--noise", "."], "--noise and --snr go together"),
        (["--noise", "none", "--snr", "5"], "none is no folder"),
        (["--hours", "1"], "--hours is about intents: give --intents too"),
        (["--grammar", "."], "--grammar is about intents: give --intents too"),
        (["--intents", "--hours", "0"], "'0' is not a number of hours up to 100"),
        (["--intents", "--hours", "many"], "'many' is not a number of hours up to 100"),
        (["--intents", "--language", "auto"], "--intents needs the language that is spoken"),
        (["--intents", "--grammar", "none"], "none is no folder with intents"),
        (["--intents", "--profile", "none"], "none"),
        (["--model", "none.jsonl"], "there is no file none.jsonl"),
        (["/nowhere.jsonl"], "/nowhere.jsonl cannot be read (No such file or directory)"),
    ],
)
def test_bad_input_is_refused_before_a_model_is_loaded(
    arguments: list[str], message: str, measure: Measure, engine: FakeEngine, car: Path
) -> None:
    done = measure(car, *arguments)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert message in done.err
    assert engine.loaded == []


def test_a_model_that_is_not_there(start: Start, car: Path) -> None:
    done = start(evaluate.main, car, "--model", "/nowhere")
    assert (done.status, done.out) == (2, "")
    assert done.complaints[0].startswith("tool: error: no model /nowhere: ")


def test_a_language_that_the_model_does_not_know(
    measure: Measure, engine: FakeEngine, car: Path
) -> None:
    done = measure(car, "--language", "de")
    assert (done.status, done.out, engine.options) == (2, "", [])
    assert "this model does not know German" in done.err


def test_each_utterance_is_heard_in_its_language(
    measure: Measure, engine: FakeEngine, car: Path
) -> None:
    entries = [("a.wav", "links", "German"), ("b.wav", "left", None)]
    lines = [
        json.dumps({"audio": audio, "text": text, "language": language})
        for audio, text, language in entries
    ]
    (car / "manifest.jsonl").write_text("\n".join(lines))
    engine.unknown = ("fr",)
    document = json.loads(measure(car, "--json", "--language", "en").out)
    assert [options.language for options in engine.options] == ["de", "en"]
    assert list(document["pools"]) == ["all English", "all German"]
    measure(car, "--language", "auto")
    assert [options.language for options in engine.options[2:]] == [None, None]


def test_languages_that_the_model_does_not_know_are_left_out(
    measure: Measure, engine: FakeEngine, car: Path
) -> None:
    lines = [
        {"audio": "a.wav", "text": "links", "language": "de"},
        {"audio": "b.wav", "text": "turn left"},
    ]
    (car / "manifest.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    done = measure(car)
    assert done.status == 0
    assert "does not know their language: 1 in de." in done.out
    assert [options.language for options in engine.options] == ["en"]


def test_several_models(start: Start, engine: FakeEngine, car: Path, tmp_path: Path) -> None:
    small, large = make_model(tmp_path / "small"), make_model(tmp_path / "large")
    models = ("--model", small, "--model", f"{small}+padded", "--model", f"{large}+no-vad+padded")
    done = start(lambda argv: evaluate.main(argv, load=engine.load), car, *models)
    assert (done.status, done.err) == (0, "")
    assert engine.settings == [(True, False), (True, True), (False, True)]
    columns = next(line for line in done.out.splitlines() if line.startswith("| set"))
    names = [cell.strip() for cell in columns.split("|")[3:-1]]
    assert len(set(names)) == 3
    assert [name.partition("+")[2] for name in names] == ["", "padded", "padded+no-vad"]
    again = start(lambda argv: evaluate.main(argv, load=engine.load), car, *models[:2], *models[:2])
    assert again.status == 2
    assert "is given twice" in again.err


@pytest.mark.parametrize(
    ("options", "expected"),
    [((), (True, False)), (("--padded",), (True, True)), (("--no-vad",), (False, False))],
)
def test_settings(
    options: tuple[str, ...],
    expected: tuple[bool, bool],
    measure: Measure,
    engine: FakeEngine,
    car: Path,
) -> None:
    assert measure(car, *options).status == 0
    assert engine.settings == [expected]


def test_noise(measure: Measure, engine: FakeEngine, car: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    noises = tmp_path / "noises"
    noises.mkdir()
    for name in "xyz":
        soundfile.write(noises / f"{name}.wav", random.normal(0, 0.01, SAMPLE_RATE), SAMPLE_RATE)
    for name in "ab":
        soundfile.write(car / f"{name}.wav", random.normal(0, 0.1, 2 * SAMPLE_RATE), SAMPLE_RATE)
    (car / "b.txt").write_text("")
    options = ("--noise", noises, "--snr", "clean,10,0", "--json")
    document = json.loads(measure(car, *options).out)
    assert [one["noise"] for one in document["utterances"]] == ["clean", "clean", "10 dB", "0 dB"]
    *_, loud, louder = engine.heard
    levels = [float(np.mean(np.square(one))) for one in (loud, louder)]
    assert levels == pytest.approx([0.011, 0.02], rel=0.05)
    measure(car, *options)
    np.testing.assert_array_equal(engine.heard[6], loud)
    measure(car, *options, "--seed", "1")
    assert not np.array_equal(engine.heard[10], loud)


def test_nothing_is_heard_twice(
    measure: Measure, engine: FakeEngine, car: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    first = measure(car, "--transcripts", kept)
    second = measure(car, "--transcripts", kept)
    assert first.out == second.out
    assert (len(engine.heard), len(engine.loaded)) == (2, 1)
    (file,) = kept.iterdir()
    stored = json.loads(measure(car, "--json", "--padded", "--transcripts", kept).out)
    assert len(engine.heard) == 4, "another way of hearing is another file"
    assert len(list(kept.iterdir())) == 2
    assert stored["total"]["wer"] == 0.25
    file.write_text(file.read_text().replace('"engine": "', '"engine": "older'))
    assert "2 transcripts in" in measure(car, "--transcripts", kept).err


def test_transcripts_of_another_program(
    start: Start, engine: FakeEngine, car: Path, tmp_path: Path
) -> None:
    lines = [{"set": "car", "audio": "a.wav", "language": "en", "text": "turn left"}]
    file = tmp_path / "other.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    done = start(lambda argv: evaluate.main(argv, load=engine.load), car, "--model", file, "--json")
    assert done.status == 2
    document = json.loads(done.out)
    assert (document["total"]["wer"], document["model"]["name"]) == (0.0, "other")
    assert "other.jsonl has no transcript of car/b.wav" in done.err
    assert engine.loaded == []


COMMANDS = {"a": "set the temperature to 21", "b": "the fan is nice"}


@pytest.fixture
def commands(car: Path) -> Path:
    for name, text in COMMANDS.items():
        (car / f"{name}.txt").write_text(text)
    return car


def test_intents(measure: Measure, engine: FakeEngine, commands: Path) -> None:
    engine.text = " Set the temperature to 25°C."
    done = measure(commands, "--intents", "--errors", "1")
    assert (done.status, done.err) == (0, "")
    assert "**Intents right 100.00 %**, with slots 0.00 %" in done.out
    assert "wrong actions for 1 (100.00 %)" in done.out
    assert "**1 wrong actions in 0.001 h without a command**, 1800.0 per hour." in done.out
    assert "    meant       SetTemperature temperature=21\n" in done.out
    engine.log_probability = -1.0
    doubtful = json.loads(measure(commands, "--intents", "--json").out)
    assert doubtful["total"]["intents"]["wrong_actions"] == 0
    plain = measure(commands, "--errors", "1")
    assert "Intents right" not in plain.out


def test_intents_that_the_data_name(measure: Measure, engine: FakeEngine, commands: Path) -> None:
    (commands / "b.json").write_text('{"intent": "SetFan", "slots": {"level": 4}}')
    engine.text = "Fan to 4."
    document = json.loads(measure(commands, "--intents", "--json").out)
    assert document["total"]["intents"]["right"] == 1
    assert [one["intent"]["verdict"] for one in document["utterances"]] == ["other intent", "right"]


def test_intents_of_another_grammar(
    measure: Measure, engine: FakeEngine, commands: Path, tmp_path: Path
) -> None:
    grammar = tmp_path / "house/en/lamps.yaml"
    grammar.parent.mkdir(parents=True)
    grammar.write_text("intents: {Nice: {data: [{sentences: ['[the] fan is nice']}]}}")
    engine.text = "Fan is nice."
    options = ("--intents", "--grammar", tmp_path / "house", "--json")
    document = json.loads(measure(commands, *options).out)
    assert document["grammar"].endswith("house: en with 1 intents and 1 templates")
    assert [one["intent"]["verdict"] for one in document["utterances"]] == ["false", "right"]


def test_intents_with_the_names_of_a_configuration(
    measure: Measure, engine: FakeEngine, commands: Path, tmp_path: Path
) -> None:
    (tmp_path / "contacts.txt").write_text("Anna\n")
    profile = tmp_path / "mine.yaml"
    profile.write_text(f"intents: {{contacts: {tmp_path / 'contacts.txt'}}}\n")
    (commands / "a.txt").write_text("call anna")
    engine.text = "Call Anna."
    options = ("--intents", "--json", "--limit", "1")
    found = json.loads(measure(commands, *options, "--file", profile).out)
    assert found["utterances"][0]["intent"]["meant"]["slots"] == {"contact": "Anna"}
    assert json.loads(measure(commands, *options).out)["total"]["intents"]["commands"] == 0


def test_the_decoder_prefers_what_is_understood(
    start: Start, engine: FakeEngine, commands: Path, model: Path, tmp_path: Path
) -> None:
    profile = tmp_path / "free.yaml"
    profile.write_text("stt: {prefer_commands: false}\n")
    kept = tmp_path / "kept"

    def preferring(*arguments: str | Path) -> list[bool]:
        engine.options.clear()
        options = ("--model", model, "--limit", "1", "--transcripts", kept, *arguments)
        done = start(lambda argv: evaluate.main(argv, load=engine.load), commands, *options)
        assert (done.status, done.err) == (0, "")
        return [one.preference is not None for one in engine.options]

    assert preferring("--intents") == [True]
    assert preferring("--intents", "--no-preference") == [False]
    assert preferring() == [], "heard already, in the same way"
    assert preferring("--intents", "--model", f"{model}+no-preference") == []
    assert preferring("--intents", "--file", profile) == []
    (tmp_path / "house/en").mkdir(parents=True)
    house = tmp_path / "house/en/lamps.yaml"
    house.write_text("intents: {Lamp: {data: [{sentences: [lamp]}]}}")
    assert preferring("--intents", "--grammar", tmp_path / "house") == [True]
    house.write_text("intents: {Lamp: {data: [{sentences: [light]}]}}")
    assert preferring("--intents", "--grammar", tmp_path / "house") == [True]
    assert engine.options[0].preference is not None
    expected = engine.options[0].preference.sentences("en")
    assert expected is not None
    assert expected.contains("Light!")
    assert not expected.contains("lamp")


def test_hours_of_pieces(measure: Measure, engine: FakeEngine, commands: Path) -> None:
    options = ("--intents", "--hours", "0.01", "--json")
    document = json.loads(measure(commands, *options).out)
    assert {Path(one["audio"]).name for one in document["utterances"]} == {"b.wav"}
    lengths = [round(one.size / SAMPLE_RATE, 2) for one in engine.heard]
    assert lengths == [
        round(end - begin, 2) for begin, end in (one["cut"] for one in document["utterances"])
    ]
    assert 36 <= sum(lengths) < 38
    assert document["total"]["wer"] is None
    assert document["total"]["intents"]["no_command"]["files"] == len(lengths) > 20
    again = json.loads(measure(commands, *options).out)
    other = json.loads(measure(commands, *options, "--seed", "1").out)
    cuts = [[one["cut"] for one in found["utterances"]] for found in (document, again, other)]
    assert cuts[0] == cuts[1] != cuts[2]


def test_pieces_in_noise(
    measure: Measure, engine: FakeEngine, commands: Path, tmp_path: Path
) -> None:
    random = np.random.default_rng(1)
    (tmp_path / "noises").mkdir()
    noise = random.normal(0, 0.01, SAMPLE_RATE)
    soundfile.write(tmp_path / "noises/x.wav", noise, SAMPLE_RATE)
    soundfile.write(commands / "b.wav", random.normal(0, 0.1, 2 * SAMPLE_RATE), SAMPLE_RATE)
    options = ("--noise", tmp_path / "noises", "--snr", "clean,0")
    document = json.loads(measure(commands, "--intents", "--hours", "0.01", "--json", *options).out)
    assert [one["noise"] for one in document["utterances"][:4]] == ["clean", "0 dB"] * 2
    levels = [float(np.mean(np.square(one))) for one in engine.heard[:4]]
    assert levels == pytest.approx([0.01, 0.02] * 2, rel=0.1)


@pytest.mark.slow
def test_a_real_model_hears_what_the_command_hears(
    quantized: Path, start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [{"audio": str(AUDIO / name), "text": said} for name, said in SPOKEN.items()]
    soundfile.write(tmp_path / "silence.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    entries.append({"audio": "silence.wav", "text": "", "set": "nobody"})
    manifest = tmp_path / "spoken.jsonl"
    manifest.write_text("".join(json.dumps(entry) + "\n" for entry in entries))

    done = start(evaluate.main, manifest, "--model", quantized, "--json", "--intents")
    assert (done.status, done.err) == (0, "")
    document: dict[str, Any] = json.loads(done.out)

    options = ["--model", str(quantized), "--threads", "1", "--language", "en", "--format", "json"]
    assert rtap(["transcribe", *(str(AUDIO / name) for name in SPOKEN), *options]) == 0
    expected = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    *spoken, silence = document["utterances"]
    assert [one["heard"] for one in spoken] == [one["text"] for one in expected]
    assert [one["seconds"] for one in spoken] == [one["duration"] for one in expected]
    assert all(one["inference_time"] > 0 for one in spoken)
    assert (silence["heard"], silence["inference_time"]) == ("", 0.0)
    # "set the temperature to 21 degrees" has six words; the model is random, so it hears others.
    assert document["sets"]["spoken"]["words"] == 12
    assert document["sets"]["spoken"]["wer"] > 0.5
    assert document["sets"]["nobody"]["no_speech"]["false_text_rate"] == 0.0
    intents = document["total"]["intents"]
    assert (intents["commands"], intents["missed"], intents["right"]) == (2, 2, 0)
    meant = [one["intent"]["meant"] for one in document["utterances"]]
    assert meant[0] == {"intent": "SetClimate", "slots": {"state": True}}
    assert meant[2] == {"intent": "SetTemperature", "slots": {"temperature": 21}}
    no_command = {"files": 2, "understood": 0, "wrong_actions": 0}
    assert {name: intents["no_command"][name] for name in no_command} == no_command
