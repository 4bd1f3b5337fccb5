"""The real `rtap transcribe`: real files, a real int8 model, in this process and as a user starts it.

The model's weights are random, so what is heard is no sentence; everything around the words is checked.
"""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from rtap.__main__ import main
from rtap.whisper.load_model import load_model
from rtap.whisper.model_directory import ModelDirectory
from tests.deadlines import SOON

AUDIO = Path(__file__).resolve().parents[1] / "audio"
SPOKEN = sorted(AUDIO.glob("*.wav"))
COMMAND = AUDIO / "set_the_temperature.wav"
RTAP = [sys.executable, "-m", "rtap", "transcribe"]
RATE = 16_000
SRT_CUE = re.compile(r"(\d+)\n(\S+) --> (\S+)\n(.+)\n")
VTT_CUE = re.compile(r"(\S+) --> (\S+)\n(.+)\n")

Samples = NDArray[np.float32]


class Done(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


class Rtap:
    """Runs `rtap transcribe` with one model, forced to English, which random weights do not recognise."""

    def __init__(self, model: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.options = ["--model", str(model), "--language", "en"]
        self._capfd = capfd

    def __call__(self, *arguments: str | Path) -> Done:
        self._capfd.readouterr()
        status = main(["transcribe", *map(str, arguments), *self.options])
        return Done(status, *self._capfd.readouterr())


@pytest.fixture
def rtap(quantized: Path, capfd: pytest.CaptureFixture[str]) -> Rtap:
    return Rtap(quantized, capfd)


def speech() -> Samples:
    samples: Samples = soundfile.read(COMMAND, dtype="float32")[0]
    return samples


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.replace(",", ".").split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def assert_refused(done: Done, message: str) -> None:
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("rtap: error: ")
    assert len(done.err.splitlines()) == 1
    assert message in done.err


@pytest.mark.parametrize("file", SPOKEN, ids=lambda file: file.stem)
def test_json(file: Path, rtap: Rtap) -> None:
    done = rtap(file, "--format", "json")
    assert (done.status, done.err) == (0, "")
    document = done.json
    assert document["file"] == str(file)
    assert document["text"]
    assert document["language"] == "en"
    assert document["duration"] == pytest.approx(soundfile.info(file).duration, abs=0.001)
    assert 0 < document["inference_time"] <= document["total_time"]
    # Each is rounded for itself; on a busy machine the factor is large, and so is what rounding changes.
    assert document["rtf"] == pytest.approx(
        document["inference_time"] / document["duration"], rel=0.001, abs=0.001
    )
    for segment in document["segments"]:
        assert 0 <= segment["start"] < segment["end"] <= document["duration"]


def test_the_same_twice(rtap: Rtap) -> None:
    assert rtap(COMMAND).out == rtap(COMMAND).out != rtap(SPOKEN[0]).out


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_lossless_formats_are_heard_alike(kind: str, rtap: Rtap, tmp_path: Path) -> None:
    soundfile.write(tmp_path / f"speech.{kind}", speech(), RATE, subtype="PCM_16")
    assert rtap(tmp_path / f"speech.{kind}").out == rtap(COMMAND).out


@pytest.mark.parametrize("kind", ["ogg", "mp3"])
def test_lossy_formats_are_heard(kind: str, rtap: Rtap, tmp_path: Path) -> None:
    soundfile.write(tmp_path / f"speech.{kind}", speech(), RATE)
    done = rtap(tmp_path / f"speech.{kind}", "--format", "json")
    assert (done.status, done.err) == (0, "")
    assert done.json["text"]
    # A packet or two of padding.
    assert done.json["duration"] == pytest.approx(len(speech()) / RATE, abs=0.15)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (192_000, 8), (8_000, 1)])
def test_any_rate_and_channels(rate: int, channels: int, rtap: Rtap, tmp_path: Path) -> None:
    samples = np.tile(soxr.resample(speech(), RATE, rate)[:, np.newaxis], channels)
    soundfile.write(tmp_path / "speech.wav", samples, rate)
    done = rtap(tmp_path / "speech.wav", "--format", "json")
    assert (done.status, done.err) == (0, "")
    assert done.json["text"]
    assert done.json["duration"] == pytest.approx(len(speech()) / RATE, abs=0.01)


def test_the_name_says_nothing(rtap: Rtap, tmp_path: Path) -> None:
    mislabelled = tmp_path / "speech.mp3"
    mislabelled.write_bytes(COMMAND.read_bytes())
    assert rtap(mislabelled).out == rtap(COMMAND).out


def test_standard_input(rtap: Rtap) -> None:
    with COMMAND.open("rb") as file:
        done = subprocess.run(
            [*RTAP, "-", *rtap.options], stdin=file, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == rtap(COMMAND).out


def test_a_pipe_on_standard_input(rtap: Rtap) -> None:
    content = io.BytesIO()
    soundfile.write(content, speech(), RATE, format="FLAC")
    done = subprocess.run(
        [*RTAP, "-", *rtap.options, "--format", "json"],
        input=content.getvalue(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    document = json.loads(done.stdout)
    assert document["file"] == "standard input"
    assert document["text"] == rtap(COMMAND).out.strip()


def test_language_is_detected_among_those_allowed(quantized: Path, rtap: Rtap) -> None:
    rtap.options = ["--model", str(quantized), "--languages", "de,fr"]
    document = rtap(COMMAND, "--format", "json").json
    assert document["language"] in ("de", "fr")
    assert 0 < document["language_probability"] <= 1


def test_silence(rtap: Rtap, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(3 * RATE), RATE)
    assert rtap(tmp_path / "silence.wav") == Done(0, "", "")
    document = rtap(tmp_path / "silence.wav", "--format", "json").json
    assert (document["text"], document["segments"], document["duration"]) == ("", [], 3.0)
    assert document["inference_time"] == document["rtf"] == 0
    assert rtap(tmp_path / "silence.wav", "--format", "srt").out == ""
    assert rtap(tmp_path / "silence.wav", "--format", "vtt").out == "WEBVTT\n\n"


def test_one_sample(rtap: Rtap, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "click.wav", np.array([0.5]), RATE)
    assert rtap(tmp_path / "click.wav") == Done(0, "", "")
    # Without the detector the model hears it, and must cope with a single sample.
    done = rtap(tmp_path / "click.wav", "--no-vad", "--format", "json", "--word-timestamps")
    assert (done.status, done.err) == (0, "")
    for segment in done.json["segments"]:
        assert 0 <= segment["start"] <= segment["end"] <= 0.02


def test_files_that_cannot_be_used(rtap: Rtap, tmp_path: Path) -> None:
    def write(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    not_numbers = tmp_path / "nan.wav"
    soundfile.write(not_numbers, np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
    header = COMMAND.read_bytes()[:40]
    assert_refused(rtap(not_numbers), "not numbers (NaN or infinite) at 0.0 s: export it again")
    assert_refused(rtap(write("empty.wav", b"")), "is empty (0 bytes): record or copy it again")
    assert_refused(rtap(write("letter.wav", b"Dear driver,\n" * 100)), "is not audio of a kind")
    assert_refused(rtap(write("header.wav", header)), "record")
    assert_refused(rtap(tmp_path / "none.wav"), "does not exist: check the path")
    assert_refused(rtap(tmp_path), "is a directory: give the audio files in it")


def test_a_file_that_breaks_off_is_heard_as_far_as_it_goes(rtap: Rtap, tmp_path: Path) -> None:
    content = COMMAND.read_bytes()
    (tmp_path / "half.wav").write_bytes(content[: len(content) // 2])
    done = rtap(tmp_path / "half.wav")
    assert done.status == 0
    assert done.out
    assert done.err.startswith("rtap: warning: ")
    assert "breaks off after 1.5 s" in done.err


def test_one_bad_file_keeps_back_no_other(rtap: Rtap, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_text("no audio")
    done = rtap(SPOKEN[0], tmp_path / "bad.wav", SPOKEN[1], "--format", "json")
    assert done.status == 2
    assert len(done.err.splitlines()) == 1
    heard = [json.loads(line)["file"] for line in done.out.splitlines()]
    assert heard == [str(SPOKEN[0]), str(SPOKEN[1])]


def test_unknown_language(rtap: Rtap, quantized: Path) -> None:
    rtap.options = ["--model", str(quantized), "--language", "klingon"]
    assert_refused(rtap(COMMAND), "klingon")


@pytest.fixture
def two_sentences(tmp_path: Path) -> Path:
    """Two commands with six seconds between them: two windows."""
    gap = np.zeros(6 * RATE, np.float32)
    path = tmp_path / "two.wav"
    soundfile.write(path, np.concatenate([gap[:RATE], speech(), gap, speech(), gap[:RATE]]), RATE)
    return path


def test_segments_lie_where_the_speech_is(two_sentences: Path, rtap: Rtap) -> None:
    document = rtap(two_sentences, "--format", "json").json
    length = len(speech()) / RATE
    spans = [(segment["start"], segment["end"]) for segment in document["segments"]]
    assert len(spans) == 2
    for (start, end), begins in zip(spans, (1.0, 7.0 + length), strict=True):
        assert begins - 0.3 <= start < begins + 0.3
        assert begins + length - 0.6 < end <= begins + length + 0.3


def test_srt(two_sentences: Path, rtap: Rtap) -> None:
    done = rtap(two_sentences, "--format", "srt")
    assert done.status == 0
    blocks = done.out.removesuffix("\n\n").split("\n\n")
    cues = [SRT_CUE.fullmatch(block + "\n") for block in blocks]
    assert all(cues), blocks
    assert len(cues) >= 2
    assert_in_order(
        [(cue[2], cue[3]) for cue in cues if cue], soundfile.info(two_sentences).duration
    )
    assert [int(cue[1]) for cue in cues if cue] == list(range(1, len(cues) + 1))


def test_vtt(two_sentences: Path, rtap: Rtap) -> None:
    done = rtap(two_sentences, "--format", "vtt", "--word-timestamps")
    assert done.status == 0
    header, *blocks = done.out.removesuffix("\n\n").split("\n\n")
    assert header == "WEBVTT"
    cues = [VTT_CUE.fullmatch(block + "\n") for block in blocks]
    assert all(cues), blocks
    assert len(cues) > 2
    assert_in_order(
        [(cue[1], cue[2]) for cue in cues if cue], soundfile.info(two_sentences).duration
    )


def assert_in_order(clocks: list[tuple[str, str]], duration: float) -> None:
    spans = [(seconds(start), seconds(end)) for start, end in clocks]
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert spans[-1][1] <= duration + 0.1


def test_words(two_sentences: Path, rtap: Rtap) -> None:
    document = rtap(two_sentences, "--format", "json", "--word-timestamps").json
    assert len(document["segments"]) == 2
    for segment in document["segments"]:
        words = segment["words"]
        assert len(words) > 1
        assert "".join(word["word"] for word in words) == segment["text"]
        for word in words:
            assert 0 <= word["start"] <= word["end"] <= document["duration"]
            assert 0 <= word["probability"] <= 1
        assert all(before["end"] <= after["start"] for before, after in pairwise(words))
        assert segment["start"] - 0.5 <= words[0]["start"]
        assert words[-1]["end"] <= segment["end"] + 0.5


def test_output_directory(rtap: Rtap, tmp_path: Path) -> None:
    files = [str(file) for file in SPOKEN]
    assert rtap(*files, "--format", "srt", "--output-dir", tmp_path / "out") == Done(0, "", "")
    written = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in written] == [f"{file.stem}.srt" for file in SPOKEN]
    assert all(file.stat().st_size for file in written)


def test_as_a_user_starts_it(quantized: Path, rtap: Rtap) -> None:
    environment = {"MODELS_DIR": str(quantized.parent), "MODEL_NAME": quantized.name}
    done = subprocess.run(
        [*RTAP, str(COMMAND), "--language", "en"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == rtap(COMMAND).out


@pytest.mark.slow
def test_interrupted_in_the_middle(rtap: Rtap, tmp_path: Path) -> None:
    """Ctrl-C while the model works, when one file is done and a long one is not."""
    gap = np.zeros(3 * RATE, np.float32)
    long = np.concatenate([speech(), gap] * 60)
    soundfile.write(tmp_path / "long.flac", long, RATE)
    output = tmp_path / "out"
    command = [*RTAP, str(SPOKEN[0]), str(tmp_path / "long.flac"), *rtap.options]
    with subprocess.Popen(
        [*command, "--output-dir", str(output)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        first = output / f"{SPOKEN[0].stem}.txt"
        while not first.exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SOON)
    assert (process.returncode, out) == (130, b"")
    assert err == b"rtap: interrupted: nothing was left half written\n"
    assert [file.name for file in output.iterdir()] == [first.name]


PEAK = """
import resource, sys
from rtap.__main__ import main
from rtap.whisper.load_model import load_model
from rtap.whisper.model_directory import ModelDirectory
status = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(status)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(rtap: Rtap, tmp_path: Path) -> None:
    """What holds from one minute to ten holds for two hours: nothing is kept but the window."""
    peaks = []
    for minutes in (1, 10):
        path = tmp_path / f"{minutes}.flac"
        audio = np.zeros(minutes * 60 * RATE, np.float32)
        # A command at the beginning and one at the end, so that the model is used in both.
        audio[: len(speech())] = audio[-len(speech()) :] = speech()
        soundfile.write(path, audio, RATE)
        done = subprocess.run(
            [sys.executable, "-c", PEAK, "transcribe", str(path), *rtap.options],
            capture_output=True,
            text=True,
            check=True,
        )
        text, peak = done.stdout.splitlines()
        assert text
        peaks.append(int(peak))
    megabytes = (peaks[1] - peaks[0]) / 1024
    assert megabytes < 20


def test_features_may_be_a_slice_of_longer_ones(quantized: Path) -> None:
    """Tensors are bound by address, where a slice has the rest of its rows in between."""
    model = load_model(ModelDirectory.open(quantized))
    longer = model.log_mel(speech(), 400)
    heard = []
    for mel in (longer[:, :200], longer[:, :200].copy()):
        decoding = model.decode(model.encode(mel))
        heard.append(decoding.prompt([model.tokenizer.no_timestamps], [0]).copy())
    np.testing.assert_array_equal(heard[0], heard[1])
