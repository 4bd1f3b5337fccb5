"""rtap listen: real files, detector and noise suppression; an engine that counts what it hears."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from prometheus_client import CollectorRegistry

from rtap.__main__ import build_parser, main
from rtap.assistant.assistant import Assistant
from rtap.assistant.parts import Parts
from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.cli import listen
from rtap.cli.listener import Listener
from rtap.config import AudioConfig, Config, WakeWordConfig
from rtap.errors import AudioError, ConfigurationError, ModelError, PipelineError
from rtap.events import AudioChunk, Event, Transcript
from rtap.intents.context import NOTHING_BEFORE, Context
from rtap.intents.intent import Understanding
from rtap.stages.stt import SpeechToText
from rtap.telemetry import Telemetry
from rtap.vehicle.actor import Actor
from rtap.vehicle.adapters.simulated import SimulatedVehicle
from rtap.whisper.result import Segment, Transcription
from rtap.whisper.transcribe import TranscribeOptions
from tests.backend.vehicle.cars import intent, table
from tests.deadlines import SOON

AUDIO = Path(__file__).parents[2] / "audio"
COMMAND = AUDIO / "navigate_home.wav"
CALL = AUDIO / "wake_word/hey_mycroft_set_the_temperature.wav"
"""Seconds; only a failing test waits so long."""


class Engine:
    """Hears "command 1", "command 2" and so on; silence, which proves that it works, does not count."""

    def __init__(self, on_speech: Callable[[], None] = lambda: None) -> None:
        self.count = 0
        self._on_speech = on_speech

    def transcribe(self, samples: Samples, options: TranscribeOptions) -> Transcription:
        if not samples.any():
            return Transcription("", "en", 1.0, 1.0, 0.0, ())
        self.count += 1
        self._on_speech()
        text = f"command {self.count}"
        segment = Segment(0, 1, text, (1,), "en", -0.1, 1, 0, 0, ())
        return Transcription(text, "en", 1.0, samples.size / SAMPLE_RATE, 0.01, (segment,))

    def steps(self, *_: object) -> Any:
        raise NotImplementedError


class Dictionary:
    """Knows a few texts word for word."""

    def __init__(self, intents: dict[str, str]) -> None:
        self._intents = intents

    def understand(
        self, text: str, language: str, confidence: float = 1.0, context: Context = NOTHING_BEFORE
    ) -> Understanding:
        name = self._intents.get(text)
        return Understanding(text, language, intent(name) if name else None)

    def acts(self, intent: str, language: str) -> bool:
        return True


class Sound:
    """A source that plays a command, then does what the test wants; it ends when it is closed."""

    def __init__(self, then: Callable[[Sound], None]) -> None:
        self._then = then
        self.closed = threading.Event()

    def chunks(self) -> Iterator[AudioChunk]:
        samples = soundfile.read(COMMAND, dtype="float32")[0]
        for begin in range(0, samples.size - 320, 320):
            yield AudioChunk(samples[begin : begin + 320], time.time())
        self._then(self)

    def close(self) -> None:
        self.closed.set()


@dataclass
class Rig:
    load: Callable[[], Engine] = Engine
    environment: dict[str, str] = field(default_factory=dict)
    knows: dict[str, str] = field(default_factory=dict)
    """Intents by the text that means them."""
    applications: int = 0

    def __call__(self, *arguments: str | Path) -> int:
        parsed = build_parser().parse_args(["listen", *map(str, arguments)])
        return listen.run(parsed, self._application, self.environment)

    def _parts(self) -> Parts:
        car = SimulatedVehicle(table().signals)
        actor = Actor(car, table(), speed_limit=5)
        words = Dictionary(self.knows)
        return Parts(words, frozenset({"en"}), actor, None, is_called=True, close=car.close)

    def _application(self, config: Config) -> Any:
        self.applications += 1
        telemetry = Telemetry(CollectorRegistry())
        return SimpleNamespace(
            stt=SpeechToText(self.load),
            assistant=Assistant(self._parts, telemetry),
            telemetry=telemetry,
            options=lambda: TranscribeOptions(language="en"),
        )


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    names = ("", "rtap", "rtap.pipeline.microphone", "rtap.stages.stt", "uvicorn", "uvicorn.access")
    before = [
        (logger, logger.level, logger.handlers[:]) for logger in map(logging.getLogger, names)
    ]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Without partial results, which the engine would count, and whatever profiles there are here."""
    (tmp_path / "default.yaml").write_text("stt:\n  partial_interval_ms: 3000\n")
    return Rig(environment={"RTAP_CONFIG_DIR": str(tmp_path)})


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """Two commands with a pause between; the file ends in the middle of the second."""
    speech = soundfile.read(COMMAND, dtype="float32")[0]
    path = tmp_path / "commands.wav"
    pause = np.zeros(SAMPLE_RATE, np.float32)
    soundfile.write(path, np.concatenate([speech, pause, speech[: SAMPLE_RATE * 9 // 10]]), 16_000)
    return path


def interrupt() -> None:
    """As Ctrl-C does, from any thread."""
    os.kill(os.getpid(), signal.SIGINT)


def use_source(monkeypatch: pytest.MonkeyPatch, then: Callable[[Sound], None]) -> None:
    monkeypatch.setattr("rtap.stages.capture.make_source", lambda config: Sound(then))


def test_a_line_for_each_final(rig: Rig, commands: Path, capsys: Any) -> None:
    assert rig(commands, "--fast") == 0
    assert capsys.readouterr() == ("command 1\ncommand 2\n", "")


@pytest.mark.parametrize(
    ("options", "done"),
    [((), ""), (("--execute",), "  done: Vehicle.Cabin.Infotainment.Media.Volume is 40 percent\n")],
)
def test_commands_below_their_transcripts(
    rig: Rig, commands: Path, options: tuple[str, ...], done: str, capsys: Any
) -> None:
    rig.knows["command 2"] = "RaiseVolume"
    assert rig(commands, "--fast", *options) == 0
    assert capsys.readouterr() == (f"command 1\ncommand 2\n  RaiseVolume\n{done}", "")


def test_json(rig: Rig, commands: Path, capsys: Any) -> None:
    assert rig(commands, "--fast", "--json") == 0
    captured = capsys.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    kinds = [row["type"] for row in rows]
    assert kinds.count("speech_started") == kinds.count("transcript") == 2
    assert "partial" not in kinds
    assert captured.err == ""


def test_on_a_terminal(
    rig: Rig, commands: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    rig.environment["NO_COLOR"] = "1"
    assert rig(commands, "--fast") == 0
    *finals, rest = capsys.readouterr().out.split("\n")
    assert len(finals) == 2
    assert "\r\x1b[Kcommand 2  (" in finals[1]
    assert rest.endswith("\r\x1b[K")
    rig.environment["TERM"] = "dumb"
    assert rig(commands, "--fast") == 0
    assert capsys.readouterr().out == "command 1\ncommand 2\n"


def test_the_file_waits_for_the_model(tmp_path: Path) -> None:
    """Otherwise more would be said than may wait."""
    ended = threading.Event()
    heard_ahead: list[bool] = []
    speech = soundfile.read(COMMAND, dtype="float32")[0]
    sound = np.concatenate([speech, np.zeros(SAMPLE_RATE, np.float32)])

    class Source:
        def chunks(self) -> Iterator[AudioChunk]:
            for begin in range(0, sound.size - 320, 320):
                yield AudioChunk(sound[begin : begin + 320], time.time())
            ended.set()

        def close(self) -> None: ...

    rig = Rig(lambda: Engine(lambda: heard_ahead.append(ended.wait(0.3))))
    events: list[Event] = []
    config = Config(audio=AudioConfig(source="file"), wakeword=WakeWordConfig(enabled=False))
    application = rig._application(config)
    application.stt.start()
    Listener(config, application, Source(), events.append, in_step=True).run()
    application.stt.stop(SOON)
    assert heard_ahead == [False]
    assert [event.text for event in events if isinstance(event, Transcript)] == ["command 1"]


def test_the_level_is_the_loudest_since_it_was_asked(tmp_path: Path) -> None:
    rig = Rig()
    application = rig._application(Config())
    application.stt.start()
    config = Config()
    listener = Listener(config, application, Sound(lambda _: None), lambda _: None, in_step=True)
    assert listener.take_level() == -90.0
    listener.run()
    application.stt.stop(SOON)
    assert -30.0 < listener.take_level() < 0.0
    assert listener.take_level() == -90.0


def test_wake_word(rig: Rig, capsys: Any) -> None:
    assert rig(CALL, "--fast", "--wake-word", "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0]["type"] == "wake_word_detected"
    assert [row["text"] for row in rows if row["type"] == "transcript"] == ["command 1"]
    assert rig(COMMAND, "--fast", "--wake-word", "--json") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "source", "wake_word"),
    [
        ([], "microphone", True),
        (["--no-wake-word"], "microphone", False),
        (["x.wav"], "file", False),
        (["x.wav", "--wake-word"], "file", True),
    ],
)
def test_what_is_heard(rig: Rig, arguments: list[str], source: str, wake_word: bool) -> None:  # noqa: FBT001
    parsed = build_parser().parse_args(["listen", *arguments])
    config = listen._configuration(parsed, rig.environment)
    assert (config.audio.source, config.wakeword.enabled) == (source, wake_word)
    assert config.audio.real_time


def test_the_microphone_is_heard_though_the_service_has_none(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "quiet.yaml").write_text("audio:\n  source: none\n")
    parsed = build_parser().parse_args(["listen", "--profile", "quiet"])
    assert listen._configuration(parsed, rig.environment).audio.source == "microphone"


def test_what_cannot_be_heard_is_told_before_a_model_is_loaded(rig: Rig, tmp_path: Path) -> None:
    letter = tmp_path / "letter.wav"
    letter.write_text("Dear driver,\n" * 100)
    with pytest.raises(AudioError, match="does not exist"):
        rig(tmp_path / "none.wav")
    with pytest.raises(AudioError, match="is not audio"):
        rig(letter)
    with pytest.raises(ConfigurationError, match="--fast is for a FILE"):
        rig("--fast")
    assert rig.applications == 0


def test_no_portaudio(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    def missing(*_: str) -> None:
        raise ConfigurationError("the PortAudio library is missing: run `apt-get install x`")

    monkeypatch.setattr("rtap.audio.portaudio.import_sounddevice", missing)
    monkeypatch.setenv("RTAP_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("RTAP_AUDIO_MOCK", raising=False)
    assert main(["listen"]) == 2
    assert capsys.readouterr() == (
        "",
        "rtap: error: the PortAudio library is missing: run `apt-get install x`\n",
    )


def test_a_microphone_that_is_unplugged(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def unplug(_: Sound) -> None:
        raise PipelineError("no sound any more: plug it in again")

    use_source(monkeypatch, unplug)
    with pytest.raises(PipelineError, match="plug it in again"):
        rig("--no-wake-word")
    assert capsys.readouterr() == ("command 1\n", "")


def test_a_model_that_is_not_there(rig: Rig, capsys: Any) -> None:
    def load() -> Engine:
        raise ModelError("no model x: `rtap models list` shows what there is")

    rig.load = load
    with pytest.raises(ConfigurationError, match="no model x: `rtap models list`"):
        rig(COMMAND)
    assert capsys.readouterr() == ("", "")


def test_an_utterance_that_fails(rig: Rig, commands: Path, capsys: Any) -> None:
    engine: Engine

    def fail_once() -> None:
        if engine.count == 1:
            raise RuntimeError("bad weather")

    engine = Engine(fail_once)
    rig.load = lambda: engine
    assert rig(commands, "--fast") == 1
    captured = capsys.readouterr()
    assert captured.out == "command 2\n"
    assert captured.err.startswith("rtap: error: speech recognition failed")
    assert captured.err.count("\n") == 1


def test_interrupt_ends_it_once_all_is_text(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def wait(sound: Sound) -> None:
        interrupt()
        assert sound.closed.wait(SOON)

    use_source(monkeypatch, wait)
    assert rig("--no-wake-word") == 0
    assert capsys.readouterr() == ("command 1\n", "")


def test_a_reader_that_has_gone(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_reads(_: object, event: Event) -> None:
        raise BrokenPipeError

    heard_to_the_end: list[bool] = []
    use_source(monkeypatch, lambda sound: heard_to_the_end.append(not sound.closed.wait(SOON)))
    monkeypatch.setattr("rtap.cli.display.LineDisplay.show", nobody_reads)
    with pytest.raises(BrokenPipeError):
        rig("--no-wake-word")
    assert heard_to_the_end == [False]


def test_a_second_interrupt_ends_it_at_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    closed, released = threading.Event(), threading.Event()
    monkeypatch.setattr(listen, "_SHUTDOWN_SECONDS", 0.0)

    def then(sound: Sound) -> None:
        interrupt()
        assert sound.closed.wait(SOON)
        closed.set()

    def stuck() -> None:
        # Two signals at a time would arrive as one: the first has closed the source by now.
        assert closed.wait(SOON)
        interrupt()
        released.wait(SOON)

    rig.load = lambda: Engine(stuck)
    use_source(monkeypatch, then)
    try:
        assert rig("--no-wake-word") == 0
        assert not released.is_set()
        assert capsys.readouterr() == ("", "")
    finally:
        released.set()


def test_interrupted_while_the_model_is_loaded(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    released = threading.Event()

    def load() -> Engine:
        interrupt()
        released.wait(SOON)
        return Engine()

    rig.load = load
    monkeypatch.setattr(listen, "_SHUTDOWN_SECONDS", 0.0)
    try:
        assert rig(COMMAND) == 0
        assert not released.is_set()
        assert capsys.readouterr() == ("", "")
    finally:
        released.set()


@pytest.mark.slow
def test_as_a_user_starts_it(
    quantized: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The real application and a real model, whose weights are random; and no port."""

    def refuse(*_: object) -> None:
        pytest.fail("a port was opened")

    profile = tmp_path / "test.yaml"
    profile.write_text(f"stt:\n  model_name: {quantized}\n  language: en\n")
    monkeypatch.setenv("RTAP_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert main(["listen", str(COMMAND), "--profile", "test", "--fast", "--json"]) == 0
    captured = capsys.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    assert [row["language"] for row in rows if row["type"] == "transcript"] == ["en"]
    assert captured.err == ""
