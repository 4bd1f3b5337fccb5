"""How soon the standby takes over when the primary is killed, and what is lost or told twice."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from rtap.errors import ConfigurationError
from rtap.standby.rules import Span
from tools.benchmarks.figures import distribution
from tools.benchmarks.result import Figure, Result, percentiles
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.speech import phrases
from tools.benchmarks.service.standby_rig import (
    ROLES,
    Heard,
    Pair,
    Said,
    Subscriber,
    Talker,
    pair,
    wait_for,
)
from tools.gui.virtual_microphone import virtual_microphone

NAME: Final = "standby"
WHAT: Final = """\
Two `rtap serve` without a wake word, a primary and its standby with default heartbeats and one thread for an
inference, hear the same microphone, into which commands are played all the time; a subscriber listens to
both. The primary is killed (SIGKILL) at random moments, started again a few seconds later, and gets the
publishing back. Takeover: from the kill to the standby's `publishing_changed`. Told twice: two transcripts of
one stretch of time. In flight: spoken, or being transcribed, when the primary died or the publishing was
handed over."""
MOST_MS: Final = 1_000.0
_RUNS, _QUICK_RUNS = 20, 2
_SEED: Final = 8
_TROUBLE: Final = (2.0, 4.0)
"""Seconds without a primary."""
_PEACE: Final = (2.0, 5.0)
"""Seconds with both."""
SETTLING: Final = 2.5
"""Seconds for the last transcript to come."""
_UNHEARD: Final = 1.5
"""Seconds from the end of a command to its transcript, the player's end and the busiest machine included."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave."""

    said: Sequence[Said]
    heard: Sequence[Heard]
    takeovers: Sequence[float]
    """Seconds."""
    turns: Sequence[float]
    """When the publishing changed hands, or should have: kills and changes, seconds since the epoch."""

    @property
    def doubled(self) -> list[tuple[Heard, Heard]]:
        """Pairs of transcripts of the same words."""
        return [
            (one, other)
            for one, other in combinations(self.heard, 2)
            if one.span.is_same(other.span)
        ]

    @property
    def lost(self) -> list[Said]:
        """Commands that nobody told."""
        return [
            said
            for said in self.said
            if not any(_is_within(heard.span, said.span) for heard in self.heard)
        ]

    @property
    def lost_at_rest(self) -> list[Said]:
        """Those of them that were not in flight when the publishing changed hands."""
        return [said for said in self.lost if not any(_is_in_flight(said, at) for at in self.turns)]


def measure(plan: Plan) -> Result:
    """Kill the primary again and again.

    Raises:
        ConfigurationError: there is no sound server to be the microphone.
    """
    missing = [program for program in ("pulseaudio", "paplay") if shutil.which(program) is None]
    if missing:
        raise ConfigurationError(
            f"{' and '.join(missing)} is missing: apt-get install pulseaudio pulseaudio-utils "
            f"libasound2-plugins libportaudio2"
        )
    return described(run(plan.size(_RUNS, _QUICK_RUNS), _SEED))


def run(kills: int, seed: int) -> Outcome:
    """Kill the primary so many times under traffic."""
    rng = random.Random(seed)
    with virtual_microphone() as microphone, pair(microphone) as (both, place):
        for role in ROLES:
            both.start(role)
        with Subscriber(both.ports) as subscriber:
            wait_for(lambda: subscriber.publishes("primary"), "a start", both)
            with Talker(microphone, phrases(), place, seed) as talker:
                takeovers, killed = [], []
                for _ in range(kills):
                    time.sleep(rng.uniform(*_PEACE))
                    at, taken = _kill(both, subscriber)
                    killed.append(at)
                    takeovers.append(taken - at)
                    time.sleep(rng.uniform(*_TROUBLE))
                    _revive(both, subscriber)
                time.sleep(SETTLING)
            time.sleep(SETTLING)
        turns = [*killed, *(change.timestamp for change in subscriber.changes)]
        return Outcome(talker.said, subscriber.heard, takeovers, turns)


def _kill(both: Pair, subscriber: Subscriber) -> tuple[float, float]:
    """When it was killed, and when the standby took over."""
    seen = len(subscriber.changes)
    at = both.kill("primary")
    # On a machine that is too busy for its sound, the standby may have given up before, and says so again.
    wait_for(lambda: subscriber.publishes("standby", seen), "the takeover", both)
    taken = next(change for change in subscriber.changes[seen:] if change.publishing)
    assert taken.role == "standby"
    return at, taken.timestamp


def _revive(both: Pair, subscriber: Subscriber) -> None:
    seen = len(subscriber.changes)
    both.start("primary")
    wait_for(
        lambda: len(subscriber.changes) > seen and subscriber.publishes("primary"),
        "the primary's return",
        both,
    )


def _is_within(span: Span, said: Span) -> bool:
    middle = (span.start + span.end) / 2
    return said.start <= middle <= said.end


def _is_in_flight(said: Said, at: float) -> bool:
    return said.span.start <= at <= said.span.end + _UNHEARD


def described(outcome: Outcome) -> Result:
    """The figures of a run."""
    spread = distribution([1000 * seconds for seconds in outcome.takeovers])
    longest = 1000 * max(outcome.takeovers)
    doubled, at_rest = len(outcome.doubled), len(outcome.lost_at_rest)
    figures = [
        *percentiles("takeover", spread, "ms", MOST_MS),
        Figure("takeover, longest", longest, "ms", f"< {MOST_MS:g} ms", longest < MOST_MS),
        Figure("kills", len(outcome.takeovers), ""),
        Figure("commands spoken", len(outcome.said), ""),
        Figure("told twice", doubled, "", "0", doubled == 0),
        Figure("lost, in flight at a change", len(outcome.lost) - at_rest, ""),
        Figure("lost, otherwise", at_rest, "", "0", at_rest == 0),
    ]
    return Result(NAME, WHAT, figures)
