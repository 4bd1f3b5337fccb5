"""From chunks to transcripts, with a scripted detector and recogniser in the place of the models."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

import rtap
from rtap.audio.format import SAMPLE_RATE, VAD_CHUNK, Samples
from rtap.config import VadConfig
from rtap.errors import PipelineError
from rtap.events import (
    ErrorOccurred,
    Event,
    PartialTranscript,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    Utterance,
)
from rtap.pipeline.session import Equipment, Recognizer, SpeechSession, VoiceActivity
from rtap.stages.denoise import Denoiser
from rtap.stages.stt import SpeechToText
from rtap.stages.stt_jobs import Speculation
from rtap.stages.vad import Vad
from rtap.whisper.engine import WhisperEngine
from rtap.whisper.load_model import load_model
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.transcribe import TranscribeOptions
from tests.backend.transports.scripted_service import ScriptedEngine
from tests.deadlines import SOON

AUDIO = Path(__file__).parents[2] / "audio"
BUNDLED = Path(rtap.__file__).parent / "models" / "cabin-en"
CHUNK_SECONDS = VAD_CHUNK / SAMPLE_RATE
"""Seconds; only a failing test waits so long."""
SHORT = VadConfig(min_speech_ms=64, min_silence_ms=320, speech_pad_ms=64)
"""A pause shows after 160 ms of silence."""


class Loudness:
    """Whatever is not silent is speech."""

    def speech_probability(self, chunk: Samples) -> float:
        return float(np.abs(chunk).max() > 0.01)


class Unsure:
    """Whatever is not silent may be speech."""

    def speech_probability(self, chunk: Samples) -> float:
        return 0.6 * float(np.abs(chunk).max() > 0.01)


class Script:
    """A recogniser whose answers the test gives."""

    def __init__(self) -> None:
        self.utterances: list[tuple[Utterance, Future[Transcript]]] = []
        self.partials: list[tuple[Samples, Future[str]]] = []
        self.speculations: list[Speculation] = []
        self.taken: list[Speculation | None] = []
        self.forgotten: list[Speculation] = []
        self.has_time = True
        self.options: list[TranscribeOptions] = []

    def transcribe(self, utterance, source, options, speculation=None):
        self.options.append(options)
        future: Future[Transcript] = Future()
        self.utterances.append((utterance, future))
        self.taken.append(speculation)
        return future

    def speculate(self, session_id, utterance_id, samples, options):
        if not self.has_time:
            return None
        self.options.append(options)
        self.speculations.append(
            Speculation(lambda _: None, samples=samples, options=options, model=0)
        )
        return self.speculations[-1]

    def drop_speculation(self, session_id, speculation):
        self.forgotten.append(speculation)
        return not speculation.future.cancel()

    def transcribe_partial(self, session_id, utterance_id, samples, options):
        self.options.append(options)
        future: Future[str] = Future()
        self.partials.append((samples, future))
        return future


class Run:
    def __init__(
        self,
        annotate: Callable[[Transcript], Transcript] = lambda one: one,
        partial_interval: float | None = 0.6,
        recognizer: Recognizer | None = None,
        config: VadConfig = SHORT,
        *,
        speculation: bool = True,
        vad: VoiceActivity | None = None,
    ) -> None:
        self.events: list[Event] = []
        self.script = Script()
        equipment = Equipment(
            vad or Loudness(),
            Denoiser(0, 0),
            config,
            recognizer or self.script,
            annotate,
            partial_interval,
            speculation,
        )
        self.session = SpeechSession(
            "s", "stream", equipment, TranscribeOptions(), self.events.append
        )
        self.clock = 1000.0

    def hear(self, seconds: float, level: float, step: float = 0.02) -> None:
        for _ in range(round(seconds / step)):
            self.clock += step
            self.session.push(np.full(round(step * SAMPLE_RATE), level, np.float32), self.clock)

    def kinds(self) -> list[type]:
        return [type(event) for event in self.events]


@pytest.mark.parametrize("vad", [Unsure(), Loudness()])
def test_the_model_knows_where_the_detector_doubts(vad: Unsure | Loudness) -> None:
    run = Run(vad=vad)
    run.hear(1.0, 0.5)
    run.hear(1.0, 0.0)
    assert len(run.script.partials) == 1
    assert len(run.script.speculations) == 1
    [speculation] = run.script.taken
    # Otherwise the speculation would not be taken.
    assert speculation is run.script.speculations[0]
    is_doubtful = isinstance(vad, Unsure)
    assert [options.is_doubtful for options in run.script.options] == [is_doubtful] * 3


def transcript(utterance: Utterance, text: str) -> Transcript:
    return Transcript(
        text=text,
        session_id=utterance.session_id,
        utterance_id=utterance.utterance_id,
        language="en",
        language_probability=1.0,
        duration=1.0,
        inference_time=0.01,
        latency=0.4,
        timestamp=0.0,
        confidence=0.9,
        source="stream",
    )


@pytest.fixture
def run() -> Run:
    return Run()


def test_an_utterance_becomes_a_transcript(run: Run) -> None:
    run.hear(0.5, 0.0)
    run.hear(1.0, 0.5)
    run.hear(0.5, 0.0)
    [(utterance, future)] = run.script.utterances
    assert 1.0 <= utterance.samples.size / SAMPLE_RATE <= 1.2
    future.set_result(transcript(utterance, "navigate home"))
    assert run.kinds() == [SpeechStarted, SpeechStopped, Transcript]
    assert not run.session.is_busy
    assert not run.session.is_speaking


@pytest.mark.parametrize("step", [0.02, 0.1, 0.5])
def test_times_are_those_of_the_sound(run: Run, step: float) -> None:
    run.hear(0.5, 0.0, step)
    run.hear(1.0, 0.5, step)
    run.hear(0.5, 0.0, step)
    started, stopped = run.events[:2]
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    assert started.timestamp == pytest.approx(1000.5, abs=2 * CHUNK_SECONDS)
    assert stopped.timestamp == pytest.approx(1001.5, abs=2 * CHUNK_SECONDS)
    assert run.script.utterances[0][0].ended_at == stopped.timestamp


@pytest.mark.parametrize("step", [0.001, 0.02, 0.1, 0.5])
def test_the_size_of_the_frames_does_not_matter(step: float) -> None:
    run = Run()
    run.hear(0.5, 0.0, step)
    run.hear(1.0, 0.5, step)
    run.hear(1.0, 0.0, step)
    [(utterance, _)] = run.script.utterances
    assert utterance.samples.size / SAMPLE_RATE == pytest.approx(1.1, abs=0.07)


def test_partial_results_only_grow(run: Run) -> None:
    run.hear(2.0, 0.5)
    assert len(run.script.partials) == 3
    lengths = [samples.size for samples, _ in run.script.partials]
    assert lengths == sorted(lengths)
    for (_, future), text in zip(
        run.script.partials, ("turn on", "turn on the", "turn on the heating"), strict=True
    ):
        future.set_result(text)
    texts = [event.text for event in run.events if isinstance(event, PartialTranscript)]
    assert texts[-1] == "turn on the"
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))


def test_partial_results_that_nobody_wants_are_not_asked_for() -> None:
    run = Run(partial_interval=None)
    run.hear(2.0, 0.5)
    run.hear(0.5, 0.0)
    assert run.script.partials == []
    assert len(run.script.utterances) == 1


def test_no_partial_result_follows_its_final(run: Run) -> None:
    run.hear(1.5, 0.5)
    run.hear(0.5, 0.0)
    for _, future in run.script.partials:
        future.set_result("turn on the heating")
    assert PartialTranscript not in run.kinds()


def test_the_next_utterance_does_not_wait_for_the_last(run: Run) -> None:
    for _ in range(2):
        run.hear(0.8, 0.5)
        run.hear(0.5, 0.0)
    (one, first), (two, second) = run.script.utterances
    assert one.utterance_id != two.utterance_id
    assert run.session.is_busy
    first.set_result(transcript(one, "yes"))
    second.set_result(transcript(two, "no"))
    assert [event.text for event in run.events if isinstance(event, Transcript)] == ["yes", "no"]


def test_the_end_of_the_stream_ends_the_utterance(run: Run) -> None:
    run.hear(1.0, 0.5)
    [waiting] = run.session.finish()
    [(utterance, future)] = run.script.utterances
    assert waiting is future
    assert utterance.samples.size >= SAMPLE_RATE


def test_a_failure_is_an_event(run: Run) -> None:
    run.hear(1.0, 0.5)
    run.session.finish()
    run.script.utterances[0][1].set_exception(PipelineError("the model is gone: restart"))
    error = run.events[-1]
    assert isinstance(error, ErrorOccurred)
    assert (error.stage, error.error_type) == ("stt", "PipelineError")
    assert not run.session.is_busy


def test_a_closed_session_says_nothing_more(run: Run) -> None:
    run.hear(1.0, 0.5)
    run.session.finish()
    before = list(run.events)
    run.session.close()
    assert run.script.utterances[0][1].cancelled()
    assert run.events == before


def test_closing_takes_back_a_partial_result_that_waits(run: Run) -> None:
    run.hear(1.5, 0.5)
    (_, answered), (_, waiting) = run.script.partials
    answered.set_result("turn on")
    run.session.close()
    assert waiting.cancelled()
    assert run.kinds() == [SpeechStarted]


def test_closing_leaves_alone_what_the_model_is_at(run: Run) -> None:
    run.hear(1.5, 0.5)
    [*_, (_, running)] = run.script.partials
    assert running.set_running_or_notify_cancel()
    run.session.close()
    running.set_result("turn on the heating")
    assert run.kinds() == [SpeechStarted]


def test_transcripts_are_annotated() -> None:
    run = Run(annotate=lambda one: replace(one, language="de"))
    run.hear(1.0, 0.5)
    run.session.finish()
    utterance, future = run.script.utterances[0]
    future.set_result(transcript(utterance, "ja"))
    final = run.events[-1]
    assert isinstance(final, Transcript)
    assert final.language == "de"


def test_silence_asks_for_nothing(run: Run) -> None:
    run.hear(5.0, 0.0)
    assert run.session.finish() == []
    assert run.events == []
    assert run.script.partials == []


class TestAtAPause:
    """What is transcribed before it is sure that nobody goes on."""

    def test_what_is_asked_for_is_the_whole_utterance(self, run: Run) -> None:
        run.hear(0.5, 0.5)
        run.hear(0.2, 0.0)
        [speculation] = run.script.speculations
        run.hear(0.3, 0.0)
        [(utterance, _)] = run.script.utterances
        np.testing.assert_array_equal(speculation.samples, utterance.samples)
        assert speculation.options == TranscribeOptions()
        assert run.script.taken == [speculation]
        assert run.script.forgotten == []

    def test_somebody_goes_on(self, run: Run) -> None:
        run.hear(0.5, 0.5)
        run.hear(0.2, 0.0)
        run.hear(0.1, 0.5)
        [wrong] = run.script.forgotten
        run.hear(0.5, 0.0)
        right = run.script.speculations[-1]
        assert run.script.speculations == [wrong, right]
        assert run.script.taken == [right]
        assert wrong.future.cancelled()

    def test_somebody_goes_on_and_the_stream_ends(self, run: Run) -> None:
        run.hear(0.5, 0.5)
        run.hear(0.2, 0.0)
        run.hear(0.1, 0.5)
        run.session.finish()
        assert run.script.taken == [None]

    def test_the_stream_ends_in_the_pause(self, run: Run) -> None:
        run.hear(0.5, 0.5)
        run.hear(0.2, 0.0)
        run.session.finish()
        assert run.script.taken == run.script.speculations
        assert len(run.script.taken) == 1

    def test_it_is_switched_off(self) -> None:
        run = Run(speculation=False)
        run.hear(0.5, 0.5)
        run.hear(0.5, 0.0)
        assert run.script.speculations == []
        assert run.script.taken == [None]

    def test_there_is_no_time_for_it(self, run: Run) -> None:
        run.script.has_time = False
        run.hear(0.5, 0.5)
        run.hear(0.2, 0.0)
        run.hear(0.1, 0.5)
        run.hear(0.5, 0.0)
        assert (run.script.taken, run.script.forgotten) == ([None], [])

    def test_its_text_is_the_one_so_far(self, run: Run) -> None:
        run.hear(0.8, 0.5)
        run.script.partials[0][1].set_result("turn on the")
        run.hear(0.2, 0.0)
        run.script.speculations[0].future.set_result("turn on the heating")
        [text] = [event.text for event in run.events if isinstance(event, PartialTranscript)]
        assert text == "turn on the"

    def test_its_text_is_not_told_after_the_final(self, run: Run) -> None:
        run.hear(0.8, 0.5)
        run.script.partials[0][1].set_result("turn on the")
        run.hear(0.5, 0.0)
        run.script.speculations[0].future.set_result("turn on the heating")
        assert run.kinds() == [SpeechStarted, SpeechStopped]

    def test_nobody_wants_its_text(self) -> None:
        run = Run(partial_interval=None)
        run.hear(0.65, 0.5)
        for text in ("turn on the", "turn on the heating"):
            run.hear(0.2, 0.0)
            run.script.speculations[-1].future.set_result(text)
            run.hear(0.1, 0.5)
        assert run.kinds() == [SpeechStarted]

    @pytest.mark.parametrize(("has_begun", "partials"), [(True, 0), (False, 1)])
    def test_it_spares_the_partial_result_that_is_due(
        self, run: Run, *, has_begun: bool, partials: int
    ) -> None:
        run.hear(0.5, 0.5)
        run.hear(0.25, 0.0)  # it is due, and would be of the same samples
        assert run.script.partials == []
        if has_begun:
            run.script.speculations[0].future.set_running_or_notify_cancel()
        run.hear(0.2, 0.5)
        assert len(run.script.partials) == partials

    def test_closing_takes_it_back(self, run: Run) -> None:
        run.hear(0.5, 0.5)
        run.hear(0.2, 0.0)
        run.session.close()
        assert run.script.forgotten == run.script.speculations
        assert run.script.speculations[0].future.cancelled()
        run.session.close()
        assert len(run.script.forgotten) == 1


class Spoken:
    """A session with the real worker, and an engine that waits where a test wants."""

    def __init__(self, config: VadConfig = SHORT) -> None:
        self.engine = ScriptedEngine()
        self.engine.gate.set()
        self.outcomes: list[bool] = []
        self.stt = SpeechToText(
            lambda: self.engine,
            on_speculation=self.outcomes.append,
            clock=lambda: self.run.clock,
        )
        self.run = Run(recognizer=self.stt, partial_interval=None, config=config)
        self.stt.start()
        assert self.stt.ready.wait(SOON)

    def say(self, seconds: float = 0.5) -> None:
        """And pause."""
        self.run.hear(seconds, 0.5)
        self.run.hear(0.2, 0.0)

    def end(self) -> None:
        """The silence goes on until it is long enough."""
        self.run.hear(0.3, 0.0)

    def hold(self) -> None:
        """Keep the worker in what it does next."""
        self.engine.asked.clear()
        self.engine.gate.clear()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SOON
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def finals(self) -> list[Transcript]:
        return [event for event in self.run.events if isinstance(event, Transcript)]

    def queue_another(self) -> Future[Transcript]:
        """An utterance of somebody else, which the worker is held in."""
        other = Utterance(np.ones(160, np.float32), "other", "other", self.run.clock, 0.0)
        return self.stt.transcribe(other, "stream", TranscribeOptions())


@contextmanager
def spoken(config: VadConfig = SHORT) -> Iterator[Spoken]:
    one = Spoken(config)
    try:
        yield one
    finally:
        one.engine.gate.set()
        assert one.stt.stop(SOON)


class TestWithTheWorker:
    def test_the_final_is_there_when_the_silence_is_long_enough(self) -> None:
        with spoken() as one:
            one.say()
            one.wait_for(lambda: one.engine.utterances == 1)
            assert one.run.kinds() == [SpeechStarted]
            one.end()
            assert one.run.session.wait_until_idle(SOON)
            assert one.run.kinds() == [SpeechStarted, SpeechStopped, Transcript]
            assert (one.engine.utterances, one.outcomes) == (1, [True])
            [final] = one.finals()
            # All of the silence, though the text was there before.
            assert final.latency == pytest.approx(0.32, abs=0.06)
            assert final.inference_time == 0.01

    def test_somebody_goes_on(self) -> None:
        with spoken() as one:
            one.say()
            one.wait_for(lambda: one.engine.utterances == 1)
            one.say()
            one.wait_for(lambda: one.engine.utterances == 2)
            one.end()
            assert one.run.session.wait_until_idle(SOON)
            [final] = one.finals()
            assert final.duration == pytest.approx(1.3, abs=0.1)
            assert (one.engine.utterances, one.outcomes) == (2, [False, True])

    def test_the_end_comes_while_the_model_is_at_it(self) -> None:
        with spoken() as one:
            one.hold()
            one.say()
            assert one.engine.asked.wait(SOON)
            one.end()
            assert one.run.kinds() == [SpeechStarted, SpeechStopped]
            assert one.run.session.is_busy
            one.run.clock += 2
            one.engine.gate.set()
            assert one.run.session.wait_until_idle(SOON)
            assert one.run.kinds() == [SpeechStarted, SpeechStopped, Transcript]
            assert one.finals()[0].latency == pytest.approx(2.5, abs=0.1)
            assert (one.engine.utterances, one.outcomes) == (1, [True])

    def test_the_end_comes_while_it_waits(self) -> None:
        with spoken() as one:
            one.hold()
            other = one.queue_another()
            assert one.engine.asked.wait(SOON)
            one.say()
            assert one.stt.waiting_utterances == 0
            one.end()
            assert one.stt.waiting_utterances == 1
            one.engine.gate.set()
            assert one.run.session.wait_until_idle(SOON)
            assert other.done()
            assert one.run.kinds() == [SpeechStarted, SpeechStopped, Transcript]
            assert (one.engine.utterances, one.outcomes) == (2, [])

    def test_an_utterance_that_is_cut_in_the_pause(self) -> None:
        with spoken(replace(SHORT, max_utterance_ms=1_000)) as one:
            one.run.hear(0.8, 0.5)
            one.run.hear(0.18, 0.0)
            one.wait_for(lambda: one.engine.utterances == 1)
            one.end()
            assert one.run.session.wait_until_idle(SOON)
            [final] = one.finals()
            assert final.duration == pytest.approx(31 * CHUNK_SECONDS)
            assert (one.engine.utterances, one.outcomes) == (2, [False])

    def test_what_goes_wrong_is_told_once_and_after_the_end(self) -> None:
        with spoken() as one:
            one.engine.error = PipelineError("the model is gone: restart")
            one.engine.asked.clear()
            one.say()
            assert one.engine.asked.wait(SOON)
            assert one.run.kinds() == [SpeechStarted]
            one.end()
            assert one.run.session.wait_until_idle(SOON)
            assert one.run.kinds() == [SpeechStarted, SpeechStopped, ErrorOccurred]

    def test_what_goes_wrong_with_half_an_utterance_is_nobodys_business(self) -> None:
        with spoken() as one:
            one.engine.error = PipelineError("too short")
            one.engine.asked.clear()
            one.say()
            assert one.engine.asked.wait(SOON)
            one.run.hear(0.1, 0.5)
            # The worker has dropped the error before it takes anything else.
            with pytest.raises(PipelineError):
                one.queue_another().result(SOON)
            one.engine.error = None
            one.say()
            one.end()
            assert one.run.session.wait_until_idle(SOON)
            assert one.run.kinds() == [SpeechStarted, SpeechStopped, Transcript]

    def test_the_stream_closes_while_the_model_is_at_it(self) -> None:
        with spoken() as one:
            one.hold()
            one.say()
            assert one.engine.asked.wait(SOON)
            one.run.session.close()
            one.engine.gate.set()
            assert one.queue_another().result(SOON).text
            assert one.run.kinds() == [SpeechStarted]
            assert one.outcomes == [False]

    def test_the_stream_closes_after_the_end(self) -> None:
        with spoken() as one:
            one.hold()
            one.say()
            assert one.engine.asked.wait(SOON)
            one.end()
            one.run.session.close()
            one.engine.gate.set()
            assert one.run.session.wait_until_idle(SOON)
            assert one.run.kinds() == [SpeechStarted, SpeechStopped]

    def test_the_service_stops_in_the_pause(self) -> None:
        with spoken() as one:
            one.hold()
            one.queue_another()
            assert one.engine.asked.wait(SOON)
            one.say()
            stopper = threading.Thread(target=one.stt.stop, args=(SOON,))
            stopper.start()
            # It refuses what is new before it waits for what runs.
            one.wait_for(
                lambda: (
                    one.stt.speculate("x", "x", np.ones(160, np.float32), TranscribeOptions())
                    is None
                )
            )
            one.end()
            assert one.run.kinds() == [SpeechStarted, SpeechStopped, ErrorOccurred]
            one.engine.gate.set()
            stopper.join(SOON)
            assert one.engine.utterances == 1


class Hasty:
    """The worker, but what is asked for at a pause is always done before the silence is over."""

    def __init__(self, stt: SpeechToText) -> None:
        self._stt = stt
        self.transcribe = stt.transcribe
        self.transcribe_partial = stt.transcribe_partial
        self.drop_speculation = stt.drop_speculation

    def speculate(self, session_id, utterance_id, samples, options):
        speculation = self._stt.speculate(session_id, utterance_id, samples, options)
        assert speculation is not None
        speculation.heard.exception(SOON)
        return speculation


@pytest.mark.slow
def test_the_same_text_with_and_without() -> None:
    """On real speech, with the bundled model."""
    outcomes: list[bool] = []
    model = load_model(ModelDirectory.open(BUNDLED), 1)
    stt = SpeechToText(lambda: WhisperEngine(model, Vad), on_speculation=outcomes.append)
    stt.start()
    told = [transcripts(Hasty(stt), speculation=flag) for flag in (True, False)]
    assert stt.stop(SOON)
    assert told[0] == told[1]
    assert [text for text, *_ in told[0]] == [
        "navigate home set the temperature to twenty one degrees",
        "turn on the heating",
    ]
    # Twice it was the end, once there was more to come.
    assert outcomes == [False, True, True]


def transcripts(recognizer: Recognizer, *, speculation: bool) -> list[tuple[object, ...]]:
    """Two commands with a pause that is too short to part them, and another one."""
    events: list[Event] = []
    equipment = Equipment(
        Vad(),
        Denoiser(0, 0),
        VadConfig(),
        recognizer,
        partial_interval=None,
        speculation=speculation,
    )
    session = SpeechSession("s", "stream", equipment, TranscribeOptions(), events.append)
    names = ("navigate_home", 0.0, "set_the_temperature", 1.0, "turn_on_the_heating", 1.0)
    for part in names:
        session.push(
            np.zeros(round(part * SAMPLE_RATE), np.float32)
            if isinstance(part, float)
            else soundfile.read(AUDIO / f"{part}.wav", dtype="float32")[0],
            0.0,
        )
        assert session.wait_until_idle(60)
    return [
        (one.text, one.language, one.language_probability, one.duration, one.confidence)
        for one in events
        if isinstance(one, Transcript)
    ]
