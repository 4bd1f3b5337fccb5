"""rtap.__main__: whatever goes wrong, one line and a status."""

import argparse
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rtap import __main__, __version__
from rtap.errors import AudioError, PipelineError
from tests.backend.model_directories import make_model
from tests.deadlines import SOON

RTAP = [sys.executable, "-m", "rtap"]


def start(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RTAP, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["--version"]) == 0
    assert capsys.readouterr().out == f"rtap {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["transcribe"], ["models"], ["models", "info"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main([*arguments, "--help"]) == 0
    assert "usage: rtap" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["sing"], "invalid choice: 'sing'"),
        (["transcribe"], "required: FILE"),
        (["transcribe", "x.wav", "--format", "doc"], "'text', 'json', 'srt', 'vtt'"),
        (["transcribe", "x.wav", "--beam-size", "0"], "not a number from 1 on"),
        (["transcribe", "x.wav", "--threads", "many"], "not a number from 1 on"),
        (["transcribe", "x.wav", "--bell"], "--bell"),
        (["models", "drop"], "invalid choice: 'drop'"),
    ],
)
def test_mistyped(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("rtap: error: ")
    assert message in captured.err
    assert "--help" in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (AudioError("x.wav is\nempty"), 2, "rtap: error: x.wav is empty\n"),
        (PipelineError("a stage fell over"), 1, "rtap: error: a stage fell over\n"),
        (KeyboardInterrupt(), 130, "rtap: interrupted: nothing was left half written\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (
            ZeroDivisionError("by zero"),
            1,
            (
                "rtap: internal error: ZeroDivisionError: by zero "
                "(run with RTAP_LOG_LEVEL=DEBUG for details)\n"
            ),
        ),
    ],
)
def test_what_goes_wrong(
    error: BaseException,
    status: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("RTAP_LOG_LEVEL", raising=False)
    run_instead(monkeypatch, error)
    assert __main__.main(["models", "list"]) == status
    assert capsys.readouterr().err == message


def run_instead(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(arguments: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr("rtap.cli.models.run_list", run)


def test_interrupt_that_an_import_turned_into_another_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(arguments: argparse.Namespace) -> int:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("initialization failed") from None
        return 0

    monkeypatch.setattr("rtap.cli.models.run_list", run)
    assert __main__.main(["models", "list"]) == 130
    assert capsys.readouterr().err.startswith("rtap: interrupted")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_traceback_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_instead(monkeypatch, ZeroDivisionError("by zero"))
    monkeypatch.setenv("RTAP_LOG_LEVEL", "debug")
    assert __main__.main(["models", "list"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert shown.endswith("rtap: internal error: ZeroDivisionError: by zero\n")


def test_log_level_that_does_not_exist(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RTAP_LOG_LEVEL", "LOUD")
    assert __main__.main(["models", "list"]) == 2
    assert "RTAP_LOG_LEVEL is LOUD: use one of DEBUG, INFO" in capsys.readouterr().err


def test_starts_light() -> None:
    code = (
        "import sys, rtap.__main__ as m; m.build_parser();"
        "heavy = ('hassil', 'numpy', 'onnxruntime', 'rapidfuzz', 'soundfile', 'tqdm');"
        "print([name for name in heavy if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"


def test_as_a_module() -> None:
    assert start(["--version"]).stdout == f"rtap {__version__}\n"
    failed = start(["transcribe", "none.wav"])
    assert failed.returncode == 2
    assert failed.stderr == "rtap: error: none.wav does not exist: check the path\n"


def test_reader_that_has_gone(tmp_path: Path) -> None:
    make_model(tmp_path / "models" / "whisper-base-int8")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*RTAP, "models", "list"],
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "MODELS_DIR": str(tmp_path / "models")},
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_output_on_a_full_disk(tmp_path: Path) -> None:
    make_model(tmp_path / "models" / "whisper-base-int8")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*RTAP, "models", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "MODELS_DIR": str(tmp_path / "models")},
        )
    assert done.returncode == 2
    assert done.stderr.startswith("rtap: error: standard output cannot be written (No space left")
    assert done.stderr.count("\n") == 1


def open_when_read(pipe: Path, reader: subprocess.Popen[bytes]) -> int:
    while reader.poll() is None:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.01)
    pytest.fail(f"ended before it read: {reader.communicate()}")


def test_interrupted_while_it_reads(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [*RTAP, "transcribe", str(pipe)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        writing = open_when_read(pipe, process)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SOON)
        os.close(writing)
    assert (process.returncode, out) == (130, b"")
    assert err == b"rtap: interrupted: nothing was left half written\n"
