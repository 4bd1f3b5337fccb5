"""How long it takes until the service can be talked to."""

from __future__ import annotations

from typing import Final

from tools.benchmarks.figures import distribution
from tools.benchmarks.result import Figure, Result
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.service_process import service
from tools.benchmarks.service.speech import phrases, wav

NAME: Final = "start"
WHAT: Final = """\
From the start of the process until `/health` says 200, which it does not before the model has done a real
inference; and until a command sent to `/transcribe` right afterwards is text. Python and the model are in the
system's file cache from the second start on, so it is not the first start after booting."""

_STARTS, _QUICK_STARTS = 5, 1


def measure(plan: Plan) -> Result:
    """Start it several times."""
    command = min(phrases(), key=lambda phrase: phrase.samples.size)
    file = wav(command.samples)
    healthy: list[float] = []
    heard: list[float] = []
    right = 0
    starts = plan.size(_STARTS, _QUICK_STARTS)
    for _ in range(starts):
        with service(plan.settings) as running:
            healthy.append(running.wait_until_healthy())
            right += running.transcribe(file)["text"] == command.text
            heard.append(running.age)
    figures = [
        *_figures("process start to /health 200", healthy),
        *_figures("process start to the first transcript", heard),
    ]
    return Result(NAME, WHAT, figures, (f"{starts} starts, {right} first transcripts right.",))


def _figures(name: str, seconds: list[float]) -> list[Figure]:
    spread = distribution(seconds)
    assert spread is not None
    return [
        Figure(f"{name}, median", spread.p50, "s", spread=spread),
        Figure(f"{name}, slowest", spread.highest, "s", spread=spread),
    ]
