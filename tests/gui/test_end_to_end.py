"""The real GUI on a virtual display, the real backend, and speech through a virtual microphone."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
import soundfile

import rtap
from tests.deadlines import SOON
from tools.gui.application import Application, Home, Shown
from tools.gui.backend import Backend
from tools.gui.virtual_display import VirtualDisplay, virtual_display
from tools.gui.virtual_microphone import VirtualMicrophone

AUDIO = Path(__file__).parents[1] / "audio"
COMMAND = "set the temperature to twenty one degrees"
ANSWER = "The temperature is 21 degrees."
NO_MICROPHONE = {"PULSE_SERVER": "unix:/nonexistent"}
MEGABYTE = 1_000_000

pytestmark = pytest.mark.slow


def is_ready(shown: Shown) -> bool:
    return shown.backend == "ready" and shown.can_talk


def has_heard(shown: Shown) -> bool:
    return shown.state == "idle" and shown.final != ""


def resembles(text: str, command: str = COMMAND) -> bool:
    """Word for word, but for a word that a busy machine may lose."""
    return SequenceMatcher(None, text.split(), command.split()).ratio() > 0.7


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    with Backend(tmp_path) as made:
        made.start()
        made.wait_until_healthy()
        yield made


@pytest.fixture
def screen(
    program: Path,
    display: VirtualDisplay,
    home: Home,
    backend: Backend,
    microphone: VirtualMicrophone,
) -> Iterator[Application]:
    with Application(
        program, display, home, backend.arguments, microphone.environment
    ) as application:
        application.wait_for("ready screen", is_ready)
        yield application


def test_held_button(
    screen: Application,
    display: VirtualDisplay,
    microphone: VirtualMicrophone,
    home: Home,
    tmp_path: Path,
) -> None:
    screen.press_button()
    screen.wait_for("listening screen", lambda shown: shown.state == "listening")
    with microphone.play(AUDIO / "set_the_temperature.wav") as player:
        screen.wait_for("partial", lambda shown: len(shown.partial.split()) >= 3)
        player.wait(SOON)
    screen.release_button()
    heard = screen.wait_for("final", has_heard)
    assert resembles(heard.final)
    assert heard.answer != ""
    if heard.final == COMMAND:  # and no word was lost
        assert (heard.answer, heard.earcon) == (ANSWER, "done")
    display.save(tmp_path / "final.png")
    assert (tmp_path / "final.png").stat().st_size > 5000

    states = [shown.state for shown in screen.seen]
    assert [state for i, state in enumerate(states) if states[i - 1 : i] != [state]] == [
        *("idle", "listening", "thinking", "idle")
    ]
    assert screen.frames  # how many a second: tools/benchmark screen
    assert screen.memory < 150 * MEGABYTE
    assert screen.complaints == []

    screen.__exit__(None, None, None)
    (entry,) = home.history
    assert entry["text"] == heard.final
    assert (entry["answer"], entry["earcon"]) == (heard.answer, heard.earcon)
    assert entry["language"] == "en"
    assert 0 < entry["latency"] < 30


def test_a_command_is_done_and_taken_back(
    program: Path, display: VirtualDisplay, home: Home, backend: Backend
) -> None:
    def wait_for_car(temperature: float) -> None:
        """What it keeps is written soon after it was done."""
        deadline = time.monotonic() + SOON
        while {value for path, value in backend.car.items() if path.endswith(".Temperature")} != {
            temperature
        }:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    # From the file itself, so that a busy machine loses no word.
    arguments = [*backend.arguments, "--source-file", str(AUDIO / "set_the_temperature.wav")]
    with Application(program, display, home, arguments, NO_MICROPHONE) as screen:
        screen.wait_for("ready screen", is_ready)
        screen.tap_button()
        done = screen.wait_for("card", lambda shown: shown.card == "done" and shown.answer != "")
        assert (done.final, done.answer) == (COMMAND, ANSWER)
        assert (done.title, done.before, done.value) == ("Temperature", "20 °C", "21 °C")
        wait_for_car(21)
        assert done.can_undo

        screen.wait_for("end of the turn", has_heard)
        screen.tap_undo()
        back = screen.wait_for("undone card", lambda shown: shown.card == "taken back")
        assert (back.title, back.before, back.value) == ("Temperature", "21 °C", "20 °C")
        assert not back.can_undo
        wait_for_car(20)
        assert screen.complaints == []


def test_tapped_button_sends_when_speech_is_over(
    screen: Application, microphone: VirtualMicrophone
) -> None:
    screen.tap_button()
    screen.wait_for("listening screen", lambda shown: shown.state == "listening")
    with microphone.play(AUDIO / "set_the_temperature.wav"):
        heard = screen.wait_for("final", has_heard)
    assert resembles(heard.final)


def test_starts_first_and_outlives_its_backend(
    program: Path,
    display: VirtualDisplay,
    home: Home,
    tmp_path: Path,
    microphone: VirtualMicrophone,
) -> None:
    with (
        Backend(tmp_path) as backend,
        Application(program, display, home, backend.arguments, microphone.environment) as screen,
    ):
        first = screen.wait_for("screen", lambda shown: True)
        assert (first.backend, first.can_talk, first.error) == ("starting", False, "")
        backend.start()
        screen.wait_for("ready screen", is_ready, SOON)
        screen.tap_button()
        screen.wait_for("listening screen", lambda shown: shown.state == "listening")
        with microphone.play(AUDIO / "navigate_home.wav"):
            screen.wait_for("final", has_heard)

        backend.kill()
        # The screen reports the loss before the conversation knows of it.
        lost = screen.wait_for(
            "lost backend", lambda shown: shown.backend == "lost" and not shown.can_talk
        )
        assert lost.history == 1
        assert lost.final != "", "what was said stays on the screen"

        backend.start()
        assert screen.wait_for("ready screen", is_ready, SOON).history == 1


def test_backend_dies_while_somebody_speaks(
    screen: Application, backend: Backend, microphone: VirtualMicrophone
) -> None:
    screen.tap_button()
    screen.wait_for("listening screen", lambda shown: shown.state == "listening")
    with microphone.play(AUDIO / "set_the_temperature.wav"):
        screen.wait_for("partial", lambda shown: shown.partial != "")
        backend.kill()
        failed = screen.wait_for("error", lambda shown: shown.state == "error")
    assert failed.error != ""
    backend.start()
    screen.wait_for("ready screen", lambda shown: is_ready(shown) and shown.state == "idle", SOON)


def test_hands_free_without_a_microphone_of_its_own(
    program: Path, display: VirtualDisplay, home: Home, tmp_path: Path
) -> None:
    speech, rate = soundfile.read(
        AUDIO / "wake_word/hey_mycroft_set_the_temperature.wav", dtype="float32"
    )
    silence = np.zeros(rate * 10, dtype=np.float32)  # until the screen follows the backend's events
    file = tmp_path / "hands_free.wav"
    soundfile.write(file, np.concatenate([silence, speech, silence]), rate)
    with (
        Backend(tmp_path, {"source": "file", "file": str(file)}) as backend,
        Application(program, display, home, backend.arguments, NO_MICROPHONE) as screen,
    ):
        backend.start()
        ready = screen.wait_for("ready backend", lambda shown: shown.backend == "ready", SOON)
        assert not ready.can_talk
        screen.wait_for("wake word", lambda shown: shown.state == "listening")
        heard = screen.wait_for("final", has_heard)
        assert "temperature" in heard.final
        assert heard.history == 1
        answered = screen.wait_for("answer", lambda shown: shown.answer != "")
        assert (answered.answer, answered.earcon) == (ANSWER, "done")


def test_stored_model_is_asked_for(
    program: Path, display: VirtualDisplay, home: Home, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(Path(rtap.__file__).parent / "models/cabin-en", models / "cabin-two")
    manifest = models / "cabin-two/manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"cabin-en"', '"cabin-two"'), "utf-8")
    home.store({"backend/model": "cabin-two"})
    with Backend(tmp_path, models=models) as backend:
        backend.start()
        backend.wait_until_healthy()
        assert backend.model_name == "cabin-en"
        with Application(program, display, home, backend.arguments, NO_MICROPHONE):
            deadline = time.monotonic() + SOON
            while backend.model_name != "cabin-two":
                assert time.monotonic() < deadline
                time.sleep(0.1)


def test_a_portrait_panel_is_turned_with_its_touch(
    program: Path, home: Home, backend: Backend, microphone: VirtualMicrophone
) -> None:
    with (
        virtual_display(480, 800) as panel,
        Application(
            *(program, panel, home, [*backend.arguments, "--rotation", "auto"]),
            microphone.environment,
        ) as screen,
    ):
        screen.wait_for("ready screen", is_ready)
        # The button is right of the middle of a landscape screen, and so below the middle of this panel.
        panel.press(0.45 * panel.width, 0.85 * panel.height)
        screen.wait_for("listening", lambda shown: shown.state == "listening")
        panel.release()
