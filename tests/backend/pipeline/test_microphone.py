"""The states of the microphone's pipeline, with scripted stages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.audio.ring_buffer import AudioRingBuffer
from rtap.config import AudioConfig, Config, VadConfig, WakeWordConfig
from rtap.errors import ConfigurationError, PipelineError
from rtap.events import (
    AudioChunk,
    ErrorOccurred,
    Event,
    LevelMeasured,
    ListeningChanged,
    SpeechStarted,
    State,
    StateChanged,
    Transcript,
    Utterance,
    WakeWordDetected,
)
from rtap.pipeline.microphone import AudioPipeline
from rtap.pipeline.session import Equipment, SpeechSession
from rtap.stages.denoise import Denoiser
from rtap.telemetry import Telemetry
from rtap.whisper.transcribe import TranscribeOptions
from tests.deadlines import SOON

Kind = TypeVar("Kind")
FRAME = SAMPLE_RATE // 50
CALL, SPEECH, SILENCE, BROKEN = 0.9, 0.5, 0.0, 0.77
"""Levels that the scripted stages recognise."""


class Loudness:
    def speech_probability(self, chunk: Samples) -> float:
        if np.any(np.isclose(chunk, BROKEN)):
            raise RuntimeError("the detector broke")
        return float(np.abs(chunk).max() > 0.01)


class CallWord:
    """Hears the wake word where the level says so."""

    def __init__(self) -> None:
        self.resets = 0

    def detect(self, samples: Samples) -> str | None:
        return "hey_test" if np.any(np.isclose(samples, CALL)) else None

    def reset(self) -> None:
        self.resets += 1


class Echo:
    """Understands everything at once, or when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Utterance, Future[Transcript]]] = []
        self.at_once = True

    def transcribe(self, utterance, source, options, speculation=None):
        future: Future[Transcript] = Future()
        self.waiting.append((utterance, future))
        if self.at_once:
            self.answer()
        return future

    def answer(self) -> None:
        utterance, future = self.waiting.pop(0)
        ids = (utterance.session_id, utterance.utterance_id)
        future.set_result(
            Transcript("navigate home", *ids, "en", 1.0, 1.0, 0.01, 0.4, 0.0, 0.9, "microphone")
        )

    def transcribe_partial(self, session_id, utterance_id, samples, options):
        return Future()

    def speculate(self, session_id, utterance_id, samples, options):
        return None

    def drop_speculation(self, session_id, speculation):
        raise NotImplementedError


class Sound:
    """A source that plays levels, one frame each, and may fail."""

    def __init__(self, levels: list[float], failure: Exception | None = None) -> None:
        self._levels = levels
        self._failure = failure
        self.closed = threading.Event()

    def chunks(self) -> Iterator[AudioChunk]:
        for index, level in enumerate(self._levels):
            yield AudioChunk(np.full(FRAME, level, np.float32), index / 50)
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        self.closed.set()


class Rig:
    def __init__(self, *sources: Sound, wake_word: bool = True) -> None:
        self.events: list[Event] = []
        self.speaking = threading.Event()
        self.idle_again = threading.Event()
        self.heard = threading.Event()
        self.word = CallWord() if wake_word else None
        self.wants_levels = False
        self.echo = Echo()
        self.telemetry = Telemetry(CollectorRegistry())
        waiting = list(sources)
        vad = VadConfig(min_speech_ms=64, min_silence_ms=200, speech_pad_ms=64)

        def session(session_id: str, publish: Callable[[Event], None]) -> SpeechSession:
            equipment = Equipment(Loudness(), Denoiser(0, 0), vad, self.echo)
            return SpeechSession(session_id, "microphone", equipment, TranscribeOptions(), publish)

        self.pipeline = AudioPipeline(
            Config(
                audio=AudioConfig(source="file", file=Path("scripted"), real_time=False),
                wakeword=WakeWordConfig(timeout_ms=1000),
            ),
            make_source=lambda: waiting.pop(0),
            denoiser=Denoiser(0, 0),
            wake_word=self.word,
            make_session=session,
            ring_buffer=AudioRingBuffer(1000, 20),
            publish=self._take,
            telemetry=self.telemetry,
        )
        self.pipeline.wants_levels = lambda: self.wants_levels

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, StateChanged) and event.state is State.IDLE:
            self.idle_again.set()
        elif isinstance(event, SpeechStarted):
            self.speaking.set()
        elif isinstance(event, Transcript):
            self.heard.set()

    @property
    def states(self) -> list[State]:
        return [event.state for event in self.events if isinstance(event, StateChanged)]

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events if isinstance(event, kind)]


def frames(seconds: float, level: float) -> list[float]:
    return [level] * round(50 * seconds)


COMMAND = [*frames(0.5, SPEECH), *frames(0.5, SILENCE)]


def test_a_call_and_a_command() -> None:
    rig = Rig(Sound([*frames(0.2, SILENCE), CALL, *frames(0.3, SILENCE), *COMMAND]))
    rig.pipeline.run()
    assert rig.states == [
        State.LISTENING, State.PROCESSING, State.EMIT, State.IDLE, State.SHUTDOWN,
    ]  # fmt: skip
    assert [event.name for event in rig.of(WakeWordDetected)] == ["hey_test"]
    assert len(rig.of(Transcript)) == 1


def test_without_the_call_nothing_is_heard() -> None:
    rig = Rig(Sound(COMMAND * 2))
    rig.pipeline.run()
    assert rig.states == [State.SHUTDOWN]
    assert rig.of(Transcript) == []


def test_one_call_is_for_one_command() -> None:
    rig = Rig(Sound([CALL, *COMMAND, *COMMAND, CALL, *COMMAND]))
    rig.pipeline.run()
    assert len(rig.of(Transcript)) == 2
    assert rig.word is not None
    assert rig.word.resets == 2


def test_a_call_without_a_command_is_forgotten() -> None:
    rig = Rig(Sound([CALL, *frames(1.5, SILENCE), *COMMAND]))
    rig.pipeline.run()
    assert rig.states == [State.LISTENING, State.IDLE, State.SHUTDOWN]
    assert rig.of(Transcript) == []


def test_without_a_wake_word_every_utterance_counts() -> None:
    rig = Rig(Sound(COMMAND * 3), wake_word=False)
    rig.pipeline.run()
    assert len(rig.of(Transcript)) == 3
    assert rig.states[:4] == [State.LISTENING, State.PROCESSING, State.EMIT, State.IDLE]


def test_the_end_of_the_source_ends_the_utterance() -> None:
    rig = Rig(Sound([CALL, *frames(0.5, SPEECH)]))
    rig.pipeline.run()
    assert len(rig.of(Transcript)) == 1


class Held(Sound):
    """Sound that goes on until somebody closes it, as a microphone's does."""

    def __init__(self, levels: list[float]) -> None:
        super().__init__(levels)
        self.played = threading.Event()

    def chunks(self) -> Iterator[AudioChunk]:
        yield from super().chunks()
        self.played.set()
        assert self.closed.wait(SOON)


def test_switched_off_the_source_is_closed_and_what_was_said_is_forgotten() -> None:
    first, second = Held([CALL, *frames(0.5, SPEECH)]), Held([CALL, *COMMAND])
    rig = Rig(first, second)
    running = threading.Thread(target=rig.pipeline.run)
    running.start()
    assert rig.speaking.wait(SOON)
    rig.pipeline.set_listening(enabled=False)
    assert not rig.pipeline.is_enabled
    assert first.closed.wait(SOON)
    assert rig.idle_again.wait(SOON)
    assert not second.played.is_set()
    rig.pipeline.set_listening(enabled=True)
    assert rig.heard.wait(SOON)
    rig.pipeline.stop()
    running.join(SOON)
    assert [event.enabled for event in rig.of(ListeningChanged)] == [False, True]
    assert len(rig.of(Transcript)) == 1
    assert rig.states[-1] is State.SHUTDOWN


def test_switched_off_it_can_be_stopped() -> None:
    rig = Rig()
    rig.pipeline.set_listening(enabled=False)
    running = threading.Thread(target=rig.pipeline.run)
    running.start()
    rig.pipeline.stop()
    running.join(SOON)
    assert rig.states == [State.SHUTDOWN]


def test_switching_it_off_twice_is_told_once() -> None:
    rig = Rig()
    rig.pipeline.set_listening(enabled=False)
    rig.pipeline.set_listening(enabled=False)
    assert len(rig.of(ListeningChanged)) == 1


def test_stopping_in_the_middle_of_an_utterance_delivers_it() -> None:
    said = threading.Event()

    class Endless(Sound):
        def chunks(self) -> Iterator[AudioChunk]:
            yield from super().chunks()
            said.set()
            self.closed.wait(SOON)

    rig = Rig(Endless(frames(0.5, SPEECH)), wake_word=False)
    thread = threading.Thread(target=rig.pipeline.run)
    thread.start()
    assert said.wait(SOON)
    rig.pipeline.stop()
    thread.join(SOON)
    assert not thread.is_alive()
    assert len(rig.of(Transcript)) == 1


def test_it_is_quiet_until_somebody_calls_and_until_that_is_text() -> None:
    rig = Rig(Sound([]))
    assert rig.pipeline.is_quiet
    rig.echo.at_once = False
    for level in [SILENCE, CALL, SILENCE, *frames(0.4, SPEECH), *frames(0.4, SILENCE)]:
        rig.pipeline.process(AudioChunk(np.full(FRAME, level, np.float32), 0.0))
        assert rig.pipeline.is_quiet is (rig.pipeline.state is State.IDLE)
    assert not rig.pipeline.is_quiet
    rig.echo.answer()
    assert rig.pipeline.is_quiet


def test_without_a_wake_word_it_is_quiet_between_utterances() -> None:
    rig = Rig(Sound([]), wake_word=False)
    rig.echo.at_once = False
    quiet = []
    for level in [SILENCE, *frames(0.4, SPEECH), *frames(0.4, SILENCE)]:
        rig.pipeline.process(AudioChunk(np.full(FRAME, level, np.float32), 0.0))
        quiet.append(rig.pipeline.is_quiet)
    assert (quiet[0], quiet[15], quiet[-1]) == (True, False, False)
    rig.echo.answer()
    assert rig.pipeline.is_quiet


def test_it_hears_while_sound_comes_in_or_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(Sound([]))
    assert not rig.pipeline.is_receiving_audio
    rig.pipeline.process(AudioChunk(np.zeros(FRAME, np.float32), 0.0))
    assert rig.pipeline.is_receiving_audio
    monkeypatch.setattr("rtap.pipeline.microphone.DEAF_SECONDS", 0.0)
    assert not rig.pipeline.is_receiving_audio
    rig.pipeline.set_listening(enabled=False)
    assert rig.pipeline.is_receiving_audio


def test_a_lost_microphone_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtap.pipeline.microphone.RETRY_SECONDS", (0.0,))
    lost = Sound(frames(0.1, SILENCE), PipelineError("unplugged: plug it in"))
    rig = Rig(lost, Sound([CALL, *COMMAND]))
    rig.pipeline.run()
    assert lost.closed.is_set()
    [error] = rig.of(ErrorOccurred)
    assert isinstance(error, ErrorOccurred)
    assert error.stage == "capture"
    assert len(rig.of(Transcript)) == 1


def test_what_waiting_cannot_mend_is_not_retried() -> None:
    rig = Rig(Sound([], ConfigurationError("no PortAudio: install it")))
    rig.pipeline.run()
    assert rig.states == [State.SHUTDOWN]
    assert len(rig.of(ErrorOccurred)) == 1


def test_a_broken_stage_costs_a_chunk_and_not_the_loop() -> None:
    rig = Rig(Sound([CALL, *frames(0.1, SPEECH), BROKEN, *frames(0.1, SILENCE), CALL, *COMMAND]))
    rig.pipeline.run()
    assert rig.states[:3] == [State.LISTENING, State.IDLE, State.LISTENING]
    assert len(rig.of(Transcript)) == 1


def test_metrics_tell_what_happened() -> None:
    rig = Rig(Sound([CALL, *COMMAND]))
    rig.pipeline.run()
    metrics = rig.telemetry.exposition().decode()
    assert 'rtap_frames_processed_total{stage="capture"} 51.0' in metrics
    assert 'rtap_state_transitions_total{from="LISTENING",to="PROCESSING"} 1.0' in metrics


def test_the_end_comes_even_when_a_stage_breaks_there() -> None:
    rig = Rig(Sound([CALL, *frames(0.1, SPEECH), BROKEN]))
    rig.pipeline.run()
    assert rig.states[-1] is State.SHUTDOWN
    assert rig.of(ErrorOccurred)


class Asking(Sound):
    """A source that asks the pipeline something after its first half."""

    def __init__(self, levels: list[float], then: list[float]) -> None:
        super().__init__(levels)
        self._then = Sound(then)
        self.ask: Callable[[], None] = lambda: None

    def chunks(self) -> Iterator[AudioChunk]:
        yield from super().chunks()
        self.ask()
        yield from self._then.chunks()


def asking(rig_levels: list[float], then: list[float]) -> Rig:
    sound = Asking(rig_levels, then)
    rig = Rig(sound)
    sound.ask = lambda: rig.pipeline.listen_for_answer(1.0)
    return rig


def test_an_answer_needs_no_wake_word() -> None:
    rig = asking([CALL, *COMMAND], [*frames(0.5, SILENCE), *COMMAND, *COMMAND])
    rig.pipeline.run()
    assert len(rig.of(Transcript)) == 2  # and what follows the answer needs one again
    assert len(rig.of(WakeWordDetected)) == 1
    first, second = rig.of(SpeechStarted)
    assert first.session_id != second.session_id


def test_a_question_that_nobody_answers_is_over_in_time() -> None:
    rig = asking([CALL, *COMMAND], [*frames(1.5, SILENCE), *COMMAND])
    rig.pipeline.run()
    assert len(rig.of(Transcript)) == 1
    reasons = [event.reason for event in rig.of(StateChanged)]
    assert reasons[-3:] == ["a question was asked", "nobody spoke", "no more audio"]


def hear(rig: Rig, levels: list[float]) -> None:
    """Here and now, without the thread that captures."""
    for level in levels:
        rig.pipeline.process(AudioChunk(np.full(FRAME, level, np.float32), 0.0))


@pytest.mark.parametrize("first", [[CALL], [CALL, *frames(0.3, SPEECH)]])
def test_it_stops_listening_when_it_is_told_to(first: list[float]) -> None:
    rig = Rig()
    hear(rig, first)
    rig.pipeline.stop_listening()
    hear(rig, COMMAND)
    assert not rig.of(Transcript)
    assert rig.states == [State.LISTENING, State.IDLE]
    hear(rig, [CALL, *COMMAND])
    assert len(rig.of(Transcript)) == 1


def test_what_was_said_to_its_end_becomes_text_nevertheless() -> None:
    rig = Rig()
    rig.echo.at_once = False
    hear(rig, [CALL, *COMMAND])
    rig.pipeline.stop_listening()
    hear(rig, [SILENCE])
    rig.echo.answer()
    assert len(rig.of(Transcript)) == 1


def test_while_somebody_is_listened_to_it_tells_how_loud_it_is() -> None:
    rig = Rig()
    rig.wants_levels = True
    hear(rig, frames(0.2, SPEECH))
    assert not rig.of(LevelMeasured)  # nobody has called
    hear(rig, [CALL, *COMMAND])
    levels = rig.of(LevelMeasured)
    assert {(one.dbfs, one.level) for one in levels} == {(-6.0, 0.9), (-90.0, 0.0)}
    assert 6 <= len(levels) <= 8  # ten in a second, until the end of speech was sure
    (called,) = rig.of(WakeWordDetected)
    assert {one.session_id for one in levels} == {called.session_id}
    rig.wants_levels = False
    hear(rig, [CALL, *COMMAND])
    assert rig.of(LevelMeasured) == levels


def test_no_answer_is_awaited_where_it_is_told_to_stop_or_switched_off() -> None:
    for off in (True, False):
        rig = Rig(Sound([*frames(0.1, SILENCE), *COMMAND]))
        if off:
            rig.pipeline.set_listening(enabled=False)
        rig.pipeline.listen_for_answer(1.0)
        if not off:
            rig.pipeline.stop_listening()
        rig.pipeline.set_listening(enabled=True)
        rig.pipeline.run()
        assert rig.states == [State.SHUTDOWN]


def test_who_calls_instead_of_answering_is_not_asked_twice() -> None:
    rig = asking([CALL, *COMMAND], [CALL, *COMMAND, *frames(0.2, SILENCE), *COMMAND])
    rig.pipeline.run()
    assert len(rig.of(WakeWordDetected)) == 2
    assert len(rig.of(Transcript)) == 2


def test_while_the_assistant_speaks_only_the_wake_word_is_heard() -> None:
    deaf = Rig(Sound([*COMMAND, *COMMAND]), wake_word=False)
    deaf.pipeline.set_deaf(deaf=True)
    deaf.pipeline.run()
    assert deaf.of(SpeechStarted) == []
    called = Rig(Sound([CALL]))
    called.pipeline.set_deaf(deaf=True)
    called.pipeline.run()
    assert len(called.of(WakeWordDetected)) == 1
