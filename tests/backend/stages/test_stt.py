"""Who gets the model next, and what happens when it fails: with an engine that stops where a test wants."""

from __future__ import annotations

import gc
import logging
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import soundfile

from rtap.audio.format import Samples
from rtap.errors import (
    AudioError,
    ConfigurationError,
    ModelChangedError,
    ModelError,
    OverloadedError,
    PipelineError,
    QueueFullError,
    RTAPException,
)
from rtap.events import Utterance
from rtap.stages import stt as stt_module
from rtap.stages.stt import MAX_FAILURES, SpeechToText
from rtap.stages.stt_jobs import Speculation
from rtap.stages.vad import Vad
from rtap.whisper.engine import WhisperEngine
from rtap.whisper.load_model import load_model
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.result import Segment, Transcription
from rtap.whisper.sessions import CPU, CUDA, resolve_providers
from rtap.whisper.transcribe import TranscribeOptions, Transcriber
from tests.backend.whisper.preference.listed_sentences import ListedPreference, ListedSentences
from tests.deadlines import SOON

ENGLISH = TranscribeOptions(language="en")
"""Seconds; only a failing test waits so long."""


def audio(number: int, samples: int = 160) -> Samples:
    """Audio that the scripted engine recognises by its number."""
    return np.full(samples, number, np.float32)


def segment(
    text: str, probability: float = 0.5, tokens: int = 1, certainty: float = 1.0
) -> Segment:
    return Segment(
        start=0.0,
        end=1.0,
        text=text,
        tokens=(1,) * tokens,
        language="en",
        average_log_probability=float(np.log(probability)),
        compression_ratio=1.0,
        no_speech_probability=0.0,
        temperature=0.0,
        certainty=certainty,
    )


def transcription(*segments: Segment) -> Transcription:
    return Transcription(
        text=" ".join(one.text for one in segments),
        language="en",
        language_probability=0.75,
        duration=1.5,
        inference_time=0.25,
        segments=segments,
    )


class ScriptedEngine:
    """Implements :class:`rtap.stages.stt_jobs.Engine`. Audio of number 0 is silence."""

    def __init__(self) -> None:
        self.order: list[int] = []
        """The numbers of all audio but silence, as it was worked on."""
        self.options: list[TranscribeOptions] = []
        self.threads: set[str] = set()
        self.errors: dict[int, Exception] = {}
        """By the number of the audio that fails, and no other."""
        self.breaks: dict[int, Exception] = {}
        """By the number of the audio at which the engine breaks: silence fails from then on as well."""
        self.closed = 0
        """Files of which the steps were ended early."""
        self._gates: dict[int, threading.Event] = {}
        self._arrived: queue.Queue[int] = queue.Queue()

    @contextmanager
    def held_at(self, number: int, submit: Callable[[], object]) -> Iterator[None]:
        """Submit something, and have the worker stay in this audio until the end of the block."""
        self._gates[number] = gate = threading.Event()
        submit()
        assert self._arrived.get(timeout=SOON) == number
        try:
            yield
        finally:
            del self._gates[number]
            gate.set()

    def _work(self, samples: Samples) -> int:
        number = int(samples[0])
        self.threads.add(threading.current_thread().name)
        if number in self._gates:
            gate = self._gates[number]
            self._arrived.put(number)
            assert gate.wait(SOON)
        if number in self.breaks:
            self.errors[number] = self.errors[0] = self.breaks[number]
        if number in self.errors:
            raise self.errors[number]
        if number:
            self.order.append(number)
        return number

    def transcribe(self, samples: Samples, options: TranscribeOptions) -> Transcription:
        number = self._work(samples)
        self.options.append(options)
        return transcription(segment(str(number)))

    def steps(
        self, blocks: Iterable[Samples], options: TranscribeOptions
    ) -> Generator[tuple[Segment, ...], None, Transcription]:
        found = []
        try:
            for block in blocks:
                number = self._work(block)
                if number:
                    found.append(segment(str(number)))
                yield tuple(found[-1:]) if number else ()
        except GeneratorExit:
            self.closed += 1
            raise
        return transcription(*found)


class Fixture:
    """A started worker and its engine, with short ways to submit."""

    def __init__(self, stt: SpeechToText, engine: ScriptedEngine) -> None:
        self.stt = stt
        self.engine = engine

    def live(
        self,
        number: int,
        session: str = "a",
        utterance: str = "",
        speculation: Speculation | None = None,
        options: TranscribeOptions = ENGLISH,
    ) -> Future[Any]:
        one = Utterance(audio(number), session, utterance or str(number), ended_at=100.0, start=0.0)
        return self.stt.transcribe(one, "stream", options, speculation)

    def speculation(self, number: int, session: str = "a") -> Speculation:
        speculation = self.stt.speculate(session, str(number), audio(number), ENGLISH)
        assert speculation is not None
        return speculation

    def partial(self, number: int, session: str = "a", utterance: str = "p") -> Future[str]:
        return self.stt.transcribe_partial(session, utterance, audio(number), ENGLISH)

    def file(
        self, *numbers: int, cancelled: threading.Event | None = None
    ) -> Future[Transcription]:
        blocks = (audio(number) for number in numbers)
        return self.stt.transcribe_file(blocks, ENGLISH, cancelled or threading.Event())

    def held(self, number: int) -> Any:
        """Keep the worker busy with an utterance of a session of its own."""
        return self.engine.held_at(number, lambda: self.live(number, session="held"))


@pytest.fixture
def make() -> Iterator[Callable[..., Fixture]]:
    workers = []

    def started(*engines: ScriptedEngine | Exception, **settings: Any) -> Fixture:
        """Each loading takes the next engine, or raises the next error."""
        waiting = list(engines) or [ScriptedEngine()]
        first = waiting[0]

        def load() -> ScriptedEngine:
            one = waiting.pop(0)
            if isinstance(one, Exception):
                raise one
            return one

        stt = SpeechToText(load, **{"clock": lambda: 102.5, **settings})
        workers.append(stt)
        stt.start()
        return Fixture(stt, first if isinstance(first, ScriptedEngine) else ScriptedEngine())

    yield started
    for stt in workers:
        assert stt.stop(SOON)


@pytest.fixture
def worker(make: Callable[..., Fixture]) -> Fixture:
    return make()


def done(*futures: Future[Any]) -> list[Any]:
    return [future.result(SOON) for future in futures]


class TestOrder:
    def test_classes(self, worker: Fixture) -> None:
        with worker.held(1):
            file = worker.file(40)
            partial = worker.partial(30, session="b")
            probe = worker.stt.probe()
            live = worker.live(10)
            later = worker.live(11)
            finished: list[Future[Any]] = []
            for future in (file, partial, probe, live, later):
                future.add_done_callback(finished.append)
        done(file)
        assert worker.engine.order == [1, 10, 11, 30, 40]
        assert finished == [live, later, probe, partial, file]

    def test_what_waits_is_counted(self, worker: Fixture) -> None:
        with worker.held(1):
            futures = [worker.live(10), worker.live(11), worker.live(20, "b"), worker.file(40)]
            assert (worker.stt.waiting_utterances, worker.stt.waiting_files) == (3, 1)
        done(*futures)
        assert (worker.stt.waiting_utterances, worker.stt.waiting_files) == (0, 0)

    def test_one_thread_owns_the_engine(self, worker: Fixture) -> None:
        done(worker.live(1), worker.file(2), worker.partial(3))
        assert worker.engine.threads == {"stt"}

    def test_sessions_take_turns(self, worker: Fixture) -> None:
        with worker.held(1):
            futures = [worker.live(number) for number in (10, 11, 12)]
            futures += [worker.live(20, "b"), worker.live(30, "c"), worker.live(21, "b")]
        done(*futures)
        assert worker.engine.order == [1, 10, 20, 30, 11, 21, 12]

    def test_files_take_turns(self, worker: Fixture) -> None:
        with worker.held(1):
            files = [worker.file(10, 11, 12), worker.file(20), worker.file(30, 31)]
        found = done(*files)
        assert worker.engine.order == [1, 10, 20, 30, 11, 31, 12]
        assert [one.text for one in found] == ["10 11 12", "20", "30 31"]

    def test_speech_overtakes_a_file_at_the_next_window(self, worker: Fixture) -> None:
        files: list[Future[Transcription]] = []
        with worker.engine.held_at(10, lambda: files.append(worker.file(10, 11, 12))):
            speech = [worker.live(20), worker.partial(30, "b"), worker.live(21)]
        done(*speech, *files)
        assert worker.engine.order == [10, 20, 21, 30, 11, 12]

    def test_speech_overtakes_a_file_in_its_silence(self, worker: Fixture) -> None:
        files: list[Future[Transcription]] = []
        with worker.engine.held_at(0, lambda: files.append(worker.file(0, 0, 0, 10))):
            speech = worker.live(20)
        done(speech, *files)
        assert worker.engine.order == [20, 10]

    def test_a_long_block_is_no_reason_to_wait(self, worker: Fixture) -> None:
        block = np.repeat(np.array([10, 11, 12], np.float32), 16_000)
        files: list[Future[Transcription]] = []

        def submit() -> None:
            files.append(worker.stt.transcribe_file([block], ENGLISH, threading.Event()))

        with worker.engine.held_at(10, submit):
            speech = worker.live(20)
        done(speech, *files)
        assert worker.engine.order == [10, 20, 11, 12]

    def test_results_may_ask_for_more(self, worker: Fixture) -> None:
        more: queue.Queue[Future[Any]] = queue.Queue()
        worker.live(1).add_done_callback(lambda _: more.put(worker.live(2)))
        assert more.get(timeout=SOON).result(SOON).text == "2"


class TestPartials:
    def test_text(self, worker: Fixture) -> None:
        assert worker.partial(7).result(SOON) == "7"

    def test_a_newer_one_takes_the_place(self, worker: Fixture) -> None:
        with worker.held(1):
            old = worker.partial(10)
            other = worker.partial(20, session="b")
            new = worker.partial(11)
            assert old.cancelled()
        done(new, other)
        assert worker.engine.order == [1, 11, 20]

    def test_the_whole_utterance_makes_it_moot(self, worker: Fixture) -> None:
        with worker.held(1):
            moot = worker.partial(10, utterance="one")
            other = worker.partial(20, session="b", utterance="two")
            live = worker.live(11, utterance="one")
            worker.live(12, session="b", utterance="not two")
            assert moot.cancelled()
        done(live, other)
        assert worker.engine.order == [1, 11, 12, 20]

    def test_it_is_decoded_once_and_greedily(self, worker: Fixture) -> None:
        options = TranscribeOptions(
            language="en",
            beam_size=5,
            word_timestamps=True,
            preference=ListedPreference(en=ListedSentences("yes")),
        )
        done(worker.stt.transcribe_partial("a", "u", audio(1), options))
        assert worker.engine.options[-1] == TranscribeOptions(language="en", temperatures=(0.0,))

    def test_an_old_one_that_was_cancelled_is_skipped(self, worker: Fixture) -> None:
        with worker.held(1):
            assert worker.partial(10).cancel()
        done(worker.live(11))
        assert worker.engine.order == [1, 11]


class TestSpeculations:
    """What may be a whole utterance, asked for before that is sure."""

    @pytest.fixture
    def told(self) -> list[bool]:
        return []

    @pytest.fixture
    def worker(self, make: Callable[..., Fixture], told: list[bool]) -> Fixture:
        return make(on_speculation=told.append)

    def test_it_is_the_transcript_if_it_was_the_whole(
        self, make: Callable[..., Fixture], told: list[bool]
    ) -> None:
        now = [101.0]
        worker = make(on_speculation=told.append, clock=lambda: now[0])
        speculation = worker.speculation(7)
        assert speculation.future.result(SOON) == "7"
        now[0] = 103.0
        found = worker.live(7, utterance="u", speculation=speculation).result(SOON)
        assert found == worker.live(7, utterance="u").result(SOON)
        # From the end of speech until it is told, not until it was found out.
        assert (found.timestamp, found.latency, found.inference_time) == (103.0, 3.0, 0.25)
        assert worker.engine.order == [7, 7]
        assert worker.engine.options[-2] == ENGLISH
        assert told == [True]

    def test_it_is_there_at_once_whatever_the_model_does(self, worker: Fixture) -> None:
        speculation = worker.speculation(7)
        done(speculation.heard)
        with worker.held(1):
            assert worker.live(7, speculation=speculation).result(0).text == "7"

    def test_the_end_comes_while_the_model_is_at_it(
        self, worker: Fixture, told: list[bool]
    ) -> None:
        asked: list[Speculation] = []
        with worker.engine.held_at(7, lambda: asked.append(worker.speculation(7))):
            final = worker.live(7, speculation=asked[0])
            assert not final.cancel()
            assert worker.stt.waiting_utterances == 0
            other = worker.live(8, session="b")
            order: list[str] = []
            final.add_done_callback(lambda _: order.append("final"))
            asked[0].future.add_done_callback(lambda _: order.append("text so far"))
        assert [one.text for one in done(final, other)] == ["7", "8"]
        assert worker.engine.order == [7, 8]
        assert order == ["text so far", "final"]
        assert told == [True]

    def test_the_end_comes_before_its_turn(self, worker: Fixture, told: list[bool]) -> None:
        with worker.held(1):
            speculation, other = worker.speculation(7), worker.speculation(8, session="b")
            probe = worker.stt.probe()
            live = worker.live(20, session="c")
            final = worker.live(7, speculation=speculation)
            assert speculation.future.cancelled()
            assert worker.stt.waiting_utterances == 2
        assert final.result(SOON).text == "7"
        done(live, probe, other.future)
        assert worker.engine.order == [1, 20, 7, 8]
        assert told == []

    @pytest.mark.parametrize("begun", [True, False])
    def test_other_audio_is_another_utterance(
        self, worker: Fixture, told: list[bool], *, begun: bool
    ) -> None:
        if begun:
            speculation = worker.speculation(7)
            done(speculation.heard)
            final = worker.live(70, speculation=speculation)
        else:
            with worker.held(1):
                speculation = worker.speculation(7)
                final = worker.live(70, speculation=speculation)
        assert final.result(SOON).text == "70"
        assert worker.engine.order == ([7, 70] if begun else [1, 70])
        assert told == ([False] if begun else [])

    def test_other_options_give_another_transcript(self, worker: Fixture) -> None:
        speculation = worker.speculation(7)
        done(speculation.heard)
        german = TranscribeOptions(language="de")
        done(worker.live(7, speculation=speculation, options=german))
        assert worker.engine.options[-2:] == [ENGLISH, german]

    def test_its_place(self, worker: Fixture) -> None:
        with worker.held(1):
            partial, file = worker.partial(30, session="b"), worker.file(40)
            speculation = worker.speculation(7)
            probe, live = worker.stt.probe(), worker.live(10, session="c")
            finished: list[Future[Any]] = []
            for future in (partial, file, speculation.future, probe, live):
                future.add_done_callback(finished.append)
        done(file)
        assert finished == [live, probe, speculation.future, partial, file]

    def test_it_makes_a_partial_result_moot(self, worker: Fixture) -> None:
        with worker.held(1):
            moot, other = worker.partial(10, utterance="7"), worker.partial(20, session="b")
            speculation = worker.speculation(7)
            assert moot.cancelled()
        done(speculation.future, other)
        assert worker.engine.order == [1, 7, 20]

    def test_a_newer_one_takes_the_place(self, worker: Fixture, told: list[bool]) -> None:
        with worker.held(1):
            old, new = worker.speculation(7), worker.speculation(8)
            assert old.future.cancelled()
            assert not worker.stt.drop_speculation("a", old)
        done(new.future)
        assert worker.engine.order == [1, 8]
        assert told == []

    def test_not_while_somebody_waits_for_a_final(self, worker: Fixture) -> None:
        with worker.held(1):
            live = worker.live(20, session="b")
            assert worker.stt.speculate("a", "7", audio(7), ENGLISH) is None
        done(live)
        done(worker.speculation(8).future)
        assert worker.engine.order == [1, 20, 8]

    def test_it_is_no_whole_utterance(self, make: Callable[..., Fixture]) -> None:
        worker = make(max_utterances=1)
        with worker.held(1):
            speculation = worker.speculation(7)
            assert worker.stt.waiting_utterances == 0
            kept = worker.live(8)
            with pytest.raises(QueueFullError):
                worker.live(7, speculation=speculation).result(0)
        done(kept)
        assert worker.engine.order == [1, 8]

    def test_somebody_goes_on_before_its_turn(self, worker: Fixture, told: list[bool]) -> None:
        with worker.held(1):
            speculation = worker.speculation(7)
            assert not worker.stt.drop_speculation("a", speculation)
            assert speculation.future.cancelled()
        done(worker.live(8))
        assert worker.engine.order == [1, 8]
        assert told == []

    def test_somebody_goes_on_while_the_model_is_at_it(
        self, worker: Fixture, told: list[bool]
    ) -> None:
        asked: list[Speculation] = []
        with worker.engine.held_at(7, lambda: asked.append(worker.speculation(7))):
            assert worker.stt.drop_speculation("a", asked[0])
        assert asked[0].future.result(SOON) == "7"
        assert told == [False]

    def test_what_goes_wrong_is_told_at_the_end(self, worker: Fixture) -> None:
        worker.engine.errors[7] = ConfigurationError("no such language")
        speculation = worker.speculation(7)
        done_with = speculation.heard.exception(SOON)
        assert isinstance(done_with, ConfigurationError)
        with pytest.raises(ConfigurationError, match="no such language"):
            worker.live(7, speculation=speculation).result(0)
        assert worker.engine.order == []

    def test_what_goes_wrong_in_the_end(self, worker: Fixture) -> None:
        worker.engine.errors[7] = RuntimeError("broken")
        asked: list[Speculation] = []
        with worker.engine.held_at(7, lambda: asked.append(worker.speculation(7))):
            final = worker.live(7, speculation=asked[0])
        with pytest.raises(PipelineError, match="RuntimeError: broken"):
            final.result(SOON)

    def test_what_another_model_understood(
        self, make: Callable[..., Fixture], told: list[bool]
    ) -> None:
        first, second = ScriptedEngine(), ScriptedEngine()
        worker = make(first, second, on_speculation=told.append)
        speculation = worker.speculation(7)
        done(speculation.heard)
        worker.stt.reload()
        done(worker.live(7, speculation=speculation))
        assert (first.order, second.order) == ([7], [7])
        assert told == [False]

    def test_a_model_that_was_loaded_anew_because_of_it(self, make: Callable[..., Fixture]) -> None:
        first, second = ScriptedEngine(), ScriptedEngine()
        first.breaks[7] = RuntimeError("broken")
        worker = make(first, second)
        asked = []
        for _ in range(MAX_FAILURES):
            asked.append(worker.speculation(7))
            assert asked[-1].heard.exception(SOON) is not None
        done(worker.stt.probe())
        assert worker.live(7, speculation=asked[-1]).result(SOON).text == "7"
        assert second.order == [7]

    def test_one_that_was_cancelled(self, worker: Fixture, told: list[bool]) -> None:
        with worker.held(1):
            speculation = worker.speculation(7)
            assert speculation.future.cancel()
        done(worker.live(8))
        assert worker.live(7, speculation=speculation).result(SOON).text == "7"
        assert told == []

    def test_nobody_to_count(self, make: Callable[..., Fixture]) -> None:
        def broken(_: bool) -> None:  # noqa: FBT001 (an outcome)
            raise RuntimeError("no metrics")

        worker = make(on_speculation=broken)
        speculation = worker.speculation(7)
        done(speculation.heard)
        assert worker.live(7, speculation=speculation).result(SOON).text == "7"

    def test_the_service_stops(self, worker: Fixture, told: list[bool]) -> None:
        stopped: list[bool] = []
        stopper = threading.Thread(target=lambda: stopped.append(worker.stt.stop(SOON)))
        asked: list[Speculation] = []
        with worker.engine.held_at(7, lambda: asked.append(worker.speculation(7))):
            final = worker.live(7, speculation=asked[0])
            waiting = worker.speculation(8)
            stopper.start()
            with pytest.raises(CancelledError):
                waiting.future.result(SOON)
            assert not worker.stt.drop_speculation("a", waiting)
            assert worker.stt.speculate("a", "9", audio(9), ENGLISH) is None
        stopper.join(SOON)
        assert stopped == [True]
        assert final.result(0).text == "7"
        assert worker.engine.order == [7]
        assert told == [True]

    def test_the_end_comes_after_the_service_has_stopped(
        self, worker: Fixture, told: list[bool]
    ) -> None:
        speculation = worker.speculation(7)
        done(speculation.heard)
        assert worker.stt.stop(SOON)
        with pytest.raises(PipelineError, match="shutting down"):
            worker.live(7, speculation=speculation).result(0)
        assert told == [False]

    def test_it_does_not_end(self, worker: Fixture) -> None:
        asked: list[Speculation] = []
        with worker.engine.held_at(7, lambda: asked.append(worker.speculation(7))):
            final = worker.live(7, speculation=asked[0])
            assert not worker.stt.stop(0.01)
            with pytest.raises(PipelineError, match="shutting down"):
                final.result(0)
        assert worker.stt.stop(SOON)


class TestTranscripts:
    def test_fields(self, worker: Fixture) -> None:
        found = worker.live(7, session="a", utterance="u").result(SOON)
        assert found.text == "7"
        assert (found.session_id, found.utterance_id, found.source) == ("a", "u", "stream")
        assert (found.language, found.language_probability) == ("en", 0.75)
        assert (found.duration, found.inference_time) == (1.5, 0.25)
        assert (found.timestamp, found.latency) == (102.5, 2.5)
        assert found.confidence == pytest.approx(0.5)

    def test_a_clock_that_was_set_back(self, worker: Fixture) -> None:
        early = Utterance(audio(1), "a", "u", ended_at=500.0, start=0.0)
        assert worker.stt.transcribe(early, "stream", ENGLISH).result(SOON).latency == 0.0

    @pytest.mark.parametrize(
        ("segments", "expected"),
        [
            ([], 0.0),
            ([segment("a", 0.8, 3), segment("b", 0.2, 1)], (0.8**3 * 0.2) ** 0.25),
            ([segment("a", 0.8, 0)], 0.0),
            pytest.param([segment("a", 0.8, certainty=0.3)], 0.3, id="another one may be meant"),
            pytest.param([segment("a", 0.6, certainty=0.7)], 0.6, id="it was hardly heard"),
        ],
    )
    def test_confidence(self, worker: Fixture, segments: list[Segment], expected: float) -> None:
        worker.engine.transcribe = lambda *_: transcription(*segments)  # type: ignore[method-assign]
        assert worker.live(1).result(SOON).confidence == pytest.approx(expected)

    def test_the_time_of_inferences_is_told(self, make: Callable[..., Fixture]) -> None:
        told: list[float] = []
        worker = make(on_inference=told.append)
        done(worker.live(1), worker.file(2, 3), worker.partial(4), worker.stt.probe())
        assert told == [0.25] * 3

    def test_nobody_to_tell_it_to(self, make: Callable[..., Fixture]) -> None:
        def broken(_: float) -> None:
            raise RuntimeError("no metrics")

        worker = make(on_inference=broken)
        done(*(worker.live(number) for number in range(1, MAX_FAILURES + 2)))
        assert worker.stt.ready.is_set()


class TestFiles:
    def test_segments_come_as_they_are_known(self, worker: Fixture) -> None:
        told: list[str] = []
        blocks = [audio(1), audio(0), audio(2)]
        future = worker.stt.transcribe_file(
            blocks, ENGLISH, threading.Event(), lambda one: told.append(one.text)
        )
        assert future.result(SOON).text == "1 2"
        assert told == ["1", "2"]

    def test_cancelled_by_its_event(self, worker: Fixture) -> None:
        cancelled = threading.Event()
        files: list[Future[Any]] = []
        submit = lambda: files.append(worker.file(10, 11, cancelled=cancelled))  # noqa: E731
        with worker.engine.held_at(10, submit):
            cancelled.set()
        with pytest.raises(CancelledError):
            files[0].result(SOON)
        done(worker.live(20))
        assert worker.engine.order == [10, 20]
        assert worker.engine.closed == 1

    def test_cancelled_by_its_future(self, worker: Fixture) -> None:
        files: list[Future[Any]] = []
        with worker.engine.held_at(10, lambda: files.append(worker.file(10, 11))):
            assert files[0].cancel()
        done(worker.file(20))
        assert worker.engine.order == [10, 20]
        assert worker.engine.closed == 1

    @pytest.mark.parametrize("end", ["cancelled", "failed", "done"])
    def test_its_audio_is_closed(self, worker: Fixture, end: str) -> None:
        closed = threading.Event()
        cancelled = threading.Event()

        def blocks() -> Iterator[Samples]:
            try:
                yield audio(10)
                yield audio(11)
            finally:
                closed.set()

        def submit() -> None:
            worker.stt.transcribe_file(blocks(), ENGLISH, cancelled)

        with worker.engine.held_at(10, submit):
            if end == "cancelled":
                cancelled.set()
            if end == "failed":
                worker.engine.errors[11] = ConfigurationError("no such language")
        assert closed.wait(SOON)  # and not when the next job comes

    def test_cancelled_before_its_turn(self, worker: Fixture) -> None:
        cancelled = threading.Event()
        with worker.held(1):
            file = worker.file(10, cancelled=cancelled)
            cancelled.set()
        with pytest.raises(CancelledError):
            file.result(SOON)
        assert worker.engine.order == [1]

    def test_too_many(self, make: Callable[..., Fixture]) -> None:
        worker = make(max_files=2)
        files: list[Future[Any]] = []
        with worker.engine.held_at(10, lambda: files.append(worker.file(10, 11))):
            files.append(worker.file(20))
            with pytest.raises(QueueFullError, match=r"2 files wait already: .* in \d+ s") as full:
                worker.file(30)
            assert isinstance(full.value, PipelineError)
            assert 1.0 <= full.value.retry_after <= 300.0
            files[1].cancel()
            files.append(worker.file(40))
        done(files[0], files[2])
        assert worker.engine.order == [10, 40, 11]

    def test_a_place_is_free_as_soon_as_there_is_a_result(
        self, make: Callable[..., Fixture]
    ) -> None:
        worker = make(max_files=1)
        second: queue.Queue[Any] = queue.Queue()
        worker.file(1).add_done_callback(lambda _: second.put(worker.file(2)))
        assert second.get(timeout=SOON).result(SOON).text == "2"

    def test_the_wait_is_estimated_from_the_last_files(self, make: Callable[..., Fixture]) -> None:
        worker = make(max_files=1)
        waits = []
        for _ in range(2):
            with worker.engine.held_at(10, lambda: worker.file(10)):
                with pytest.raises(QueueFullError) as full:
                    worker.file(20)
                waits.append(full.value.retry_after)
            done(worker.stt.probe())
            done(worker.file(1))
        # The scripted files took no time, the first guess was ten seconds.
        assert waits[1] < waits[0] <= 10.0

    def test_audio_that_cannot_be_read(self, worker: Fixture) -> None:
        def broken(error: Exception) -> Iterator[Samples]:
            yield audio(1)
            raise error

        event = threading.Event()
        damaged = worker.stt.transcribe_file(broken(AudioError("cut off")), ENGLISH, event)
        with pytest.raises(AudioError, match="cut off"):
            damaged.result(SOON)
        for _ in range(MAX_FAILURES):
            lost = worker.stt.transcribe_file(broken(OSError("gone")), ENGLISH, event)
            with pytest.raises(PipelineError, match=r"cannot be read on \(OSError: gone\)"):
                lost.result(SOON)
        assert worker.stt.ready.is_set()  # the engine was not blamed

    def test_segments_that_nobody_takes(self, worker: Fixture) -> None:
        def broken(_: Segment) -> None:
            raise RuntimeError("loop is closed")

        for _ in range(MAX_FAILURES):
            future = worker.stt.transcribe_file([audio(1)], ENGLISH, threading.Event(), broken)
            with pytest.raises(PipelineError, match="loop is closed"):
                future.result(SOON)
        assert worker.stt.ready.is_set()
        assert worker.engine.closed == MAX_FAILURES


class TestUtterancesThatWait:
    def test_a_session_has_so_many(self, make: Callable[..., Fixture]) -> None:
        worker = make(max_utterances=2)
        with worker.held(1):
            kept = [worker.live(10), worker.live(11)]
            refused = worker.live(12)
            other = worker.live(20, session="b")
            with pytest.raises(QueueFullError, match="2 utterances of this stream"):
                refused.result(0)
        done(*kept, other)
        assert worker.engine.order == [1, 10, 20, 11]

    def test_one_that_would_be_late_is_refused(
        self, make: Callable[..., Fixture], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worker = make()
        done(worker.live(9))
        assert worker.stt.expected_wait == 0.0
        monkeypatch.setattr(stt_module, "MAX_WAIT", 0.0)
        with worker.held(1):
            kept = worker.live(10)  # nothing waits before it
            assert worker.stt.expected_wait > 0.0
            with pytest.raises(OverloadedError, match="1 utterances wait already") as raised:
                worker.live(11, session="b").result(0)
            assert raised.value.retry_after > 0.0
            # What the car's own microphone hears is never refused for others.
            own = Utterance(audio(12), "car", "12", ended_at=100.0, start=0.0)
            heard = worker.stt.transcribe(own, "microphone", ENGLISH)
        done(kept, heard)


class TestHealth:
    def test_ready_after_a_real_inference(self, make: Callable[..., Fixture]) -> None:
        engine = ScriptedEngine()
        before = time.monotonic()
        workers: list[Fixture] = []
        with engine.held_at(0, lambda: workers.append(make(engine))):
            worker = workers[0]
            assert not worker.stt.ready.is_set()
            assert worker.stt.last_success is None
        assert worker.stt.ready.wait(SOON)
        assert worker.stt.failure is None
        assert worker.stt.last_success is not None
        assert worker.stt.last_success >= before

    def test_jobs_may_come_before_the_model(self) -> None:
        engine = ScriptedEngine()
        stt = SpeechToText(lambda: engine)
        worker = Fixture(stt, engine)
        futures: list[Future[Any]] = [worker.file(3), worker.partial(2), worker.live(1)]
        stt.start()
        done(*futures)
        assert engine.order == [1, 2, 3]
        assert stt.stop(SOON)

    def test_success_is_noted(self, worker: Fixture) -> None:
        done(worker.stt.probe())
        submits: list[Callable[[int], Future[Any]]] = [worker.live, worker.partial, worker.file]
        for submit in submits:
            worker.stt.last_success = None
            done(submit(1))
            assert worker.stt.last_success is not None

    def test_silence_in_a_file_is_no_success(self, worker: Fixture) -> None:
        done(worker.stt.probe())
        worker.stt.last_success = None
        with worker.engine.held_at(10, lambda: worker.file(0, 0, 10)):
            assert worker.stt.last_success is None

    def test_a_probe_is_an_inference(self, worker: Fixture) -> None:
        done(worker.stt.probe())
        assert worker.engine.options[-1].temperatures == (0.0,)
        worker.engine.errors[0] = RuntimeError("out of memory")
        with pytest.raises(PipelineError, match="out of memory"):
            worker.stt.probe().result(SOON)

    def test_probes_that_wait_are_one(self, worker: Fixture) -> None:
        with worker.held(1):
            probes: list[Future[Any]] = [worker.stt.probe() for _ in range(3)]
            assert probes[0].cancel()
            before = len(worker.engine.options)
        done(*probes[1:], worker.live(2))
        assert len(worker.engine.options) == before + 3  # the one held, one probe, utterance 2

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (ModelError("there is no model: convert one"), "there is no model: convert one"),
            (RuntimeError("bad graph"), "RuntimeError: bad graph"),
        ],
    )
    def test_no_model(self, make: Callable[..., Fixture], error: Exception, reason: str) -> None:
        worker = make(error)
        with pytest.raises(PipelineError, match=reason):
            worker.stt.probe().result(SOON)
        assert not worker.stt.ready.is_set()
        assert worker.stt.failure is not None
        assert reason in worker.stt.failure
        for future in (worker.live(1), worker.partial(2), worker.file(3), worker.stt.probe()):
            with pytest.raises(PipelineError, match=reason):
                future.result(0)

    def test_a_model_that_does_not_work(self, make: Callable[..., Fixture]) -> None:
        engine = ScriptedEngine()
        engine.errors[0] = RuntimeError("no such operator")
        worker = make(engine)
        with pytest.raises(PipelineError, match="no such operator"):
            worker.live(1).result(SOON)
        assert not worker.stt.ready.is_set()


class TestFailures:
    def fail(self, worker: Fixture, engine: ScriptedEngine, times: int = MAX_FAILURES) -> None:
        engine.breaks[66] = RuntimeError("broken")
        for _ in range(times):
            with pytest.raises(PipelineError, match=r"failed \(RuntimeError: broken\)"):
                worker.live(66).result(SOON)

    def test_the_worker_goes_on(self, worker: Fixture) -> None:
        for _ in range(MAX_FAILURES):
            self.fail(worker, worker.engine, MAX_FAILURES - 1)
            assert worker.live(1).result(SOON).text == "1"  # and the count begins anew
        assert worker.stt.ready.is_set()

    def test_one_requests_options_do_not_count(self, worker: Fixture) -> None:
        """Case 07: six of them ended the service."""
        worker.engine.errors[66] = IndexError("list index out of range")
        for _ in range(2 * MAX_FAILURES):
            for request in (worker.live(66), worker.partial(66), worker.file(66)):
                with pytest.raises(PipelineError, match="IndexError"):
                    request.result(SOON)
        assert worker.live(1).result(SOON).text == "1"
        assert worker.stt.ready.is_set()
        assert worker.stt.failure is None

    def test_probes_that_fail_do_count(self, make: Callable[..., Fixture]) -> None:
        first, second = ScriptedEngine(), ScriptedEngine()
        worker = make(first, second)
        done(worker.stt.probe())
        first.errors[0] = RuntimeError("broken")
        for _ in range(MAX_FAILURES):
            with pytest.raises(PipelineError, match="broken"):
                worker.stt.probe().result(SOON)
        assert worker.live(1).result(SOON).text == "1"
        assert second.order == [1]

    def test_a_bad_request_is_no_failure(self, worker: Fixture) -> None:
        worker.engine.errors[66] = ConfigurationError("no such language")
        for _ in range(2 * MAX_FAILURES):
            with pytest.raises(ConfigurationError, match="no such language"):
                worker.live(66).result(SOON)
        assert worker.stt.ready.is_set()

    def test_the_model_is_loaded_anew(self, make: Callable[..., Fixture]) -> None:
        first, second = ScriptedEngine(), ScriptedEngine()
        worker = make(first, second)
        self.fail(worker, first)
        assert worker.live(1).result(SOON).text == "1"
        assert (first.order, second.order) == ([], [1])
        assert worker.stt.ready.is_set()
        assert worker.stt.failure is None

    @pytest.mark.parametrize("kind", [RuntimeError, ModelChangedError])
    def test_not_two_models_at_a_time(
        self, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # pytest keeps what is logged, with the frames of its tracebacks.
        monkeypatch.setattr(stt_module, "_log", logging.getLogger("nobody"))
        monkeypatch.setattr(stt_module._log, "disabled", True)
        alive: list[weakref.ref[ScriptedEngine]] = []
        before: list[list[ScriptedEngine | None]] = []

        def load() -> ScriptedEngine:
            gc.collect()
            before.append([one() for one in alive])
            engine = ScriptedEngine()
            errors = engine.breaks if kind is RuntimeError else engine.errors
            # A new one each time, as what was raised keeps its traceback.
            errors[66] = kind("broken")
            alive.append(weakref.ref(engine))
            return engine

        stt = SpeechToText(load)
        stt.start()
        worker = Fixture(stt, ScriptedEngine())
        times = MAX_FAILURES if kind is RuntimeError else 1
        futures = [worker.live(66) for _ in range(times)]
        done(worker.live(1))
        assert all(isinstance(future.exception(), RTAPException) for future in futures)
        assert before == [[], [None]]
        assert stt.stop(SOON)

    def test_files_of_the_old_model(self, make: Callable[..., Fixture]) -> None:
        first, second = ScriptedEngine(), ScriptedEngine()
        first.breaks[66] = RuntimeError("broken")
        worker = make(first, second)
        begun: list[Future[Any]] = []
        with first.held_at(10, lambda: begun.append(worker.file(10, 11))):
            waiting = worker.file(20)
            for _ in range(MAX_FAILURES):
                worker.live(66)
        with pytest.raises(PipelineError, match="loaded anew"):
            begun[0].result(SOON)
        assert waiting.result(SOON).text == "20"
        assert (first.order, second.order) == ([10], [20])

    def test_it_cannot_be_loaded_anew(self, make: Callable[..., Fixture]) -> None:
        first = ScriptedEngine()
        worker = make(first, ModelError("the file is gone: copy it"))
        with worker.held(1):
            first.breaks[66] = RuntimeError("broken")
            for _ in range(MAX_FAILURES):
                worker.live(66)
            last = [worker.live(2), worker.file(3), worker.partial(4)]
        for future in last:
            with pytest.raises(PipelineError, match="the file is gone: copy it"):
                future.result(SOON)
        assert not worker.stt.ready.is_set()
        assert worker.stt.failure is not None

    def test_it_fails_again_when_loaded_anew(self, make: Callable[..., Fixture]) -> None:
        engines = ScriptedEngine(), ScriptedEngine(), ScriptedEngine()
        worker = make(*engines)
        self.fail(worker, engines[0])
        self.fail(worker, engines[1])
        with pytest.raises(PipelineError, match="goes on failing"):
            worker.live(1).result(SOON)
        assert not worker.stt.ready.is_set()

    def test_nothing_but_a_new_process_helps(self, make: Callable[..., Fixture]) -> None:
        engines = ScriptedEngine(), ScriptedEngine()
        reasons: queue.Queue[str] = queue.Queue()
        worker = make(*engines, on_critical=reasons.put)
        self.fail(worker, engines[0])
        assert reasons.empty()
        self.fail(worker, engines[1])
        assert "goes on failing" in reasons.get(timeout=SOON)

    def test_the_worker_itself_fails(
        self, make: Callable[..., Fixture], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reasons: queue.Queue[str] = queue.Queue()
        worker = make(on_critical=reasons.put)
        assert worker.stt.ready.wait(SOON)
        monkeypatch.setattr(worker.stt, "_perform", lambda _: os.environ["RTAP_NOTHING"])
        worker.live(1)
        assert "thread has ended (KeyError: 'RTAP_NOTHING')" in reasons.get(timeout=SOON)
        assert not worker.stt.ready.is_set()
        with pytest.raises(PipelineError):
            worker.live(2).result(SOON)

    def test_it_works_in_between(self, make: Callable[..., Fixture]) -> None:
        engines = ScriptedEngine(), ScriptedEngine(), ScriptedEngine()
        worker = make(*engines)
        self.fail(worker, engines[0])
        done(worker.live(1))
        self.fail(worker, engines[1])
        assert worker.live(2).result(SOON).text == "2"
        assert engines[2].order == [2]


class TestWeightsThatChange:
    """Somebody copies another model over the one that is in use."""

    def test_the_model_is_loaded_anew(self, make: Callable[..., Fixture]) -> None:
        first, second = ScriptedEngine(), ScriptedEngine()
        worker = make(first, second)
        first.errors[66] = ModelChangedError("decoder.onnx.data was changed")
        with pytest.raises(ModelChangedError):
            worker.live(66).result(SOON)
        assert worker.live(1).result(SOON).text == "1"
        assert second.order == [1]

    def test_what_is_there_now_is_no_model(self, make: Callable[..., Fixture]) -> None:
        """A new process finds it whole, perhaps."""
        first = ScriptedEngine()
        reasons: queue.Queue[str] = queue.Queue()
        worker = make(first, ModelError("decoder.onnx.data has 0 bytes"), on_critical=reasons.put)
        first.errors[66] = ModelChangedError("decoder.onnx.data was changed")
        worker.live(66)
        assert "decoder.onnx.data has 0 bytes" in reasons.get(timeout=SOON)


class TestWork:
    """What a watchdog looks at."""

    def test_an_inference(self, worker: Fixture) -> None:
        done(worker.stt.probe())
        with worker.engine.held_at(7, lambda: worker.live(7)):
            first = worker.stt.work
            assert first is not None
            assert first.what == "an inference of 0.0 s of audio"
            assert worker.stt.work is first
        with worker.engine.held_at(7, lambda: worker.live(7)):
            assert worker.stt.work is not first  # the same audio, and progress all the same
        with worker.engine.held_at(7, lambda: worker.file(7)):
            work = worker.stt.work
            assert work is not None
            assert work.what == "an inference of 30.0 s of audio"
            assert work.patience > first.patience > 0
        assert worker.stt.thread_id in {thread.ident for thread in threading.enumerate()}

    def test_nothing_to_do(self, worker: Fixture) -> None:
        done(worker.live(1))
        assert worker.stt.stop(SOON)
        assert worker.stt.work is None

    def test_loading(self) -> None:
        inside, go_on = threading.Event(), threading.Event()

        def load() -> ScriptedEngine:
            inside.set()
            assert go_on.wait(SOON)
            return ScriptedEngine()

        stt = SpeechToText(load)
        stt.start()
        assert inside.wait(SOON)
        work = stt.work
        go_on.set()
        assert stt.stop(SOON)
        assert work is not None
        assert (work.what, work.patience) == ("loading the model", 0.0)


class TestFallback:
    """A model that fails on the accelerator goes on without."""

    def test_when_it_cannot_be_loaded(self, make: Callable[..., Fixture]) -> None:
        spare = ScriptedEngine()
        worker = make(RuntimeError("no such GPU"), fallback=lambda: spare)
        assert worker.live(1).result(SOON).text == "1"
        assert spare.order == [1]
        assert worker.stt.failure is None

    def test_when_it_goes_on_failing(self, make: Callable[..., Fixture]) -> None:
        first, second, spare = ScriptedEngine(), ScriptedEngine(), ScriptedEngine()
        worker = make(first, second, fallback=lambda: spare)
        first.breaks[66] = RuntimeError("out of GPU memory")
        for _ in range(MAX_FAILURES):
            with pytest.raises(PipelineError, match="GPU memory"):
                worker.live(66).result(SOON)
        assert worker.live(1).result(SOON).text == "1"
        assert (second.order, spare.order) == ([], [1])

    def test_not_for_a_wrong_setting(self, make: Callable[..., Fixture]) -> None:
        worker = make(ModelError("no model base: convert it"), fallback=ScriptedEngine)
        with pytest.raises(PipelineError, match="no model base"):
            worker.live(1).result(SOON)


class TestReload:
    def test_live_speech_waits_for_the_new_model(self, make: Callable[..., Fixture]) -> None:
        first, second = ScriptedEngine(), ScriptedEngine()
        worker = make(first, second)
        begun: list[Future[Any]] = []
        with first.held_at(10, lambda: begun.append(worker.file(10, 11))):
            worker.stt.reload()
            assert not worker.stt.ready.is_set()
            live = worker.live(1)
        assert live.result(SOON).text == "1"
        assert (first.order, second.order) == ([10], [1])
        assert worker.stt.ready.is_set()
        with pytest.raises(PipelineError, match="loaded anew"):
            begun[0].result(SOON)

    def test_after_a_failure(self, make: Callable[..., Fixture]) -> None:
        second = ScriptedEngine()
        worker = make(ModelError("damaged"), second)
        with pytest.raises(PipelineError, match="damaged"):
            worker.stt.probe().result(SOON)
        worker.stt.reload()
        assert worker.live(1).result(SOON).text == "1"
        assert worker.stt.failure is None

    def test_the_new_model_cannot_be_loaded(self, make: Callable[..., Fixture]) -> None:
        first = ScriptedEngine()
        worker = make(first, ModelError("damaged"))
        with worker.held(1):
            worker.stt.reload()
            waiting = [worker.live(2), worker.file(3)]
        for future in waiting:
            with pytest.raises(PipelineError, match="damaged"):
                future.result(SOON)


class TestStop:
    def test_whole_utterances_are_finished(self, worker: Fixture) -> None:
        stopped: list[bool] = []
        stopper = threading.Thread(target=lambda: stopped.append(worker.stt.stop(SOON)))
        with worker.held(1):
            kept = [worker.live(10), worker.live(20, session="b")]
            refused: list[Future[Any]] = [worker.partial(30), worker.file(40)]
            refused.append(worker.stt.probe())
            stopper.start()
            for future in refused:
                with pytest.raises(PipelineError, match="shutting down"):
                    future.result(SOON)
            with pytest.raises(PipelineError, match="shutting down"):
                worker.live(11).result(0)
        stopper.join(SOON)
        assert stopped == [True]
        assert [one.text for one in done(*kept)] == ["10", "20"]
        assert worker.engine.order == [1, 10, 20]
        assert not worker.stt.ready.is_set()

    def test_a_file_ends_at_its_next_window(self, worker: Fixture) -> None:
        files: list[Future[Any]] = []
        refused = threading.Event()
        with worker.engine.held_at(10, lambda: files.append(worker.file(10, 11))):
            waiting = worker.file(20)
            waiting.add_done_callback(lambda _: refused.set())
            stopper = threading.Thread(target=worker.stt.stop, args=(SOON,))
            stopper.start()
            assert refused.wait(SOON)
        stopper.join(SOON)
        with pytest.raises(PipelineError, match="shutting down"):
            files[0].result(0)
        assert worker.engine.order == [10]
        assert worker.engine.closed == 1

    def test_an_inference_that_does_not_end(self, worker: Fixture) -> None:
        running: list[Future[Any]] = []
        with worker.engine.held_at(1, lambda: running.append(worker.live(1))):
            waiting = worker.live(2)
            assert not worker.stt.stop(0.01)
            for future in (*running, waiting):
                with pytest.raises(PipelineError, match="shutting down"):
                    future.result(0)
        assert worker.stt.stop(SOON)

    def test_twice_and_without_a_start(self) -> None:
        stt = SpeechToText(ScriptedEngine)
        waiting = Fixture(stt, ScriptedEngine()).live(1)
        assert stt.stop(0.0)
        assert stt.stop(0.0)
        with pytest.raises(PipelineError, match="shutting down"):
            waiting.result(0)

    def test_only_one_worker(self, worker: Fixture) -> None:
        with pytest.raises(RuntimeError, match="started already"):
            worker.stt.start()


class TestDevice:
    def test_cpu(self) -> None:
        assert resolve_providers("cpu") == CPU

    def test_cuda(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: list(CUDA))
        assert resolve_providers("cuda") == ("CUDAExecutionProvider", "CPUExecutionProvider")

    def test_no_cuda(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: list(CPU))
        assert resolve_providers("cuda") == CPU
        assert "using the CPU" in caplog.text

    def test_another(self) -> None:
        with pytest.raises(ConfigurationError, match="'tpu': give cpu or cuda"):
            resolve_providers("tpu")


@pytest.mark.slow
def test_a_real_model(quantized: Path) -> None:
    """What comes out of the worker, in turns with others, is what the model says by itself."""
    spoken = sorted((Path(__file__).parents[2] / "audio").glob("*.wav"))
    commands = [np.asarray(soundfile.read(path, dtype="float32")[0]) for path in spoken]
    pause = np.zeros(48_000, np.float32)
    long = np.concatenate([part for command in commands for part in (command, pause)])
    options = TranscribeOptions(language="en", temperatures=(0.0,))
    directory = ModelDirectory.open(quantized)
    alone = load_model(directory, 1)
    expected = [Transcriber(alone, None).transcribe([one], options) for one in commands]
    of_file = Transcriber(alone, Vad()).transcribe([long], options)
    assert len(of_file.segments) == len(commands)

    stt = SpeechToText(
        lambda: WhisperEngine(load_model(directory, 1, resolve_providers("cpu")), Vad)
    )
    stt.start()
    files = [stt.transcribe_file([long], options, threading.Event()) for _ in range(2)]
    live = [
        stt.transcribe(Utterance(one, "a", str(index), time.time(), 0.0), "microphone", options)
        for index, one in enumerate(commands)
    ]
    partial = stt.transcribe_partial("b", "u", commands[0], options)
    assert stt.probe().result(SOON) > 0.0
    assert [one.result(SOON).text for one in live] == [one.text for one in expected]
    assert partial.result(SOON) == expected[0].text
    for file in files:
        found = file.result(SOON)
        assert [one.text for one in found.segments] == [one.text for one in of_file.segments]
        assert [one.start for one in found.segments] == [one.start for one in of_file.segments]
        assert found.duration == of_file.duration
    assert stt.stop(SOON)
