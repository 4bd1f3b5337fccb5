"""The report on waiting for text, with a service and clients that are scripted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from tools.benchmarks.result import Result
from tools.benchmarks.service import answer_time
from tools.benchmarks.service.answer_time import Run, Speculations, run_figures
from tools.benchmarks.service.load import Answer, Spoken
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.service_process import ServiceSettings
from tools.benchmarks.service.speech import Phrase

HOME = Phrase("navigate home", np.zeros(1, np.float32), 1)


def heard(*latencies: float) -> Spoken:
    answers = tuple(Answer(HOME, latency, 0.1, "navigate home") for latency in latencies)
    return Spoken(answers, 0, (), 0.0)


def values(result: Result) -> dict[str, float | None]:
    return {figure.name: figure.value for figure in result.figures}


class Service:
    """Speculates ten times in every run, one time more of them in vain than before; or never."""

    stream_url = "ws://localhost/stream"
    processor_seconds = 0.0

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.runs = 0

    def metric(self, name: str) -> float:
        wasted = self.runs * (self.runs + 1) / 2 if self.settings.decode_at_pause else 0.0
        made = 10.0 * self.runs if self.settings.decode_at_pause else 0.0
        return {
            'rtap_speculations_total{outcome="used"}': made - wasted,
            'rtap_speculations_total{outcome="wasted"}': wasted,
        }[name]


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> list[Service]:
    started: list[Service] = []

    @contextmanager
    def healthy_service(settings: ServiceSettings, warm_up: object) -> Iterator[Service]:
        started.append(Service(settings))
        yield started[-1]

    async def speak_at_once(url: str, streams: int, *_: object) -> Spoken:
        started[-1].runs += 1
        return heard(0.5 if started[-1].settings.decode_at_pause else 0.6 + streams / 100)

    monkeypatch.setattr(answer_time, "healthy_service", healthy_service)
    monkeypatch.setattr(answer_time, "speak_at_once", speak_at_once)
    return started


def test_with_and_without(services: list[Service]) -> None:
    result = answer_time.measure(Plan(settings=ServiceSettings(threads=1)))
    assert [one.settings for one in services] == [
        ServiceSettings(threads=1, decode_at_pause=True),
        ServiceSettings(threads=1, decode_at_pause=False),
    ]
    found = values(result)
    kinds = {1: "1 stream", 4: "4 streams", 8: "8 streams"}
    for run, (streams, kind) in enumerate(kinds.items(), start=1):
        assert found[f"less the silence, {kind}, p50"] == pytest.approx(0)
        assert found[f"less the silence, {kind}, off, p50"] == pytest.approx(100 + 10 * streams)
        assert found[f"wasted, {kind}"] == pytest.approx(10 * run)
        assert f"wasted, {kind}, off" not in found
    assert len(result.notes) == 6


def test_the_target_is_that_of_one_stream_as_configured(services: list[Service]) -> None:
    judged = [one for one in answer_time.measure(Plan()).figures if one.reached is not None]
    assert [one.name for one in judged] == [
        "end of speech to final, 1 stream, p95",
        "less the silence, 1 stream, p95",
    ]


def test_nothing_answered_and_nothing_speculated() -> None:
    figures = run_figures("1 stream", Run(heard(), 0.5, Speculations()), 150.0)
    assert [one.value for one in figures] == [None, None, 0.5]
