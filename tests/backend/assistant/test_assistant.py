"""rtap.assistant.assistant: what comes of what is said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Any, Literal

import pytest

from rtap.answers.configured import make_answerer
from rtap.assistant.assistant import MOST_WAITING, Assistant
from rtap.assistant.parts import Parts
from rtap.config import Config
from rtap.errors import ConfigurationError, VehicleUnreachableError
from rtap.events import (
    ActionCompleted,
    AnswerGiven,
    ErrorOccurred,
    Event,
    IntentRecognized,
    Transcript,
)
from rtap.intents.context import NOTHING_BEFORE, Context
from rtap.intents.dialogue import DIALOGUE_SECONDS
from rtap.intents.intent import Understanding
from rtap.intents.question import Kind
from rtap.telemetry import Telemetry
from rtap.vehicle.actor import Actor
from rtap.vehicle.result import Outcome
from tests.backend.transports.sample_events import TRANSCRIPT
from tests.backend.vehicle.cars import ScriptedVehicle, intent, table
from tests.deadlines import SOON

VOLUME = "Vehicle.Cabin.Infotainment.Media.Volume"
NOW = TRANSCRIPT.timestamp + 0.01
COMMAND = replace(TRANSCRIPT, text="louder", language="en")


class Words:
    """Knows one command in English, and fails at another."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.asked = threading.Event()

    def understand(
        self, text: str, language: str, confidence: float = 1.0, context: Context = NOTHING_BEFORE
    ) -> Understanding:
        self.asked.set()
        assert self.gate.wait(SOON)
        if text == "crash":
            raise RuntimeError("louder, said the driver")
        if language == "it":
            raise ConfigurationError("there are no sentences in it")
        name = {"louder": "RaiseVolume", "yes": "Confirm", "again": "Repeat"}.get(text)
        known = replace(intent(name), confidence=confidence) if name else None
        near = "louder" if text == "lower or so" else None
        return Understanding(text, language, known, did_you_mean=near)

    def acts(self, intent: str, language: str) -> bool:
        return True


@dataclass
class Rig:
    assistant: Assistant
    words: Words
    car: ScriptedVehicle
    telemetry: Telemetry
    heard: SimpleQueue[Event] = field(default_factory=SimpleQueue)
    closed: threading.Event = field(default_factory=threading.Event)

    def hear(self, transcript: Transcript, **wish: Any) -> None:
        self.assistant.hear(
            transcript, self.heard.put, wish.get("wish", "execute"), wish.get("conversation")
        )

    def next(self) -> Event:
        return self.heard.get(timeout=SOON)

    def settle(self, session_id: str = TRANSCRIPT.session_id) -> None:
        assert self.assistant.wait_until_idle(session_id, SOON)

    def metric(self, line: str) -> bool:
        return line in self.telemetry.exposition().decode()


@contextmanager
def rigged(
    *,
    start: bool = True,
    answers: bool = False,
    is_called: bool = True,
    clock: Callable[[], float] = lambda: NOW,
) -> Iterator[Rig]:
    words, car, telemetry = Words(), ScriptedVehicle(), Telemetry()
    car.values |= {signal.path: signal.start for signal in table().signals.values()}
    actor = Actor(car, table(), speed_limit=5, clock=car.clock)
    closed = threading.Event()
    answerer = make_answerer(Config()) if answers else None
    parts = Parts(words, frozenset({"en", "it"}), actor, answerer, is_called, closed.set)
    assistant = Assistant(lambda: parts, telemetry, clock)
    if start:
        assistant.start()
    try:
        yield Rig(assistant, words, car, telemetry, closed=closed)
    finally:
        words.gate.set()
        assistant.stop(SOON)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with rigged() as one:
        yield one


def test_a_command_is_understood_then_done(rig: Rig) -> None:
    rig.hear(COMMAND)
    understood, acted = rig.next(), rig.next()
    assert isinstance(understood, IntentRecognized)
    assert understood.understanding.intent is not None
    assert understood.understanding.intent.name == "RaiseVolume"
    assert understood.understanding.intent.confidence == COMMAND.confidence
    assert isinstance(acted, ActionCompleted)
    assert acted.result.outcome is Outcome.DONE
    assert [held.path for held in acted.result.held] == [VOLUME]
    for event in (understood, acted):
        assert event.utterance_id == COMMAND.utterance_id
        assert event.session_id == COMMAND.session_id
        assert event.timestamp == NOW
    assert rig.metric('rtap_intents_total{intent="RaiseVolume"} 1.0')
    assert rig.metric('rtap_actions_total{intent="RaiseVolume",outcome="done"} 1.0')
    assert rig.metric(
        "rtap_end_of_speech_to_action_seconds_sum 0.71"
    )  # a latency of 0.7 s, and 0.01 s


def test_who_wants_to_know_only_is_told_and_nothing_is_done(rig: Rig) -> None:
    rig.hear(COMMAND, wish="understand")
    rig.settle()
    assert isinstance(rig.next(), IntentRecognized)
    assert rig.heard.empty()
    assert rig.car.read == []


@pytest.mark.parametrize(
    ("transcript", "wish"),
    [
        (COMMAND, "none"),
        (replace(COMMAND, source="file"), "execute"),
        (replace(COMMAND, text=""), "execute"),
        (replace(COMMAND, language="ja"), "execute"),
        (replace(COMMAND, language=None), "execute"),
        (replace(COMMAND, language="it"), "execute"),
    ],
)
def test_what_is_not_for_it(transcript: Transcript, wish: str, rig: Rig) -> None:
    rig.hear(transcript, wish=wish)
    rig.hear(replace(COMMAND, utterance_id="next"))
    told = rig.next()
    assert isinstance(told, IntentRecognized)
    assert told.utterance_id == "next"


def test_what_is_no_command_is_told_too(rig: Rig) -> None:
    rig.hear(replace(COMMAND, text="lovely weather"))
    rig.settle()
    told = rig.next()
    assert isinstance(told, IntentRecognized)
    assert told.understanding.intent is None
    assert rig.heard.empty()
    assert rig.metric('rtap_intents_total{intent="none"} 1.0')


def test_an_utterance_that_comes_twice_is_done_once(rig: Rig) -> None:
    rig.hear(COMMAND)
    rig.hear(COMMAND)
    results = [event.result for event in (rig.next() for _ in range(4)) if hasattr(event, "result")]
    assert len(results) == 2
    assert results[0] == results[1]
    assert len(rig.car.read) == 1


def test_a_failure_costs_one_utterance_and_tells_no_word_of_it(rig: Rig) -> None:
    rig.hear(replace(COMMAND, text="crash"))
    told = rig.next()
    assert isinstance(told, ErrorOccurred)
    assert (told.stage, told.error_type) == ("assistant", "RuntimeError")
    assert "driver" not in told.message
    rig.hear(COMMAND)
    assert isinstance(rig.next(), IntentRecognized)


def test_what_was_heard_badly_is_asked_for_and_done_after_yes(rig: Rig) -> None:
    rig.hear(replace(COMMAND, confidence=0.2))
    asked = rig.next()
    assert isinstance(asked, IntentRecognized)
    assert asked.question is Kind.SURE
    assert asked.understanding.intent is None
    # A wake word before the answer makes it another session of the same microphone.
    rig.hear(replace(COMMAND, text="yes", session_id="another", utterance_id="answer"))
    answered, acted = rig.next(), rig.next()
    assert isinstance(answered, IntentRecognized)
    assert answered.question is None
    assert isinstance(acted, ActionCompleted)
    assert acted.result.intent == "RaiseVolume"


def test_another_speakers_yes_is_no_answer(rig: Rig) -> None:
    rig.hear(replace(COMMAND, confidence=0.2))
    yes = replace(COMMAND, text="yes", source="stream", session_id="another")
    rig.hear(yes)
    rig.settle("another")
    told = [rig.next(), rig.next()]
    assert all(isinstance(event, IntentRecognized) for event in told)
    assert rig.heard.empty()


@pytest.mark.parametrize(
    ("conversation", "acts"), [("screen", True), ("microphone", False), (None, False)]
)
def test_streams_of_one_conversation_answer_each_other(
    conversation: str | None,
    acts: bool,  # noqa: FBT001
    rig: Rig,
) -> None:
    of_stream = replace(COMMAND, source="stream")
    rig.hear(replace(of_stream, confidence=0.2), conversation="screen")
    rig.hear(
        replace(of_stream, text="yes", session_id="another", utterance_id="answer"),
        conversation=conversation,
    )
    rig.settle("another")
    told = [rig.next(), rig.next()]
    assert all(isinstance(event, IntentRecognized) for event in told)
    assert rig.heard.empty() is not acts


@pytest.mark.parametrize("source", ["microphone", "stream"])
def test_the_button_answers_what_was_asked_hands_free_and_the_other_way_round(
    source: Literal["microphone", "stream"], rig: Rig
) -> None:
    other: Literal["microphone", "stream"] = "stream" if source == "microphone" else "microphone"
    rig.hear(replace(COMMAND, source=source, confidence=0.2), conversation="microphone")
    yes = replace(COMMAND, text="yes", source=other, session_id="another", utterance_id="answer")
    rig.hear(yes, conversation="microphone")
    rig.settle("another")
    told = [type(rig.next()) for _ in range(rig.heard.qsize())]
    assert told == [IntentRecognized, IntentRecognized, ActionCompleted]


def test_an_answer_that_began_too_late_is_none(rig: Rig) -> None:
    rig.hear(replace(COMMAND, confidence=0.2))
    late = COMMAND.timestamp + DIALOGUE_SECONDS + COMMAND.latency + COMMAND.duration + 1
    rig.hear(replace(COMMAND, text="yes", utterance_id="late", timestamp=late))
    rig.settle()
    assert isinstance(rig.next(), IntentRecognized)
    assert isinstance(rig.next(), IntentRecognized)
    assert rig.heard.empty()


def answers_of(rig: Rig, *said: Transcript) -> list[str]:
    for one in said:
        rig.hear(one)
    rig.settle()
    events = [rig.next() for _ in range(rig.heard.qsize())]
    return [event.answer.text for event in events if isinstance(event, AnswerGiven)]


def test_what_came_of_it_is_answered_last_and_again_on_request() -> None:
    with rigged(answers=True) as rig:
        rig.hear(COMMAND)
        kinds = [type(rig.next()) for _ in range(3)]
        assert kinds == [IntentRecognized, ActionCompleted, AnswerGiven]
        again = replace(COMMAND, text="again", utterance_id="again")
        (answer,) = answers_of(rig, again)
        assert answer == "The volume is 40 percent."


def test_who_only_wants_to_understand_is_not_answered() -> None:
    with rigged(answers=True) as rig:
        rig.hear(COMMAND, wish="understand")
        rig.settle()
        assert isinstance(rig.next(), IntentRecognized)
        assert rig.heard.empty()


def test_questions_are_put_in_words() -> None:
    with rigged(answers=True) as rig:
        (sure,) = answers_of(rig, replace(COMMAND, confidence=0.2))
        assert "Did you mean: louder?" in sure
        (meant,) = answers_of(rig, replace(COMMAND, text="lower or so"))
        assert "Did you mean: louder?" in meant
        (lost,) = answers_of(rig, replace(COMMAND, text="lovely weather"))
        assert lost == "I did not understand that."


def test_without_a_wake_word_what_people_say_to_each_other_is_left_alone() -> None:
    with rigged(answers=True, is_called=False) as rig:
        assert answers_of(rig, replace(COMMAND, text="lovely weather")) == []
        rig.hear(replace(COMMAND, text="lower or so"))
        told = rig.next()
        assert isinstance(told, IntentRecognized)
        assert told.question is None
        # And a yes to somebody else is none to the assistant.
        rig.hear(replace(COMMAND, text="yes", utterance_id="yes"))
        rig.settle()
        assert not any(isinstance(rig.next(), ActionCompleted) for _ in range(rig.heard.qsize()))
        # But a command is one.
        assert len(answers_of(rig, replace(COMMAND, utterance_id="next"))) == 1


def test_the_time_for_an_answer_begins_when_the_question_was_spoken() -> None:
    times = [NOW]
    with rigged(clock=lambda: times[0]) as rig:
        rig.hear(replace(COMMAND, confidence=0.2))
        rig.settle()
        times[0] += 5
        rig.assistant.answer_was_spoken()
        times[0] += DIALOGUE_SECONDS
        late = COMMAND.timestamp + DIALOGUE_SECONDS + 4
        rig.hear(replace(COMMAND, text="yes", utterance_id="yes", timestamp=late))
        rig.settle()
        assert [type(rig.next()) for _ in range(3)][-1] is ActionCompleted


def test_too_many_utterances_are_refused_by_name(rig: Rig) -> None:
    rig.words.gate.clear()
    rig.hear(COMMAND)
    assert rig.words.asked.wait(SOON)
    for number in range(MOST_WAITING):
        rig.hear(replace(COMMAND, utterance_id=str(number)))
    assert rig.heard.empty()
    rig.hear(COMMAND)
    told = rig.next()
    assert isinstance(told, ErrorOccurred)
    assert "say it again" in told.message
    assert rig.assistant.waiting == MOST_WAITING
    rig.words.gate.set()
    rig.settle()
    assert rig.assistant.waiting == 0


def test_a_session_waits_for_its_own_utterances(rig: Rig) -> None:
    rig.words.gate.clear()
    rig.hear(COMMAND)
    assert not rig.assistant.wait_until_idle(COMMAND.session_id, 0.01)
    assert rig.assistant.wait_until_idle("another", 0)
    rig.words.gate.set()
    rig.settle()
    assert rig.heard.qsize() == 2


def test_what_was_heard_is_done_before_it_stops_and_nothing_after() -> None:
    with rigged() as rig:
        rig.words.gate.clear()
        rig.hear(COMMAND)
        stopping = threading.Thread(target=rig.assistant.stop, args=(SOON,))
        stopping.start()
        rig.words.gate.set()
        stopping.join()
        assert rig.heard.qsize() == 2
        assert rig.closed.is_set()
        rig.hear(replace(COMMAND, utterance_id="late"))
        assert rig.heard.qsize() == 3  # that it is too late


@pytest.mark.parametrize("execute", [True, False])
def test_a_text_is_handled_at_once_without_the_thread(execute: bool) -> None:  # noqa: FBT001
    with rigged(start=False) as rig:
        handled = rig.assistant.handle("louder", "en", execute=execute)
        assert handled.understanding.intent is not None
        assert (handled.result is not None) is execute


def test_what_the_car_shows() -> None:
    with rigged(start=False) as rig:
        shown = {one.path: (one.value, one.unit) for one in rig.assistant.signals()}
    assert shown[VOLUME] == (30, "percent")


def test_a_look_at_a_car_that_is_being_loaded_does_not_wait() -> None:
    loads, loaded = threading.Event(), threading.Event()

    def load() -> Parts:
        loads.set()
        assert loaded.wait(SOON)
        actor = Actor(ScriptedVehicle(), table(), speed_limit=5)
        return Parts(Words(), frozenset({"en"}), actor, None, is_called=True)

    assistant = Assistant(load, Telemetry())
    assistant.start()
    assert loads.wait(SOON)
    with pytest.raises(VehicleUnreachableError, match="being loaded: try again"):
        assistant.signals()
    loaded.set()
    assistant.stop(SOON)
    assert assistant.signals() == ()


def test_a_text_in_a_language_without_sentences() -> None:
    with rigged(start=False) as rig, pytest.raises(ConfigurationError):
        rig.assistant.handle("louder", "it", execute=True)


def test_sentences_are_loaded_once_whoever_asks_first() -> None:
    loads: list[int] = []
    words, car = Words(), ScriptedVehicle()

    def load() -> Parts:
        loads.append(1)
        actor = Actor(car, table(), speed_limit=5, clock=car.clock)
        return Parts(words, frozenset({"en"}), actor, None, is_called=True)

    assistant = Assistant(load, Telemetry())
    assistant.start()
    asking: Callable[[], Any] = lambda: assistant.handle("weather", "en", execute=True)  # noqa: E731
    threads = [threading.Thread(target=asking) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assistant.stop(SOON)
    assert loads == [1]


@pytest.mark.parametrize("conversation", [None, "screen"], ids=["microphone", "stream"])
def test_a_text_answers_what_was_asked_by_voice(conversation: str | None) -> None:
    source: Literal["microphone", "stream"] = "microphone" if conversation is None else "stream"
    with rigged(answers=True) as rig:
        rig.hear(replace(COMMAND, text="lower or so", source=source), conversation=conversation)
        understood, answer = rig.next(), rig.next()
        assert isinstance(understood, IntentRecognized)
        assert understood.question is Kind.MEANT
        assert isinstance(answer, AnswerGiven)
        name = conversation or "microphone"
        handled = rig.assistant.handle("yes", "en", execute=True, conversation=name)
        assert handled.result is not None
        assert handled.result.outcome is Outcome.DONE
        again = rig.assistant.handle("again", "en", execute=True, conversation=name)
        assert again.answer == handled.answer, "the last one is said again"
        assert rig.assistant.handle("yes", "en", execute=True, conversation=name).result is None
