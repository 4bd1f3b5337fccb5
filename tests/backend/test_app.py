"""The application as a whole, without a process of its own."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import rtap
from rtap.app import RTAPApplication
from rtap.config import AnswersConfig, AudioConfig, Config, OutputConfig, SttConfig
from rtap.errors import ModelError, PipelineError
from rtap.events import AnswerGiven, ErrorOccurred, Event, Transcript
from rtap.server import serve
from tests.deadlines import SOON

AUDIO = Path(__file__).parents[1] / "audio"
BUNDLED = Path(rtap.__file__).parent / "models" / "cabin-en"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A directory with a copy of the bundled model, and with one that cannot be loaded."""
    for name in ("copy", "damaged"):
        shutil.copytree(BUNDLED, tmp_path / name)
    data = tmp_path / "damaged" / "decoder.onnx"
    data.write_bytes(bytes(data.stat().st_size))
    return tmp_path


@pytest.fixture
def application(models: Path) -> Iterator[RTAPApplication]:
    output = OutputConfig(zmq_enabled=False, websocket_enabled=False, wyoming_enabled=False)
    one = RTAPApplication(
        Config(audio=AudioConfig(source="none"), output=output, models_dir=models)
    )
    asyncio.run(one.start())
    one.stt.probe().result(SOON)
    yield one
    asyncio.run(one.stop())


def model_name(application: RTAPApplication) -> str:
    application.stt.probe().result(SOON)
    facts = application.model()
    assert facts is not None
    return Path(facts.path).name


def test_another_model(application: RTAPApplication) -> None:
    assert model_name(application) == "cabin-en"
    application.use_model("copy")
    assert model_name(application) == "copy"
    assert application.health().healthy


def test_a_model_that_cannot_be_loaded_leaves_the_old_one(application: RTAPApplication) -> None:
    with application.bus.subscribe() as events:
        application.use_model("damaged")
        assert model_name(application) == "cabin-en"
        [error] = [event for event in events.take() if isinstance(event, ErrorOccurred)]
    assert "damaged" in error.message
    assert application.health().healthy


@pytest.mark.parametrize("name", ["nothing", "../cabin-en", ""])
def test_a_model_that_is_not_there(name: str, application: RTAPApplication) -> None:
    with pytest.raises(ModelError, match="there are copy, damaged, cabin-en"):
        application.use_model(name)
    assert application.stt.ready.is_set()


def test_without_a_microphone_there_is_nothing_to_switch(application: RTAPApplication) -> None:
    application.set_listening(enabled=True)
    assert application.listening() is None


@pytest.mark.parametrize(
    ("variable", "system"),
    [("1.0.0 (20261101093000, release)", "1.0.0 (20261101093000, release)"), (" ", None)],
)
def test_the_device_says_which_system_it_is(
    monkeypatch: pytest.MonkeyPatch, variable: str, system: str | None
) -> None:
    monkeypatch.setenv("RTAP_SYSTEM_VERSION", variable)
    assert RTAPApplication(Config(audio=AudioConfig(source="none"))).telemetry.system == system


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_the_service_ends_when_only_a_new_process_helps() -> None:
    output = OutputConfig(
        zmq_enabled=False,
        websocket_enabled=False,
        wyoming_enabled=False,
        http_port=free_port(),
        health_port=free_port(),
    )
    application = RTAPApplication(Config(audio=AudioConfig(source="none"), output=output))
    application.broken.set_result("the model goes on failing: restart the service")
    with pytest.raises(PipelineError, match="goes on failing"):
        asyncio.run(serve(application))


@pytest.mark.parametrize("decode_at_pause", [True, False])
def test_what_is_said_is_text_before_the_silence_is_over(*, decode_at_pause: bool) -> None:
    output = OutputConfig(zmq_enabled=False, websocket_enabled=False, wyoming_enabled=False)
    stt = SttConfig(decode_at_pause=decode_at_pause)
    application = RTAPApplication(Config(audio=AudioConfig(source="none"), output=output, stt=stt))
    asyncio.run(application.start())
    try:
        events: list[Event] = []
        options = application.options("en")
        session = application.new_session("s", options, events.append, partials=False)
        command = soundfile.read(AUDIO / "navigate_home.wav", dtype="float32")[0]
        silence = np.zeros(12_800, np.float32)
        heard = np.concatenate([command, silence])
        for begin in range(0, heard.size, 2_048):  # less than what a pause lasts
            session.push(heard[begin : begin + 2_048], 0.0)
            # What comes after all that waits: the model has kept pace, as it does with a microphone.
            application.stt.transcribe_partial("other", "o", silence, options).result(SOON)
        assert session.wait_until_idle(SOON)
    finally:
        asyncio.run(application.stop())
    assert [one.text for one in events if isinstance(one, Transcript)] == ["navigate home"]
    used = f'rtap_speculations_total{{outcome="used"}} {float(decode_at_pause)}'
    assert used in application.telemetry.exposition().decode()


@pytest.mark.parametrize("speak", [True, False])
def test_a_streams_answers_are_spoken_where_it_asks_for_it(*, speak: bool) -> None:
    output = OutputConfig(zmq_enabled=False, websocket_enabled=False, wyoming_enabled=False)
    answers = AnswersConfig(device="a loudspeaker that is nowhere")
    application = RTAPApplication(
        Config(audio=AudioConfig(source="none"), output=output, answers=answers)
    )
    asyncio.run(application.start())
    said = soundfile.read(AUDIO / "set_the_temperature.wav", dtype="float32")[0]
    seen: list[Event] = []
    is_over = threading.Event()

    def look() -> None:
        seen.extend(published.take())
        # The loudspeaker is tried in a thread of its own.
        if isinstance(seen[-1], ErrorOccurred if speak else AnswerGiven):
            is_over.set()

    published = application.bus.subscribe(look)
    try:
        session = application.new_session(
            "s", application.options("en"), lambda _: None, intents="execute", speak=speak
        )
        session.push(said, 0.0)
        session.finish()
        assert is_over.wait(SOON)
    finally:
        asyncio.run(application.stop())
    errors = [(one.stage, one.error_type) for one in seen if isinstance(one, ErrorOccurred)]
    assert errors == [("answers", "SpeakerError")] * speak


@pytest.mark.parametrize("preferred", [True, False])
def test_commands_are_preferred_where_that_is_configured(*, preferred: bool) -> None:
    stt = SttConfig(prefer_commands=preferred)
    application = RTAPApplication(Config(audio=AudioConfig(source="none"), stt=stt))
    options = application.options()
    assert (options.preference is not None) is preferred
    # Of equal options, what was transcribed at a pause is taken.
    assert options == application.options()
