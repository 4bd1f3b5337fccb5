"""Whether broken clients of ``/stream`` harm the service."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Final

from rtap.errors import RTAPException
from tools.benchmarks.result import Figure, Result
from tools.benchmarks.service.attacks import ATTACKS, attempt
from tools.benchmarks.service.load import Spoken, speak
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.service_process import ServiceProcess, healthy_service
from tools.benchmarks.service.speech import phrases, wav

NAME: Final = "fuzz"
WHAT: Final = f"""\
Connections to `/stream` that break its rules, eight at a time, of {len(ATTACKS)} kinds in turn:
{", ".join(name.replace("_", " ") for name in ATTACKS)}.
*Unexpected* is a refusal for want of a place, a close code or a reply other than what the protocol says for
that fault, an error of the service's own, no reaction in time, a line in its log that is an error, and a
place that is still taken afterwards. Then a good client speaks, and must get the same text as before."""

_CONNECTIONS, _QUICK_CONNECTIONS = 1_000, 4 * len(ATTACKS)
_AT_A_TIME: Final = 8
"""Half of limits.max_streams: none may be refused."""
_SETTLING_SECONDS: Final = 30.0
"""For places of connections that are gone to be given back."""
_SHOWN: Final = 10


def measure(plan: Plan) -> Result:
    """A good client, the broken ones, and the good one again."""
    command = phrases()[:1]
    connections = plan.size(_CONNECTIONS, _QUICK_CONNECTIONS)
    with healthy_service(plan.settings, [wav(command[0].samples)]) as running:
        before = asyncio.run(speak(running.stream_url, command, seed=0))
        begin = time.perf_counter()
        surprises = asyncio.run(_attack(running.stream_url, connections))
        seconds = time.perf_counter() - begin
        has_ended = running.has_ended
        taken = 0 if has_ended else _places_taken(running)
        after = asyncio.run(speak(running.stream_url, command, seed=0))
        if has_ended:
            surprises["the service ended"] += 1
        if taken:
            surprises["places still taken afterwards"] += taken
    # Now the log is complete.
    if running.log.errors:
        surprises["error lines in the log"] += running.log.errors
    is_well = bool(after.answers) and _texts(after) == _texts(before)
    unexpected = surprises.total()
    notes = [f"{count} times {what}" for what, count in surprises.most_common(_SHOWN)]
    notes += [f"log: {line}" for line in list(running.log.bad)[-_SHOWN:]]
    return Result(
        NAME,
        WHAT,
        (
            Figure("unexpected", float(unexpected), "", "0", unexpected == 0),
            Figure(
                "a good client's final afterwards is right (1) or not (0)",
                float(is_well),
                "",
                "1",
                is_well,
            ),
            Figure("connections", float(connections), ""),
            Figure("time for all of them", seconds, "s"),
        ),
        notes,
    )


async def _attack(url: str, connections: int) -> Counter[str]:
    """What surprised, and how often."""
    names = tuple(ATTACKS)
    places = asyncio.Semaphore(_AT_A_TIME)
    surprises: Counter[str] = Counter()

    async def one(index: int) -> None:
        name = names[index % len(names)]
        async with places:
            surprise = await attempt(name, url, index)
        if surprise is not None:
            surprises[f"{name}: {surprise}"] += 1

    await asyncio.gather(*(one(index) for index in range(connections)))
    return surprises


def _places_taken(running: ServiceProcess) -> int:
    """Streams that the service thinks are open, when there are none."""
    deadline = time.monotonic() + _SETTLING_SECONDS
    while True:
        try:
            taken = int(running.metric("rtap_streams_open"))
        except RTAPException:
            return 1
        if not taken or time.monotonic() > deadline:
            return taken
        time.sleep(0.2)


def _texts(spoken: Spoken) -> list[str]:
    return [answer.text for answer in spoken.answers]
