"""rtap.answers.speaker: when answers are played, and when they are not."""

import queue
import sys
import threading
from collections.abc import Callable, Generator, Iterator

import numpy as np
import pytest

from rtap.answers.answer import Answer, Earcon
from rtap.answers.earcons import RATE, tone
from rtap.answers.output import Loudspeaker
from rtap.answers.speaker import (
    LATEST_SECONDS,
    LONGEST_HOLD_SECONDS,
    LONGEST_QUEUE,
    Speaker,
    make_speaker,
)
from rtap.answers.voice.engine import Speech
from rtap.config import AnswersConfig
from rtap.errors import SpeakerError
from tests.backend.answers.loudspeakers import Played, RecordingOutput
from tests.backend.audio.devices import SoundDevice
from tests.backend.vehicle.cars import Clock
from tests.deadlines import SOON

SECOND = np.full(16_000, 0.5, np.float32)


class Voice:
    """Says one second for each word; the texts are kept."""

    def __init__(self) -> None:
        self.said: queue.Queue[str] = queue.Queue()
        self.error: Exception | None = None
        self.ended = threading.Event()

    def say(self, text: str, language: str, stop: threading.Event) -> Generator[Speech, None, None]:
        self.said.put(f"{language}: {text}")
        try:
            for _ in text.split():
                if self.error is not None:
                    raise self.error
                yield Speech(SECOND, 16_000)
        finally:
            self.ended.set()

    def close(self) -> None:
        self.said.put("closed")


class Assistant:
    """A speaker with everything around it; :meth:`settle` waits until all that was asked for is over."""

    def __init__(self, **options) -> None:
        self.output = RecordingOutput()
        self.voice = Voice()
        self.clock = Clock()
        self.changes: list[bool] = []
        self.errors: queue.Queue[str] = queue.Queue()
        self.over: queue.Queue[bool] = queue.Queue()
        self.speaker = Speaker(
            self.output,
            self.voice,
            on_speaking=self._note,
            on_error=lambda error: self.errors.put(str(error)),
            clock=self.clock,
            **options,
        )

    def _note(self, is_speaking: bool) -> None:  # noqa: FBT001 (the callback's signature)
        assert self.speaker.is_speaking is is_speaking
        self.changes.append(is_speaking)
        if not is_speaking:
            self.over.put(True)

    def say(self, text: str, earcon: Earcon = Earcon.DONE) -> None:
        self.speaker.say(Answer(text, "en", earcon))

    def spoken(self, text: str) -> Played:
        """Say it and wait until it is over."""
        self.say(text)
        self.over.get(timeout=SOON)
        return self.output.played[-1]

    def texts(self) -> list[str]:
        return [self.voice.said.get_nowait() for _ in range(self.voice.said.qsize())]


@pytest.fixture
def make() -> Iterator[Callable[..., Assistant]]:
    made: list[Assistant] = []

    def one(**options) -> Assistant:
        made.append(Assistant(**options))
        made[-1].speaker.start()
        return made[-1]

    yield one
    for assistant in made:
        assistant.speaker.close()


@pytest.fixture
def assistant(make: Callable[..., Assistant]) -> Assistant:
    return make()


class Gate:
    """A device that takes no sound until it is told to; it says when a piece waits."""

    def __init__(self, output: RecordingOutput) -> None:
        self._open = threading.Event()
        self._reached = threading.Event()
        output.on_write = self._wait

    def _wait(self) -> None:
        self._reached.set()
        assert self._open.wait(SOON)

    def reached(self) -> None:
        assert self._reached.wait(SOON)

    def open(self) -> None:
        self._open.set()


def test_a_tone_and_a_sentence(make: Callable[..., Assistant]):
    assistant = make(volume=50)
    played = assistant.spoken("two words")
    assert assistant.texts() == ["en: two words"]
    assert played.is_finished
    assert played.is_closed
    melody = tone(Earcon.DONE)
    np.testing.assert_allclose(played.samples[: melody.size], melody / 2)
    assert played.samples[-32_000:].tolist() == [0.25] * 32_000
    assert played.seconds == pytest.approx(2 + melody.size / RATE + 0.1, abs=0.001)
    # Small pieces, so that it can be ended soon.
    assert max(piece.samples.size / piece.rate for piece in played.pieces) <= 0.02
    assert assistant.changes == [True, False]
    assert assistant.errors.empty()


def test_without_tones(make: Callable[..., Assistant]):
    assistant = make(earcons=False)
    assistant.speaker.play(Earcon.HEARD)
    assert assistant.spoken("word").seconds == pytest.approx(1)
    assert len(assistant.output.played) == 1


def test_a_tone_is_not_speaking(assistant: Assistant):
    assistant.speaker.play(Earcon.HEARD)
    assistant.spoken("word")
    first, _ = assistant.output.played
    assert first.samples.size == tone(Earcon.HEARD).size
    assert assistant.changes == [True, False]


def test_without_a_voice_there_are_tones():
    output = RecordingOutput()
    speaker = Speaker(output, None)
    speaker.start()
    speaker.say(Answer("Done.", "en", Earcon.FAILED))
    assert output.over.acquire(timeout=SOON)
    speaker.close()
    (played,) = output.played
    assert played.samples.size == tone(Earcon.FAILED).size
    assert played.is_finished


def test_one_after_the_other(assistant: Assistant):
    gate = Gate(assistant.output)
    assistant.say("one")
    gate.reached()
    assistant.say("two")
    assistant.say("three")
    gate.open()
    for _ in range(3):
        assistant.over.get(timeout=SOON)
    assert assistant.texts() == ["en: one", "en: two", "en: three"]


def test_the_oldest_of_too_many_gives_way(assistant: Assistant):
    assistant.speaker.hold()
    for number in range(LONGEST_QUEUE + 2):
        assistant.say(str(number))
    assistant.speaker.release()
    for _ in range(LONGEST_QUEUE):
        assistant.over.get(timeout=SOON)
    assert assistant.texts() == [f"en: {number}" for number in range(2, LONGEST_QUEUE + 2)]


def test_not_while_somebody_speaks(assistant: Assistant):
    assistant.speaker.hold()
    assistant.say("later")
    assistant.speaker.play(Earcon.HEARD)
    assert not assistant.output.opened.acquire(timeout=0.05)
    assert not assistant.speaker.is_speaking
    assistant.speaker.release()
    assistant.over.get(timeout=SOON)
    assert assistant.texts() == ["en: later"]


def test_somebody_begins_to_speak(assistant: Assistant):
    gate = Gate(assistant.output)
    assistant.say("this is a long sentence")
    gate.reached()
    assistant.speaker.hold()
    assistant.say("later")
    gate.open()
    assistant.over.get(timeout=SOON)
    (cut,) = assistant.output.played
    assert cut.seconds < 0.1
    assert cut.is_closed
    assert not cut.is_finished
    assistant.speaker.release()
    assistant.over.get(timeout=SOON)
    assert assistant.texts()[-1] == "en: later"
    assert assistant.output.played[-1].is_finished


@pytest.mark.parametrize("earcons", [True, False])
def test_interrupted(make: Callable[..., Assistant], earcons: bool):  # noqa: FBT001 (a parameter)
    assistant = make(earcons=earcons)
    gate = Gate(assistant.output)
    assistant.say("this is a long sentence")
    gate.reached()
    assistant.say("nobody wants to hear this")
    assert assistant.speaker.interrupt()
    gate.open()
    assistant.over.get(timeout=SOON)
    (cut,) = assistant.output.played
    assert cut.seconds < 0.1
    assert not cut.is_finished
    assert earcons or assistant.voice.ended.wait(SOON)
    # What comes after it is played.
    assert assistant.spoken("word").is_finished
    assert "en: nobody wants to hear this" not in assistant.texts()


def test_where_nothing_is_played_there_is_nothing_to_interrupt(assistant: Assistant):
    assert not assistant.speaker.interrupt()
    assistant.speaker.hold()
    assistant.say("this waits")
    assert assistant.speaker.interrupt()
    assert not assistant.speaker.interrupt()


def test_an_answer_that_waited_too_long_is_dropped(assistant: Assistant):
    assistant.speaker.hold()
    assistant.say("about something long past")
    assistant.clock.now += LATEST_SECONDS + 1
    assistant.say("about the present")
    assistant.speaker.release()
    assistant.over.get(timeout=SOON)
    assert assistant.texts() == ["en: about the present"]


def test_an_end_of_speech_that_was_not_reported(assistant: Assistant):
    assistant.speaker.hold()
    assistant.clock.now += LONGEST_HOLD_SECONDS + 1
    assert assistant.spoken("at last").is_finished


def test_a_missing_device_is_reported_once(assistant: Assistant, caplog: pytest.LogCaptureFixture):
    assistant.output.error = SpeakerError("no loudspeaker was found: plug one in")
    for _ in range(3):
        assistant.say("word")
        assistant.over.get(timeout=SOON)
    assert assistant.errors.get(timeout=SOON) == "no loudspeaker was found: plug one in"
    assert assistant.errors.empty()
    # It is there, and is lost again.
    assistant.output.error = None
    assert assistant.spoken("word").is_finished
    assistant.output.error = SpeakerError("no loudspeaker was found: plug one in")
    assistant.say("word")
    assert assistant.errors.get(timeout=SOON)


def test_a_device_that_is_lost_while_it_plays(assistant: Assistant):
    def lose() -> None:
        raise SpeakerError("the loudspeaker plays no sound any more: plug it in again")

    assistant.output.on_write = lose
    assistant.say("word")
    assistant.over.get(timeout=SOON)
    assert assistant.output.played[0].is_closed
    assistant.output.on_write = lambda: None
    assert assistant.spoken("word").is_finished
    assert assistant.errors.qsize() == 1


@pytest.mark.parametrize("error", [SpeakerError("espeak-ng ended"), ValueError("espeak-ng ended")])
def test_a_voice_that_fails(assistant: Assistant, error: Exception):
    assistant.voice.error = error
    assistant.say("word")
    assistant.over.get(timeout=SOON)
    assert "espeak-ng ended" in assistant.errors.get(timeout=SOON)
    assert assistant.output.played[0].is_closed
    assistant.voice.error = None
    assert assistant.spoken("word").is_finished


def test_closing_ends_what_is_played(make: Callable[..., Assistant]):
    assistant = make()
    gate = Gate(assistant.output)
    assistant.say("this is a long sentence")
    gate.reached()
    closing = threading.Thread(target=assistant.speaker.close)
    closing.start()
    assert assistant.speaker._stop.wait(SOON)
    gate.open()
    closing.join(SOON)
    assert not closing.is_alive()
    assert not assistant.output.played[0].is_finished
    assert assistant.texts()[-1] == "closed"
    assistant.say("too late")
    assistant.speaker.play(Earcon.DONE)
    assert len(assistant.output.played) == 1


def test_closed_before_it_began():
    speaker = Speaker(RecordingOutput(), None)
    speaker.close()


@pytest.mark.parametrize(
    ("config", "is_there"),
    [
        (AnswersConfig(voice="none"), True),
        (AnswersConfig(voice="none", earcons=False), False),
        (AnswersConfig(enabled=False), False),
    ],
)
def test_what_a_configuration_asks_for(config: AnswersConfig, is_there: bool):  # noqa: FBT001 (a parameter)
    speaker = make_speaker(config)
    assert (speaker is not None) is is_there
    assert speaker is None or isinstance(speaker._output, Loudspeaker)


def test_the_configured_speaker_logs_what_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    sounddevice = SoundDevice()
    sounddevice.plugged = []
    monkeypatch.setitem(sys.modules, "sounddevice", sounddevice)
    errors: queue.Queue[SpeakerError] = queue.Queue()
    speaker = make_speaker(AnswersConfig(voice="none"), on_error=errors.put)
    assert speaker is not None
    speaker.start()
    speaker.play(Earcon.HEARD)
    assert "no loudspeaker was found" in str(errors.get(timeout=SOON))
    speaker.close()
    assert caplog.text.count("no loudspeaker was found") == 1
