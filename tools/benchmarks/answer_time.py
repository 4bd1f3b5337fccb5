"""How long a client waits for its text after it has stopped speaking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from rtap.config import Config
from tools.benchmarks.figures import distribution
from tools.benchmarks.load import FRAME_SECONDS, Answer, Spoken, speak_at_once
from tools.benchmarks.plan import Plan
from tools.benchmarks.result import Figure, Result, percentiles
from tools.benchmarks.service_process import healthy_service
from tools.benchmarks.speech import phrases, wav

NAME: Final = "answer"
WHAT: Final = f"""\
From the end of speech to the final, on the client's clock: from sending the frame that holds the last speech
of a command (of {1000 * FRAME_SECONDS:.0f} ms, in real time, through `/stream`) until the final was there.
*Less the silence*: without `vad.min_silence_ms`, the silence that tells the service that speech is over.
Every client waits for its final, pauses and goes on; several clients speak out of step. Times grow without
end when the service needs more processors than there are."""

TARGET_MS: Final = 150.0
"""Beyond the silence, for one stream."""
SILENCE_MS: Final = float(Config().vad.min_silence_ms)
"""The service runs with the default."""
_COMMANDS: Final = {1: 60, 4: 30, 8: 20}
"""Streams, and what each of them says."""
_QUICK_COMMANDS: Final = 2


def measure(plan: Plan) -> Result:
    """With one, four and eight streams."""
    spoken = phrases()
    figures: list[Figure] = []
    notes: list[str] = []
    with healthy_service(plan.settings, [wav(one.samples) for one in spoken]) as running:
        for streams, commands in _COMMANDS.items():
            each = plan.size(commands, _QUICK_COMMANDS)
            begin, used = time.perf_counter(), running.processor_seconds
            heard = asyncio.run(speak_at_once(running.stream_url, streams, spoken, each))
            cores = (running.processor_seconds - used) / (time.perf_counter() - begin)
            kind = "1 stream" if streams == 1 else f"{streams} streams"
            figures += _figures(kind, heard.answers, TARGET_MS if streams == 1 else None)
            figures.append(Figure(f"processors that the service kept busy, {kind}", cores, ""))
            notes.append(f"{kind}: {described(heard)}")
    return Result(NAME, WHAT, figures, notes)


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
