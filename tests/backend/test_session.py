"""From chunks to transcripts, with a scripted detector and recogniser in the place of the models."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rtap.audio_format import SAMPLE_RATE, VAD_CHUNK
from rtap.config import VadConfig
from rtap.errors import PipelineError
from rtap.events import (
    ErrorOccurred,
    Event,
    PartialTranscript,
    Samples,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    Utterance,
)
from rtap.session import Equipment, SpeechSession
from rtap.stages.denoise import Denoiser
from rtap.whisper.transcribe import TranscribeOptions

CHUNK_SECONDS = VAD_CHUNK / SAMPLE_RATE


class Loudness:
    """Whatever is not silent is speech."""

    def speech_probability(self, chunk: Samples) -> float:
        return float(np.abs(chunk).max() > 0.01)


class Script:
    """A recogniser whose answers the test gives."""

    def __init__(self) -> None:
        self.utterances: list[tuple[Utterance, Future[Transcript]]] = []
        self.partials: list[tuple[Samples, Future[str]]] = []

    def transcribe(self, utterance, source, options):
        future: Future[Transcript] = Future()
        self.utterances.append((utterance, future))
        return future

    def partial(self, session_id, utterance_id, samples, options):
        future: Future[str] = Future()
        self.partials.append((samples, future))
        return future


class Run:
    def __init__(
        self,
        annotate: Callable[[Transcript], Transcript] = lambda one: one,
        partial_interval: float | None = 0.6,
    ) -> None:
        self.events: list[Event] = []
        self.script = Script()
        config = VadConfig(min_speech_ms=64, min_silence_ms=320, speech_pad_ms=64)
        equipment = Equipment(
            Loudness(), Denoiser(0, 0), config, self.script, annotate, partial_interval
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
