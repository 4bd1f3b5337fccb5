"""rtap transcribe, with an engine that hears the same words in everything."""

import argparse
import io
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from rtap.__main__ import build_parser
from rtap.audio.format import SAMPLE_RATE
from rtap.cli import transcribe
from rtap.errors import ConfigurationError, ModelError, PipelineError, StorageError
from rtap.whisper.result import Segment, Transcription, Word
from rtap.whisper.transcribe import TranscribeOptions

Block = NDArray[np.float32]


class FakeEngine:
    def __init__(self) -> None:
        self.options: list[TranscribeOptions] = []

    def check(self, options: TranscribeOptions) -> None:
        if options.task == "translate":
            raise ConfigurationError("this model cannot translate: choose a multilingual one")

    def transcribe(
        self,
        blocks: Iterable[Block],
        options: TranscribeOptions,
        on_progress: Callable[[float], None] | None = None,
    ) -> Transcription:
        self.options.append(options)
        seconds = 0.0
        for block in blocks:
            seconds += len(block) / SAMPLE_RATE
            if on_progress:
                on_progress(seconds)
        words = (Word(" Turn", 0, 0.5, 0.9), Word(" left", 0.5, 1, 0.9))
        segment = Segment(
            0, 1, " Turn left", (1,), "en", -0.1, 1, 0, 0, words if options.word_timestamps else ()
        )
        return Transcription(" Turn left", "en", 1.0, seconds, 0.25, (segment,))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(wav(1.0))
    (tmp_path / "bad.wav").write_text("no audio")
    return tmp_path


def wav(seconds: float) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(round(seconds * SAMPLE_RATE)), SAMPLE_RATE, format="WAV")
    return buffer.getvalue()


def run(engine: FakeEngine, *arguments: str) -> int:
    parsed = build_parser().parse_args(["transcribe", *arguments])
    return transcribe.run(parsed, load=lambda _: engine)


pytestmark = pytest.mark.usefixtures("folder")


def test_options(engine: FakeEngine) -> None:
    run(engine, "a.wav")
    run(
        engine,
        *("a.wav", "--language", "German", "--beam-size", "5", "--initial-prompt", "In the car"),
        *("--hotwords", "Zwickau, ACC,", "--timestamps", "--word-timestamps"),
    )
    run(engine, "a.wav", "--languages", "en,de", "--format", "srt")
    assert engine.options == [
        TranscribeOptions(),
        TranscribeOptions(
            language="de",
            beam_size=5,
            initial_prompt="In the car",
            hotwords=("Zwickau", "ACC"),
            timestamps=True,
            word_timestamps=True,
        ),
        TranscribeOptions(allowed_languages=("en", "de"), timestamps=True),
    ]


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([], "Turn left\n"),
        (["--timestamps"], "[00:00:00.000 --> 00:00:01.000] Turn left\n"),
        (["--format", "srt"], "1\n00:00:00,000 --> 00:00:01,000\nTurn left\n\n"),
        (["--format", "vtt"], "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nTurn left\n\n"),
    ],
)
def test_formats(
    engine: FakeEngine, arguments: list[str], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(engine, "a.wav", *arguments) == 0
    assert capsys.readouterr() == (shown, "")


def test_json(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(engine, "a.wav", "--format", "json", "--word-timestamps") == 0
    shown = capsys.readouterr().out
    document = json.loads(shown)
    assert shown.startswith("{\n  ")
    assert document["file"] == "a.wav"
    assert (document["duration"], document["inference_time"], document["rtf"]) == (1.0, 0.25, 0.25)
    assert document["total_time"] > 0
    assert len(document["segments"][0]["words"]) == 2


def test_several_files(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(engine, "a.wav", "b.wav") == 0
    assert capsys.readouterr().out == "==> a.wav <==\nTurn left\n==> b.wav <==\nTurn left\n"
    assert run(engine, "a.wav", "b.wav", "--format", "json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["file"] for line in lines] == ["a.wav", "b.wav"]


def test_a_bad_file_keeps_back_no_other(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(engine, "a.wav", "bad.wav", "none.wav", "b.wav") == 2
    captured = capsys.readouterr()
    assert captured.out.count("Turn left") == 2
    first, second = captured.err.splitlines()
    assert first.startswith("rtap: error: bad.wav is not audio")
    assert second.startswith("rtap: error: none.wav does not exist")


def test_a_bad_file_is_reported_without_loading_a_model(folder: Path) -> None:
    parsed = build_parser().parse_args(["transcribe", "bad.wav"])
    assert transcribe.run(parsed, load=lambda _: pytest.fail("loaded")) == 2


def test_cut_off_files_are_transcribed_with_a_warning(
    engine: FakeEngine, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "cut.wav").write_bytes(wav(2.0)[:-32000])
    assert run(engine, "cut.wav") == 0
    captured = capsys.readouterr()
    assert captured.out == "Turn left\n"
    assert captured.err.startswith("rtap: warning: cut.wav breaks off after 1.0 s")


def test_damaged_mp3_adds_no_notes_of_the_decoder(
    engine: FakeEngine, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wave = np.sin(np.arange(3 * SAMPLE_RATE) / 20) / 2
    soundfile.write(folder / "x.mp3", wave, SAMPLE_RATE)
    content = (folder / "x.mp3").read_bytes()
    (folder / "x.mp3").write_bytes(content[:1200] + b"\x5a" * 300 + content[1500:-1000])
    assert run(engine, "x.mp3") == 0
    assert all(line.startswith("rtap: warning: ") for line in capfd.readouterr().err.splitlines())


@pytest.mark.parametrize(
    ("form", "suffix"), [("text", "txt"), ("json", "json"), ("srt", "srt"), ("vtt", "vtt")]
)
def test_output_dir(
    engine: FakeEngine, folder: Path, form: str, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(engine, "a.wav", "bad.wav", "b.wav", "--format", form, "--output-dir", "out") == 2
    assert capsys.readouterr().out == ""
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        f"a.{suffix}",
        f"b.{suffix}",
    ]
    assert "Turn left" in (folder / "out" / f"a.{suffix}").read_text()


def test_output_dir_that_cannot_be_written(engine: FakeEngine) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        run(engine, "a.wav", "--output-dir", "bad.wav")


def test_interrupted(folder: Path) -> None:
    class Interrupted(FakeEngine):
        def transcribe(self, *arguments: object, **options: object) -> Transcription:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(), "a.wav", "--output-dir", "out")
    assert not (folder / "out").exists()


@pytest.mark.parametrize("error", [PipelineError("x"), ModelError("x"), ZeroDivisionError()])
def test_other_errors_end_the_run(error: Exception) -> None:
    class Broken(FakeEngine):
        def transcribe(self, *arguments: object, **options: object) -> Transcription:
            raise error

    with pytest.raises(type(error)):
        run(Broken(), "a.wav", "b.wav")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.wav", "--language", "germn"], "did you mean german"),
        (["a.wav", "--languages", "en,xx"], "unknown language 'xx'"),
        (["a.wav", "--language", "en", "--languages", "en,de"], "leave one of the two out"),
        (["a.wav", "--task", "translate"], "cannot translate"),
        (["a.wav", "b.wav", "--format", "srt"], "--output-dir"),
        (["a.wav", "x/a.mp3", "--output-dir", "out"], "a.wav and x/a.mp3 would both"),
        (["-", "-"], "give it once"),
    ],
)
def test_options_that_cannot_be_used(
    engine: FakeEngine, arguments: list[str], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        run(engine, *arguments)
    assert message in str(caught.value)


def test_standard_input(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(wav(1.0))))
    assert run(engine, "-", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["file"] == "standard input"


def test_standard_input_that_is_a_terminal(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    assert run(engine, "-") == 2
    assert "pipe a file into it" in capsys.readouterr().err


def test_progress_is_for_terminals(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run(engine, "a.wav") == 0
    assert "1/1 a.wav" in capsys.readouterr().err


def test_names_that_are_not_utf8(
    engine: FakeEngine, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = b"caf\xe9.wav".decode(errors="surrogateescape")
    (folder / name).write_bytes(wav(0.1))
    assert run(engine, name, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["file"] == "caf\ufffd.wav"


def test_model_is_looked_for_when_the_engine_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS_DIR", "models")
    arguments: argparse.Namespace = build_parser().parse_args(
        ["transcribe", "a.wav", "--model", "none"]
    )
    with pytest.raises(ModelError, match="no model none"):
        transcribe.run(arguments)
