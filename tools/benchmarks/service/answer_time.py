"""How long a client waits for its text after it has stopped speaking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rtap.config import Config
from tools.benchmarks.figures import distribution
from tools.benchmarks.result import Figure, Result, percentiles
from tools.benchmarks.service.load import FRAME_SECONDS, Answer, Spoken, speak_at_once
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.service_process import ServiceProcess, healthy_service
from tools.benchmarks.service.speech import Phrase, phrases, wav

NAME: Final = "answer"
WHAT: Final = f"""\
From the end of speech to the final, on the client's clock: from sending the frame that holds the last speech
of a command (of {1000 * FRAME_SECONDS:.0f} ms, in real time, through `/stream`) until the final was there.
*Less the silence*: without `vad.min_silence_ms`, the silence that tells the service that speech is over.
Every client waits for its final, pauses and goes on; several clients speak out of step. Times grow without
end when the service needs more processors than there are.

First as configured by default, with `stt.decode_at_pause`: a command is transcribed at the first pause that
is as long as `vad.speech_pad_ms`, while the rest of the silence is waited for. Then by a service without
(*off*). *Wasted* is the share of these inferences after whose pause somebody went on speaking; they are part
of the processors that were kept busy. The commands are spoken without pauses, but for those between words."""

TARGET_MS: Final = 150.0
"""Beyond the silence, for one stream."""
SILENCE_MS: Final = float(Config().vad.min_silence_ms)
"""The service runs with the default."""
_COMMANDS: Final = {1: 40, 4: 20, 8: 13}
"""Streams, and what each of them says to each of the two services."""
_QUICK_COMMANDS: Final = 2


@dataclass(frozen=True, slots=True)
class Speculations:
    """Inferences that were made at a pause."""

    used: float = 0.0
    wasted: float = 0.0

    def since(self, before: Speculations) -> Speculations:
        """Those that came after."""
        return Speculations(self.used - before.used, self.wasted - before.wasted)

    @property
    def share_wasted(self) -> float | None:
        """0 to 1; None where there were none."""
        total = self.used + self.wasted
        return self.wasted / total if total else None


@dataclass(frozen=True, slots=True)
class Run:
    """What some clients found at a time."""

    heard: Spoken
    cores: float
    """Processors that the service kept busy."""
    speculations: Speculations


def measure(plan: Plan) -> Result:
    """With one, four and eight streams, with and without decoding at the pause."""
    spoken = phrases()
    figures: list[Figure] = []
    notes: list[str] = []
    for is_on in (True, False):
        settings = replace(plan.settings, decode_at_pause=is_on)
        with healthy_service(settings, [wav(one.samples) for one in spoken]) as running:
            for streams, commands in _COMMANDS.items():
                each = plan.size(commands, _QUICK_COMMANDS)
                run = _listen(running, streams, spoken, each)
                kind = "1 stream" if streams == 1 else f"{streams} streams"
                kind += "" if is_on else ", off"
                figures += run_figures(kind, run, TARGET_MS if is_on and streams == 1 else None)
                notes.append(f"{kind}: {described(run.heard)}")
    return Result(NAME, WHAT, figures, notes)


def _listen(running: ServiceProcess, streams: int, spoken: tuple[Phrase, ...], each: int) -> Run:
    begin, used = time.perf_counter(), running.processor_seconds
    before = _speculations(running)
    heard = asyncio.run(speak_at_once(running.stream_url, streams, spoken, each))
    cores = (running.processor_seconds - used) / (time.perf_counter() - begin)
    return Run(heard, cores, _speculations(running).since(before))


def _speculations(running: ServiceProcess) -> Speculations:
    def count(outcome: str) -> float:
        return running.metric(f'rtap_speculations_total{{outcome="{outcome}"}}')

    return Speculations(count("used"), count("wasted"))


def run_figures(kind: str, run: Run, limit: float | None) -> list[Figure]:
    """The lines of the report for one number of streams.

    Args:
        limit: milliseconds beyond the silence that 95 of 100 answers shall stay below; None: no target.
    """
    figures = _figures(kind, run.heard.answers, limit)
    figures.append(Figure(f"processors that the service kept busy, {kind}", run.cores, ""))
    wasted = run.speculations.share_wasted
    if wasted is not None:
        figures.append(Figure(f"wasted, {kind}", 100 * wasted, "%"))
    return figures


def described(heard: Spoken) -> str:
    """In one line, how sound the figures are."""
    right = sum(answer.is_right for answer in heard.answers)
    said = len(heard.answers) + heard.unanswered
    errors = f"; {len(heard.errors)} complaints: {heard.errors[0]}" if heard.errors else ""
    return (
        f"{len(heard.answers)} of {said} commands answered, {right} of them understood word for word; "
        f"frames were sent {1000 * heard.lateness:.0f} ms late at most{errors}."
    )


def _figures(kind: str, answers: Sequence[Answer], limit: float | None) -> list[Figure]:
    whole = distribution([1000 * answer.latency for answer in answers])
    rest = distribution([1000 * answer.latency - SILENCE_MS for answer in answers])
    model = distribution([1000 * answer.inference_time for answer in answers])
    with_silence = None if limit is None else limit + SILENCE_MS
    figures = percentiles(f"end of speech to final, {kind}", whole, "ms", with_silence)
    figures += percentiles(f"less the silence, {kind}", rest, "ms", limit)
    if model is not None:
        figures.append(Figure(f"of it in the model, {kind}, p50", model.p50, "ms", spread=model))
    return figures
