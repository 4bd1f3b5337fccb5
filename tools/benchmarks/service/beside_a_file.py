"""Whether clients that speak have to wait because somebody has a long file transcribed."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from typing import Any, Final

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import RTAPException
from tools.benchmarks.figures import distribution
from tools.benchmarks.result import Figure, Result
from tools.benchmarks.service.answer_time import SILENCE_MS, described
from tools.benchmarks.service.load import Answer, Spoken, speak, speak_at_once, together
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.service_process import ServiceProcess, healthy_service
from tools.benchmarks.service.speech import Phrase, phrases, recording, synthesised, wav

NAME: Final = "beside_file"
WHAT: Final = """\
A file of ten minutes goes through `/transcribe` while eight clients speak on `/stream` in real time, until
the file's reply is there. Before that, on the same service, the file alone, and one client alone. A final is
compared with the lone client's median for the same command, both from the end of speech on, the silence that
ends an utterance included. The file's transcript is whole when it is the same, letter for letter, as without
the clients."""

MOST_TIMES: Final = 2.0
"""No final shall come later than so many times the lone one."""
STREAMS: Final = 8
_SECONDS, _QUICK_SECONDS = 600, 20
_LONE, _QUICK_LONE = 30, 3
_PATIENCE_SECONDS: Final = 1_800.0


@dataclass(frozen=True, slots=True)
class _File:
    seconds: float
    """Until its reply."""
    text: str
    duration: float


def measure(plan: Plan) -> Result:
    """The file alone, one client alone, and all together."""
    spoken = phrases()
    more = synthesised()
    file = recording(spoken + more, plan.size(_SECONDS, _QUICK_SECONDS), seed=1)
    with healthy_service(plan.settings, [wav(one.samples) for one in spoken]) as running:
        lone_file = _transcribe(running, file.wav())
        lone = asyncio.run(
            speak_at_once(running.stream_url, 1, spoken, plan.size(_LONE, _QUICK_LONE))
        )
        heard, late_file = asyncio.run(_all_together(running, spoken, file.wav()))
    baseline = lone_latencies(lone.answers)
    figures = [
        *_ratios(heard.answers, baseline),
        *_file_figures(late_file, lone_file, file.samples.size / SAMPLE_RATE, file.words),
    ]
    notes = (
        f"lone client: {described(lone)}",
        f"{STREAMS} clients: {described(heard)}",
        "The file: commands of `tests/audio`" + (" and of espeak-ng." if more else "."),
        *([late_file] if isinstance(late_file, str) else []),
    )
    return Result(NAME, WHAT, figures, notes)


def lone_latencies(answers: Sequence[Answer]) -> Mapping[str, float]:
    """Median latency in seconds of each command."""
    by_text: defaultdict[str, list[float]] = defaultdict(list)
    for answer in answers:
        by_text[answer.phrase.text].append(answer.latency)
    return {text: median(latencies) for text, latencies in by_text.items()}


def _ratios(answers: Sequence[Answer], lone: Mapping[str, float]) -> list[Figure]:
    comparable = [answer for answer in answers if answer.phrase.text in lone]
    silence = SILENCE_MS / 1000
    whole = distribution([one.latency / lone[one.phrase.text] for one in comparable])
    rest = distribution(
        [(one.latency - silence) / (lone[one.phrase.text] - silence) for one in comparable]
    )
    latency = distribution([1000 * answer.latency for answer in answers])
    target = f"<= {MOST_TIMES:g}"
    if whole is None or rest is None or latency is None:
        return [Figure("latest final, times the lone one", None, "", target, reached=False)]
    return [
        Figure(
            "latest final, times the lone one",
            whole.highest,
            "",
            target,
            whole.highest <= MOST_TIMES,
            whole,
        ),
        Figure("final, times the lone one, p50", whole.p50, "", spread=whole),
        Figure("final, times the lone one, p95", whole.p95, "", spread=whole),
        Figure("the same without the silence, p95", rest.p95, "", spread=rest),
        Figure("end of speech to final, p95", latency.p95, "ms", spread=latency),
    ]


def _file_figures(late: _File | str, lone: _File, seconds: float, words: int) -> list[Figure]:
    name = "the file's transcript is whole (1) or not (0)"
    figures = [
        Figure("words said in the file", float(words), ""),
        Figure("words in its transcript, alone", float(len(lone.text.split())), ""),
        Figure("time for the file, alone", lone.seconds, "s"),
    ]
    if isinstance(late, str):
        return [Figure(name, None, "", "1", reached=False), *figures]
    is_whole = late.text == lone.text and abs(late.duration - seconds) < 1
    return [
        Figure(name, float(is_whole), "", "1", is_whole),
        *figures,
        Figure(f"time for the file, beside {STREAMS} streams", late.seconds, "s"),
    ]


async def _all_together(
    running: ServiceProcess, spoken: tuple[Phrase, ...], file: bytes
) -> tuple[Spoken, _File | str]:
    """What the clients heard, and the file's transcript or why there is none."""
    stop = asyncio.Event()
    clients = [
        asyncio.create_task(
            speak(
                running.stream_url,
                cycle(spoken[i % len(spoken) :] + spoken[: i % len(spoken)]),
                i,
                stop,
            )
        )
        for i in range(STREAMS)
    ]
    try:
        transcribed: _File | str = await asyncio.to_thread(_transcribe, running, file)
    except RTAPException as error:
        transcribed = str(error)
    stop.set()
    return together(await asyncio.gather(*clients)), transcribed


def _transcribe(running: ServiceProcess, file: bytes) -> _File:
    begin = time.perf_counter()
    reply: dict[str, Any] = running.transcribe(file, _PATIENCE_SECONDS)
    return _File(time.perf_counter() - begin, str(reply["text"]), float(reply["duration"]))
