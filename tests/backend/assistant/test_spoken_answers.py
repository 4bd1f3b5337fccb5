"""rtap.assistant.spoken_answers: when it speaks, when it hears, and what it listens to then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rtap.answers.answer import Answer
from rtap.assistant.spoken_answers import SpokenAnswers, loudspeaker
from rtap.audio.format import Samples
from rtap.config import AnswersConfig
from rtap.errors import RTAPException, SpeakerError
from rtap.events import ErrorOccurred, Event
from rtap.intents.dialogue import DIALOGUE_SECONDS
from rtap.intents.question import Kind
from tests.backend.transports.sample_events import ANSWER, INTENT, STARTED, STOPPED, WOKEN

QUESTION = replace(INTENT, question=Kind.SURE)


class Told:
    """A mouth and an ear that write down what they are told."""

    def __init__(self, *, has_voice: bool = True) -> None:
        self.has_voice = has_voice
        self.log: list[str] = []
        self.on_speaking: Callable[[bool], None] = lambda _: None
        self.on_error: Callable[[RTAPException], None] = lambda _: None

    def start(self) -> None:
        self.log.append("start")

    def say(self, answer: Answer) -> None:
        self.log.append(f"say {answer.text}")

    def hold(self) -> None:
        self.log.append("hold")

    def release(self) -> None:
        self.log.append("release")

    def interrupt(self) -> bool:
        self.log.append("interrupt")
        return True

    def close(self) -> None:
        self.log.append("close")

    def listen_for_answer(self, seconds: float) -> None:
        assert seconds == DIALOGUE_SECONDS
        self.log.append("listen")

    def stop_listening(self) -> None:
        self.log.append("stop listening")

    def set_deaf(self, *, deaf: bool) -> None:
        self.log.append("deaf" if deaf else "hears")


def spoken(
    told: Told, events: list[Event], *, speaks: bool = True, to_microphone: bool = True
) -> SpokenAnswers:
    def make(
        on_speaking: Callable[[bool], None], on_error: Callable[[RTAPException], None]
    ) -> Told | None:
        told.on_speaking, told.on_error = on_speaking, on_error
        return told if speaks else None

    times = iter((100.0, 102.5, 200.0, 201.0))
    return SpokenAnswers(
        make,
        told,
        events.append,
        lambda began, ended: told.log.append(f"spoken {began:g} to {ended:g}"),
        lambda: next(times),
        speaks_to_microphone=to_microphone,
    )


def test_an_answer_is_spoken_and_not_heard() -> None:
    told = Told()
    one = spoken(told, [])
    one.start()
    one.take(INTENT)
    one.take(ANSWER)
    told.on_speaking(True)
    told.on_speaking(False)
    one.close()
    spoken_at = "spoken 100 to 102.5"
    assert told.log == ["start", f"say {ANSWER.answer.text}", "deaf", "hears", spoken_at, "close"]


def test_nobody_is_interrupted_and_who_calls_interrupts() -> None:
    told = Told()
    one = spoken(told, [])
    for event in (WOKEN, STARTED, STOPPED):
        one.take(event)
    assert told.log == ["interrupt", "hold", "release"]


def test_who_has_heard_enough_may_answer_at_once() -> None:
    told = Told()
    one = spoken(told, [])
    one.take(QUESTION)
    one.take(ANSWER)
    told.on_speaking(True)
    assert one.stop()
    told.on_speaking(False)  # as the speaker does when it was interrupted
    assert told.log[-4:] == ["interrupt", "listen", "hears", "spoken 100 to 102.5"]


def test_where_nothing_is_spoken_there_is_nothing_to_stop() -> None:
    assert not spoken(Told(), [], speaks=False).stop()


def test_after_a_question_it_listens_once_it_has_spoken() -> None:
    told = Told()
    one = spoken(told, [])
    one.take(QUESTION)
    one.take(ANSWER)
    told.on_speaking(True)
    assert "listen" not in told.log
    told.on_speaking(False)
    assert told.log[-2:] == ["spoken 100 to 102.5", "listen"]
    told.on_speaking(False)
    assert told.log.count("listen") == 1


@pytest.mark.parametrize(("has_voice", "speaks"), [(False, True), (True, False)])
def test_a_question_that_is_only_shown_is_listened_to_at_once(
    has_voice: bool,  # noqa: FBT001
    speaks: bool,  # noqa: FBT001
) -> None:
    told = Told(has_voice=has_voice)
    one = spoken(told, [], speaks=speaks)
    one.start()
    for event in (QUESTION, ANSWER, STARTED, STOPPED, WOKEN):
        one.take(event)
    one.close()
    assert told.log.count("listen") == 1


def test_who_calls_instead_of_answering_is_not_listened_to_twice() -> None:
    told = Told()
    one = spoken(told, [])
    one.take(QUESTION)
    one.take(ANSWER)
    one.take(WOKEN)
    told.on_speaking(False)
    assert "listen" not in told.log


def test_clients_of_streams_are_answered_by_their_screens() -> None:
    told = Told()
    one = spoken(told, [])
    one.take(replace(QUESTION, source="stream"))
    one.take(replace(ANSWER, source="stream"))
    assert told.log == []


def test_a_stream_that_asks_for_the_voice_is_answered_by_it() -> None:
    told = Told()
    one = spoken(told, [])
    for event in (STARTED, STOPPED, replace(ANSWER, source="stream")):
        one.take_from_stream(event)
    assert told.log == ["hold", "release", f"say {ANSWER.answer.text}"]


@pytest.mark.parametrize("is_drivers", [True, False])
def test_a_question_to_the_drivers_stream_may_be_answered_hands_free(*, is_drivers: bool) -> None:
    told = Told()
    one = spoken(told, [])
    for event in (QUESTION, ANSWER):
        one.take_from_stream(replace(event, source="stream"), is_drivers=is_drivers)
    told.on_speaking(True)
    told.on_speaking(False)
    assert told.log.count("listen") == is_drivers


def test_a_drivers_stream_is_not_heard_twice() -> None:
    told = Told()
    one = spoken(told, [])
    one.take(QUESTION)
    one.take(ANSWER)
    told.on_speaking(True)
    one.cancel_listening()  # the button was pressed before the question was spoken to its end
    one.stop()
    told.on_speaking(False)
    assert "stop listening" in told.log
    assert "listen" not in told.log


def test_who_plays_a_file_waits_for_no_answer() -> None:
    told = Told()
    one = spoken(told, [], to_microphone=False)
    one.take(QUESTION)
    one.take(ANSWER)
    assert told.log == ["listen"]
    one.take_from_stream(replace(ANSWER, source="stream"))
    assert told.log[1:] == [f"say {ANSWER.answer.text}"]


class Doubling:
    """A cleaner whose work is seen."""

    def clean(self, samples: Samples) -> Samples:
        return 2 * samples

    def flush(self) -> Samples:
        return np.ones(3, np.float32)


def test_a_stream_does_not_hear_what_is_answered_to_it() -> None:
    told = Told()
    one = spoken(told, [])
    sound = np.ones(2, np.float32)
    told.on_speaking(True)
    ear = one.unheard_by(Doubling())
    # Its speaker has pressed the button to end this sentence, and is heard from the first word on.
    assert ear.clean(sound).tolist() == [2, 2]
    told.on_speaking(False)
    assert ear.clean(sound).tolist() == [2, 2]
    told.on_speaking(True)
    assert ear.clean(sound).tolist() == [0, 0]
    told.on_speaking(False)
    assert ear.clean(sound).tolist() == [2, 2]
    assert ear.flush().tolist() == [1, 1, 1]


def test_what_cannot_be_played_is_told_and_the_question_listened_to() -> None:
    told, events = Told(), list[Event]()
    one = spoken(told, events)
    one.take(QUESTION)
    one.take(ANSWER)
    told.on_error(SpeakerError("there is no loudspeaker: plug one in"))
    (error,) = events
    assert isinstance(error, ErrorOccurred)
    assert (error.stage, error.error_type) == ("answers", "SpeakerError")
    assert told.log[-1] == "listen"


def test_a_voice_that_is_not_installed_is_told() -> None:
    events: list[Event] = []
    config = AnswersConfig(voice="piper", piper_voices=("/nowhere/de.onnx",))
    assert loudspeaker(config, events.append)(lambda _: None, lambda _: None) is None
    (error,) = events
    assert isinstance(error, ErrorOccurred)
    assert error.stage == "answers"


def test_switched_off_there_is_no_loudspeaker() -> None:
    make = loudspeaker(AnswersConfig(enabled=False), lambda _: None)
    assert make(lambda _: None, lambda _: None) is None
