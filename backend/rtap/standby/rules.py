"""Two instances hear the same cabin, and one of them publishes: who does, and how nothing is told twice.

The primary publishes whenever it is able to, the standby while the primary is not. Before either publishes
a transcript it claims the stretch of time in which it was spoken, and the other one grants the claim unless
it has told that stretch itself. So what the primary may have published before it died is known here, and
everything else is the standby's to tell.

Pure: reads no clock and no socket; :mod:`rtap.standby.link` runs it. Two kinds of time come in:
``now`` is a clock that never goes back, spans are seconds since the epoch, on this machine's clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtap.events import Transcript

HOLD_SECONDS: Final = 5.0
"""A transcript that the other one did not claim for so long is no longer news."""
LOADING_SECONDS: Final = 10.0
"""What a primary has for getting ready when both were started together."""
_REMEMBERED: Final = 64
"""Spans that are kept of each side: minutes of uninterrupted speech."""
_SAME_SHARE: Final = 0.3
"""Two spans are one utterance when they share more than this of the shorter one. Sound cards differ by up to
half a second in what they say of their delay, a "yes" with its margin lasts 0.8 s, and between two utterances
lie 0.3 s or more: so much either kind of mistake needs."""
_CLOCK_SAMPLES: Final = 20


@dataclass(frozen=True, slots=True)
class Span:
    """When an utterance was spoken; seconds since the epoch."""

    start: float
    end: float

    @classmethod
    def of(cls, transcript: Transcript) -> Self:
        """Of what was transcribed."""
        end = transcript.timestamp - transcript.latency
        return cls(end - transcript.duration, end)

    def is_same(self, other: Span) -> bool:
        """Whether both are one utterance, heard twice."""
        shared = min(self.end, other.end) - max(self.start, other.start)
        shorter = min(self.end - self.start, other.end - other.start)
        return shared > _SAME_SHARE * shorter

    def shifted(self, seconds: float) -> Span:
        """The same span on a clock that shows so much more."""
        return Span(self.start + seconds, self.end + seconds)

    def is_told_in(self, spans: Iterable[Span]) -> bool:
        """Whether it is one of these."""
        return any(self.is_same(span) for span in spans)


class Verdict(Enum):
    """What becomes of a transcript."""

    PUBLISH = auto()
    """It was claimed and granted, or there is nobody to ask."""
    ASK = auto()
    """It is to be claimed first."""
    HOLD = auto()
    """The other one is to tell it; kept in case it cannot."""
    WITHHOLD = auto()
    """The other one has told it."""


class Ledger:
    """Who told what, lately."""

    def __init__(self, role: Literal["primary", "standby"]) -> None:
        self._yields = role == "standby"
        self._mine: deque[Span] = deque(maxlen=_REMEMBERED)
        self._theirs: deque[Span] = deque(maxlen=_REMEMBERED)
        self._asked: Span | None = None
        self._held: list[tuple[Transcript, float]] = []

    def judge(self, transcript: Transcript, now: float, *, publishing: bool) -> Verdict:
        """What becomes of a new transcript; it is kept where the answer is to hold it."""
        span = Span.of(transcript)
        if span.is_told_in(self._theirs):
            return Verdict.WITHHOLD
        if not publishing:
            self._held.append((transcript, now))
            return Verdict.HOLD
        self._asked = span
        return Verdict.ASK

    def settle(self, *, granted: bool) -> Verdict:
        """The answer to the claim that :meth:`judge` asked for, or that no answer will come: granted."""
        span, self._asked = self._asked, None
        # The primary's own claim to the same words may have come in meanwhile.
        if span is None or not granted or span.is_told_in(self._theirs):
            return Verdict.WITHHOLD
        self._mine.append(span)
        return Verdict.PUBLISH

    def grant(self, span: Span) -> tuple[bool, int]:
        """Answer the other one's claim.

        Returns:
            Whether it may tell it, and how many transcripts that were held here are not needed any more.
        """
        if span.is_told_in(self._mine):
            return False, 0
        if self._asked is not None and span.is_same(self._asked) and not self._yields:
            return False, 0
        self._theirs.append(span)
        kept = [item for item in self._held if not Span.of(item[0]).is_same(span)]
        dropped = len(self._held) - len(kept)
        self._held = kept
        return True, dropped

    def release(self, now: float) -> list[Transcript]:
        """What was held and is still news, for who has just begun to publish."""
        held, self._held = self._held, []
        return [transcript for transcript, since in held if now - since <= HOLD_SECONDS]

    def forget(self, now: float) -> None:
        """Drop what is no longer news."""
        self._held = [item for item in self._held if now - item[1] <= HOLD_SECONDS]


class PeerClock:
    """How far the other machine's clock is ahead, after NTP (RFC 5905, section 8)."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=_CLOCK_SAMPLES)

    @property
    def ahead(self) -> float:
        """Seconds; from the exchange that took the shortest time, 0 before the first."""
        return min(self._samples)[1] if self._samples else 0.0

    def add(self, sent: float, received: float, replied: float, returned: float) -> None:
        """One exchange: what was sent and returned by this clock was received and replied to by the other."""
        round_trip = (returned - sent) - (replied - received)
        self._samples.append((round_trip, ((received - sent) + (replied - returned)) / 2))


@dataclass(slots=True)
class _Peer:
    heard_at: float | None = None
    """None: never."""
    stopped: bool = False
    """Whether it has said goodbye."""
    ready: bool = False
    publishing: bool = False
    idle_since: float = 0.0
    """Since when it has been ready without publishing."""
    was_ready: bool = False
    """Whether it ever was: at first it has a model to load."""


class Duty:
    """Whether this instance publishes.

    Args:
        timeout: seconds after which a silent peer is taken for dead.
    """

    def __init__(self, role: Literal["primary", "standby"], timeout: float) -> None:
        self.role = role
        self.publishing = False
        self._timeout = timeout
        self._peer = _Peer()
        self._ready_since: float | None = None

    def hear(self, now: float, *, ready: bool, publishing: bool) -> None:
        """A heartbeat of the peer."""
        if not self._peer.ready or publishing:
            self._peer.idle_since = now
        self._peer = _Peer(
            heard_at=now,
            ready=ready,
            publishing=publishing,
            idle_since=self._peer.idle_since,
            was_ready=self._peer.was_ready or ready,
        )

    def hear_goodbye(self) -> None:
        """The peer is being stopped."""
        self._peer = _Peer(stopped=True)

    def heartbeat_age(self, now: float) -> float | None:
        """Seconds since the peer was heard; None: never."""
        return None if self._peer.heard_at is None else now - self._peer.heard_at

    def has_peer(self, now: float) -> bool:
        """Whether the peer is alive."""
        age = self.heartbeat_age(now)
        return age is not None and age <= self._timeout

    def decide(self, now: float, *, ready: bool, quiet: bool) -> str | None:
        """See to it that one of the two publishes; to be called at every heartbeat and after every message.

        Args:
            ready: whether this instance hears and understands.
            quiet: whether nobody is speaking, and nothing that was said is still to be published.

        Returns:
            Why :attr:`publishing` has changed; None where it has not.
        """
        if not ready:
            self._ready_since = None
            return self._change("this instance is not ready") if self.publishing else None
        if self._ready_since is None:
            self._ready_since = now
        reason = self._reason_to_stop(now, quiet) if self.publishing else self._reason_to_start(now)
        return None if reason is None else self._change(reason)

    def _reason_to_start(self, now: float) -> str | None:
        peer, ready_since = self._peer, self._ready_since
        assert ready_since is not None
        other = "standby" if self.role == "primary" else "primary"
        if peer.stopped:
            return f"the {other} was stopped"
        if not self.has_peer(now):
            is_dead = now - max(ready_since, peer.heard_at or ready_since) >= self._timeout
            return f"nothing was heard of the {other} for {self._timeout:g} s" if is_dead else None
        if peer.publishing:
            return None
        if self.role == "primary":
            return "the standby does not publish"
        return None if self._may_begin_yet(now, ready_since) else "the primary is not ready"

    def _may_begin_yet(self, now: float, ready_since: float) -> bool:
        """Whether the primary is alive and only needs a moment."""
        if self._peer.ready:
            return now - self._peer.idle_since <= self._timeout
        return not self._peer.was_ready and now - ready_since <= LOADING_SECONDS

    def _reason_to_stop(self, now: float, quiet: bool) -> str | None:  # noqa: FBT001 (one caller)
        peer = self._peer
        if self.role == "primary" or not self.has_peer(now):
            return None
        if peer.publishing or (peer.ready and quiet):
            # The time that it has for taking over begins now.
            peer.idle_since = now
            return "the primary is back"
        return None

    def _change(self, reason: str) -> str:
        self.publishing = not self.publishing
        return reason
