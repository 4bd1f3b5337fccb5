"""A primary and its standby as processes that hear the same microphone, and die or freeze under traffic."""

from __future__ import annotations

import shutil
import signal
import time

import pytest

from tools.benchmarks.service import standby
from tools.benchmarks.service.speech import phrases
from tools.benchmarks.service.standby_rig import ROLES, Subscriber, Talker, pair, wait_for
from tools.gui.virtual_microphone import virtual_microphone

_MISSING = [one for one in ("pulseaudio", "paplay") if shutil.which(one) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(_MISSING),
        reason=f"{_MISSING} missing: apt-get install pulseaudio pulseaudio-utils libasound2-plugins",
    ),
]


def test_a_primary_that_is_killed() -> None:
    outcome = standby.run(kills=2, seed=1)
    assert len(outcome.takeovers) == 2
    assert len(outcome.said) >= 2
    assert {heard.role for heard in outcome.heard} == {"primary", "standby"}
    assert outcome.doubled == []
    assert outcome.lost_at_rest == []


def test_a_primary_that_freezes_and_goes_on_tells_nothing_twice() -> None:
    with virtual_microphone() as microphone, pair(microphone) as (both, place):
        for role in ROLES:
            both.start(role)
        with Subscriber(both.ports) as subscriber:
            wait_for(lambda: subscriber.publishes("primary"), "a start", both)
            with Talker(microphone, phrases(), place, seed=2) as talker:
                wait_for(lambda: len(subscriber.heard) >= 1, "a first transcript", both)
                both.signal("primary", signal.SIGSTOP)
                wait_for(lambda: subscriber.publishes("standby"), "the takeover", both)
                told = len(subscriber.heard)
                wait_for(lambda: len(subscriber.heard) > told, "the standby's transcript", both)
                both.signal("primary", signal.SIGCONT)
                wait_for(lambda: not subscriber.publishes("standby"), "the return", both)
                told = len(subscriber.heard)
                wait_for(lambda: len(subscriber.heard) > told, "the primary's transcript", both)
            time.sleep(standby.SETTLING)
        outcome = standby.Outcome(talker.said, subscriber.heard, [], [])
        assert outcome.doubled == []
        assert subscriber.heard[-1].role == "primary"
