"""Who publishes, and what is not told twice: tables of what happens when."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from rtap.events import Transcript
from rtap.standby.rules import HOLD_SECONDS, Duty, Ledger, PeerClock, Span, Verdict

TIMEOUT = 0.5
Role = Literal["primary", "standby"]


def spoken(start: float, end: float, text: str = "call anna") -> Transcript:
    return Transcript(
        text=text,
        session_id="s",
        utterance_id="u",
        language="en",
        language_probability=1.0,
        duration=end - start,
        inference_time=0.1,
        latency=0.6,
        timestamp=end + 0.6,
        confidence=0.9,
        source="microphone",
    )


# ---- spans


def test_span_of_a_transcript() -> None:
    span = Span.of(spoken(100.0, 102.0))
    assert (span.start, span.end) == pytest.approx((100.0, 102.0))


@pytest.mark.parametrize(
    "other",
    [
        Span(100.0, 102.0),
        Span(100.2, 101.9),
        Span(99.0, 101.2),
        Span(100.9, 102.9),
        Span(100.0, 100.6),  # the other one heard two utterances
    ],
)
def test_two_spans_are_one_utterance(other: Span) -> None:
    one = Span(100.0, 102.0)
    assert one.is_same(other)
    assert other.is_same(one)


@pytest.mark.parametrize("other", [Span(101.5, 103.5), Span(102.5, 104.0), Span(90.0, 91.0)])
def test_two_spans_are_two_utterances(other: Span) -> None:
    one = Span(100.0, 102.0)
    assert not one.is_same(other)
    assert not other.is_same(one)


@pytest.mark.parametrize("delay", [-0.5, 0.5])
def test_a_short_word_on_a_card_that_is_late_is_neither_told_twice_nor_taken_for_the_next(
    delay: float,
) -> None:
    yes, no = Span(100.0, 100.8), Span(101.1, 101.9)
    assert yes.is_same(yes.shifted(delay))
    assert not yes.is_same(no.shifted(delay))


# ---- the ledger


def published(ledger: Ledger, transcript: Transcript) -> None:
    assert ledger.judge(transcript, 0.0, publishing=True) is Verdict.ASK
    assert ledger.settle(granted=True) is Verdict.PUBLISH


def test_what_the_primary_claims_is_not_told_by_the_standby_later() -> None:
    ledger = Ledger("standby")
    assert ledger.grant(Span(100.0, 102.0)) == (True, 0)
    assert ledger.judge(spoken(100.1, 101.9), 0.0, publishing=True) is Verdict.WITHHOLD


def test_what_the_standby_was_first_to_understand_is_dropped_at_the_claim() -> None:
    ledger = Ledger("standby")
    assert ledger.judge(spoken(100.1, 101.9), 0.0, publishing=False) is Verdict.HOLD
    assert ledger.judge(spoken(103.0, 104.0), 1.0, publishing=False) is Verdict.HOLD
    assert ledger.grant(Span(100.0, 102.0)) == (True, 1)
    assert [Span.of(one).start for one in ledger.release(1.0)] == pytest.approx([103.0])


def test_what_nobody_claimed_is_told_once_and_only_while_it_is_news() -> None:
    ledger = Ledger("standby")
    ledger.judge(spoken(100.0, 102.0), 10.0, publishing=False)
    ledger.judge(spoken(108.0, 109.0), 18.0, publishing=False)
    released = ledger.release(10.1 + HOLD_SECONDS)
    assert [Span.of(one).start for one in released] == pytest.approx([108.0])
    assert ledger.release(10.1 + HOLD_SECONDS) == []


def test_what_is_no_longer_news_is_forgotten() -> None:
    ledger = Ledger("standby")
    ledger.judge(spoken(100.0, 102.0), 10.0, publishing=False)
    ledger.forget(10.0 + HOLD_SECONDS + 0.1)
    assert ledger.grant(Span(100.0, 102.0)) == (True, 0)


@pytest.mark.parametrize("role", ["primary", "standby"])
def test_a_claim_to_what_was_told_already_is_refused(role: Role) -> None:
    ledger = Ledger(role)
    published(ledger, spoken(100.0, 102.0))
    assert ledger.grant(Span(100.2, 102.1)) == (False, 0)
    assert ledger.grant(Span(102.5, 104.0)) == (True, 0)


def test_a_refused_claim_is_not_published() -> None:
    ledger = Ledger("primary")
    assert ledger.judge(spoken(100.0, 102.0), 0.0, publishing=True) is Verdict.ASK
    assert ledger.settle(granted=False) is Verdict.WITHHOLD
    # It was not told here, so the other one may.
    assert ledger.grant(Span(100.0, 102.0)) == (True, 0)


def test_of_two_claims_at_once_the_primary_s_is_granted() -> None:
    primary, standby = Ledger("primary"), Ledger("standby")
    for ledger in (primary, standby):
        assert ledger.judge(spoken(100.0, 102.0), 0.0, publishing=True) is Verdict.ASK
    by_standby, _ = standby.grant(Span(100.0, 102.0))
    by_primary, _ = primary.grant(Span(100.0, 102.0))
    assert (by_standby, by_primary) == (True, False)
    assert primary.settle(granted=by_standby) is Verdict.PUBLISH
    assert standby.settle(granted=by_primary) is Verdict.WITHHOLD


def test_of_two_claims_at_once_even_a_lost_answer_makes_no_second_transcript() -> None:
    standby = Ledger("standby")
    standby.judge(spoken(100.0, 102.0), 0.0, publishing=True)
    standby.grant(Span(100.0, 102.0))
    assert standby.settle(granted=True) is Verdict.WITHHOLD


# ---- the other machine's clock


def test_the_exchange_that_took_the_shortest_time_counts() -> None:
    clock = PeerClock()
    assert clock.ahead == 0.0
    clock.add(sent=10.0, received=15.9, replied=15.9, returned=11.0)  # 0.9 s there, 0.1 s back
    assert clock.ahead == pytest.approx(5.4)
    clock.add(sent=20.0, received=25.01, replied=26.01, returned=21.02)
    assert clock.ahead == pytest.approx(5.0)
    clock.add(sent=30.0, received=35.5, replied=35.5, returned=30.6)
    assert clock.ahead == pytest.approx(5.0)


def test_a_span_on_another_clock() -> None:
    shifted = Span(100.0, 102.0).shifted(-5.0)
    assert replace(shifted) == Span(95.0, 97.0)


# ---- who publishes


class Run:
    """A duty at successive times; ready and quiet unless said otherwise."""

    def __init__(self, role: Role) -> None:
        self.duty = Duty(role, TIMEOUT)

    def at(self, now: float, *, ready: bool = True, quiet: bool = True) -> bool:
        self.duty.decide(now, ready=ready, quiet=quiet)
        return self.duty.publishing


def test_a_primary_alone_waits_for_a_standby_that_may_be_publishing() -> None:
    run = Run("primary")
    assert not run.at(10.0)
    assert not run.at(10.4)
    assert run.at(10.5)


def test_a_primary_that_is_not_ready_does_not_begin() -> None:
    run = Run("primary")
    assert not run.at(10.0, ready=False)
    assert not run.at(20.0, ready=False)
    assert not run.at(20.1)
    assert run.at(20.6)


def test_a_primary_begins_at_once_when_the_standby_says_that_it_does_not_publish() -> None:
    run = Run("primary")
    run.duty.hear(10.0, ready=True, publishing=False)
    assert run.at(10.1)


def test_a_primary_waits_until_the_standby_has_handed_it_back() -> None:
    run = Run("primary")
    for now in (10.0, 10.4, 10.8, 11.2):
        run.duty.hear(now, ready=True, publishing=True)
        assert not run.at(now)
    run.duty.hear(11.3, ready=True, publishing=False)
    assert run.at(11.3)


def test_a_primary_keeps_publishing_whatever_the_standby_does() -> None:
    run = Run("primary")
    run.at(10.0)
    assert run.at(10.6)
    run.duty.hear(10.7, ready=True, publishing=True)
    assert run.at(10.7)


def test_a_primary_that_is_not_ready_any_more_stops() -> None:
    run = Run("primary")
    run.at(10.0)
    assert run.at(10.6)
    assert not run.at(10.7, ready=False)
    run.duty.hear(10.8, ready=True, publishing=True)
    assert not run.at(10.9)


def following(run: Run, until: float) -> None:
    """A standby whose primary publishes."""
    for tenth in range(round(10 * until) + 1):
        run.duty.hear(tenth / 10, ready=True, publishing=True)
        assert not run.at(tenth / 10)


def test_a_standby_takes_over_from_a_silent_primary() -> None:
    run = Run("standby")
    following(run, 3.0)
    assert not run.at(3.45)
    assert run.at(3.55)


def test_a_standby_takes_over_while_somebody_speaks() -> None:
    run = Run("standby")
    following(run, 3.0)
    assert run.at(3.55, quiet=False)


def test_a_standby_takes_over_at_once_from_a_primary_that_was_stopped() -> None:
    run = Run("standby")
    following(run, 3.0)
    run.duty.hear_goodbye()
    assert run.at(3.01)
    assert not run.duty.has_peer(3.01)


def test_a_standby_takes_over_at_once_from_a_primary_that_is_not_ready() -> None:
    run = Run("standby")
    following(run, 3.0)
    run.duty.hear(3.1, ready=False, publishing=False)
    assert run.at(3.1)


def test_a_standby_gives_a_primary_time_to_load_its_model() -> None:
    run = Run("standby")
    for now in range(1, 11):
        run.duty.hear(now, ready=False, publishing=False)
        assert not run.at(now)
    run.duty.hear(11.1, ready=False, publishing=False)
    assert run.at(11.1)


def test_a_standby_that_is_not_ready_does_not_take_over() -> None:
    run = Run("standby")
    following(run, 3.0)
    assert not run.at(4.0, ready=False)
    assert not run.at(4.1)
    assert run.at(4.6)


def test_a_standby_without_a_primary_publishes() -> None:
    run = Run("standby")
    assert not run.at(1.0)
    assert run.at(1.5)


def test_a_standby_hands_back_in_silence() -> None:
    run = Run("standby")
    following(run, 1.0)
    assert run.at(2.0)
    run.duty.hear(5.0, ready=False, publishing=False)
    assert run.at(5.0)
    run.duty.hear(5.1, ready=True, publishing=False)
    assert run.at(5.1, quiet=False)
    run.duty.hear(5.2, ready=True, publishing=False)
    assert not run.at(5.2)
    run.duty.hear(5.3, ready=True, publishing=False)
    assert not run.at(5.3)  # the primary has been told a moment ago
    following_primary = [5.4, 5.5]
    for now in following_primary:
        run.duty.hear(now, ready=True, publishing=True)
        assert not run.at(now)


def test_a_standby_takes_it_again_when_the_primary_does_not() -> None:
    run = Run("standby")
    following(run, 1.0)
    assert run.at(2.0)
    for tenth in range(50, 56):
        run.duty.hear(tenth / 10, ready=True, publishing=False)
        run.at(tenth / 10)
        assert not run.duty.publishing
    run.duty.hear(5.6, ready=True, publishing=False)
    assert run.at(5.6)


def test_a_standby_gives_way_at_once_to_a_primary_that_was_never_dead() -> None:
    run = Run("standby")
    following(run, 1.0)
    assert run.at(2.0)
    run.duty.hear(2.1, ready=True, publishing=True)
    assert not run.at(2.1, quiet=False)


def test_the_reason_is_told_once() -> None:
    duty = Duty("standby", TIMEOUT)
    assert duty.decide(0.0, ready=True, quiet=True) is None
    reason = duty.decide(1.0, ready=True, quiet=True)
    assert reason == "nothing was heard of the primary for 0.5 s"
    assert duty.decide(1.1, ready=True, quiet=True) is None
    assert duty.heartbeat_age(1.1) is None
    duty.hear(1.2, ready=True, publishing=True)
    assert duty.decide(1.3, ready=True, quiet=True) == "the primary is back"
    assert duty.heartbeat_age(1.5) == pytest.approx(0.3)
