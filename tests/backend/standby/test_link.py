"""Two links in one process, with real sockets between them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest
import zmq

from rtap.config import OutputConfig, StandbyConfig
from rtap.errors import TransportError
from rtap.events import Event, PublishingChanged, State, StateChanged, Transcript
from rtap.standby.link import Instance, StandbyLink
from rtap.standby.rules import Span
from rtap.telemetry import Telemetry
from tests.backend.transports.sample_events import LISTENING, TRANSCRIPT
from tests.backend.transports.serving import wait_until, wait_until_still

CONFIG = StandbyConfig(port=0, heartbeat_ms=20, timeout_ms=200)


def said(text: str, ago: float = 0.5) -> Transcript:
    now = time.time()
    return replace(TRANSCRIPT, text=text, timestamp=now, latency=ago, duration=0.4)


@dataclass
class Side:
    """One instance: what it published, and how it is."""

    published: list[Event] = field(default_factory=list)
    telemetry: Telemetry = field(default_factory=Telemetry)
    ready: bool = True
    quiet: bool = True
    link: StandbyLink = field(init=False)

    def start(self, config: StandbyConfig, output: OutputConfig | None = None) -> None:
        instance = Instance(lambda: self.ready, lambda: self.quiet, self.published.append)
        self.link = StandbyLink(config, output or OutputConfig(), instance, self.telemetry)
        self.link.start()

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.published if isinstance(event, Transcript)]

    def metric(self, name: str) -> float:
        lines = self.telemetry.exposition().decode().splitlines()
        [value] = [line.split()[1] for line in lines if line.startswith(f"rtap_standby_{name} ")]
        return float(value)


class Pair:
    """A primary that publishes, and its standby."""

    def __init__(self, stack: ExitStack, api_key: str = "") -> None:
        self._stack = stack
        self.output = OutputConfig(api_key=api_key)
        self.primary, self.standby = Side(), Side()
        self.primary.start(replace(CONFIG, role="primary"), self.output)
        self.port = self.primary.link.port
        stack.callback(self.primary.link.stop)
        self.start_standby(self.output)

    def start_standby(self, output: OutputConfig) -> None:
        self.standby.start(replace(CONFIG, role="standby", port=self.port), output)
        self._stack.callback(self.standby.link.stop)

    def wait_until_settled(self) -> None:
        wait_until(
            lambda: (
                self.primary.link.publishing
                and not self.standby.link.publishing
                and self.standby.metric("peer_connected") == 1
                and self.primary.metric("peer_connected") == 1
            )
        )
        self.primary.published.clear()
        self.standby.published.clear()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as one:
        yield one


@pytest.fixture
def pair(stack: ExitStack) -> Pair:
    one = Pair(stack)
    one.wait_until_settled()
    return one


def test_only_the_primary_publishes(pair: Pair) -> None:
    transcript = said("call anna")
    for side in (pair.standby, pair.primary):
        side.link.offer(LISTENING)
        side.link.offer(transcript)
    wait_until(lambda: pair.standby.metric("withheld_total") == 1)
    wait_until(lambda: pair.primary.published == [LISTENING, transcript])
    assert pair.standby.published == []
    wait_until(lambda: pair.primary.metric("publishing") == 1)
    assert pair.standby.metric("publishing") == 0


def test_events_stay_behind_the_transcript_that_waits_for_its_answer(pair: Pair) -> None:
    first, second = said("one", ago=1.0), said("two", ago=0.2)
    idle = StateChanged(State.EMIT, State.IDLE, "published", 1.0)
    for event in (LISTENING, first, idle, second, idle):
        pair.primary.link.offer(event)
    wait_until(lambda: len(pair.primary.published) == 5)
    assert pair.primary.published == [LISTENING, first, idle, second, idle]


def test_a_primary_that_is_stopped_hands_over_at_once(pair: Pair) -> None:
    told = said("call anna", ago=1.5)
    pair.primary.link.offer(told)
    pair.primary.link.stop()
    assert pair.primary.texts == ["call anna"]
    wait_until(lambda: pair.standby.link.publishing)
    [change] = pair.standby.published
    assert isinstance(change, PublishingChanged)
    assert (change.publishing, change.reason) == (True, "the primary was stopped")
    pair.standby.link.offer(told)
    pair.standby.link.offer(said("go home", ago=0.5))
    wait_until(lambda: pair.standby.texts == ["go home"])
    wait_until(lambda: pair.standby.metric("takeovers_total") == 1)


def test_what_is_offered_after_the_end_is_lost_and_breaks_nothing(pair: Pair) -> None:
    pair.primary.link.stop()
    pair.primary.link.offer(said("call anna"))
    assert pair.primary.texts == []


def test_what_the_primary_did_not_live_to_tell_is_told_by_the_standby(pair: Pair) -> None:
    pair.standby.link.offer(said("go home"))
    wait_until_still(lambda: list(pair.standby.published))
    assert pair.standby.published == []
    pair.primary.link.stop()
    wait_until(lambda: pair.standby.texts == ["go home"])


def test_the_primary_gets_it_back_in_silence(pair: Pair) -> None:
    pair.primary.ready = False
    wait_until(lambda: pair.standby.link.publishing)
    assert not pair.primary.link.publishing
    pair.standby.quiet = False
    # The primary has heard of the takeover by then.
    wait_until_still(lambda: pair.primary.link.publishing)
    pair.primary.ready = True
    wait_until_still(lambda: pair.standby.link.publishing)
    assert pair.standby.link.publishing
    pair.standby.quiet = True
    wait_until(lambda: pair.primary.link.publishing and not pair.standby.link.publishing)
    wait_until(lambda: pair.standby.metric("handbacks_total") == 1)
    wait_until(lambda: pair.primary.metric("takeovers_total") == 2)


def test_what_the_standby_told_is_not_told_by_the_primary_that_comes_back(pair: Pair) -> None:
    transcript = said("call anna")
    pair.primary.ready = False
    wait_until(lambda: pair.standby.link.publishing)
    pair.standby.link.offer(transcript)
    wait_until(lambda: pair.standby.texts == ["call anna"])
    wait_until_still(lambda: pair.primary.link.publishing)
    pair.primary.ready = True
    wait_until(lambda: pair.primary.link.publishing)
    pair.primary.link.offer(transcript)
    wait_until(lambda: pair.primary.metric("withheld_total") == 1)
    assert pair.primary.texts == []


def test_a_primary_without_a_standby_publishes(stack: ExitStack) -> None:
    alone = Side()
    alone.start(replace(CONFIG, role="primary"))
    stack.callback(alone.link.stop)
    wait_until(lambda: alone.link.publishing)
    alone.link.offer(said("call anna"))
    wait_until(lambda: alone.texts == ["call anna"])
    assert alone.metric("peer_connected") == 0


def test_both_need_the_same_key(stack: ExitStack) -> None:
    pair = Pair(stack, api_key="secret")
    pair.wait_until_settled()
    pair.standby.link.stop()
    pair.standby = Side()
    pair.start_standby(OutputConfig(api_key="wrong"))
    wait_until(lambda: pair.standby.link.publishing)  # it never hears of the primary
    assert pair.standby.metric("peer_connected") == 0


def test_what_is_no_message_changes_nothing(pair: Pair, stack: ExitStack) -> None:
    context = stack.enter_context(zmq.Context())
    stranger = stack.enter_context(context.socket(zmq.DEALER))
    stranger.linger = 0
    stranger.connect(f"tcp://127.0.0.1:{pair.port}")
    for text in (b"", b"{", b"\xff", b'{"type":"claim"}', json.dumps({"type": "x"}).encode()):
        stranger.send(text)
    stranger.send_multipart([b"a", b"b", b"c"])
    wait_until(
        lambda: (
            'error_type="bad_message",stage="standby"} 6.0'
            in pair.primary.telemetry.exposition().decode()
        )
    )
    pair.primary.link.offer(said("call anna"))
    wait_until(lambda: pair.primary.texts == ["call anna"])


def test_a_port_in_use(pair: Pair) -> None:
    with pytest.raises(TransportError, match=r"change output\.host or standby\.port"):
        Side().start(replace(CONFIG, role="primary", port=pair.port))


def test_a_primary_that_is_no_address() -> None:
    with pytest.raises(TransportError, match=r"standby\.primary is no host"):
        Side().start(replace(CONFIG, role="standby", primary="no host"))


def test_alone_there_is_no_link() -> None:
    with pytest.raises(ValueError, match="alone"):
        Side().start(CONFIG)


def test_what_an_instance_says_itself_is_not_told_by_the_other(pair: Pair) -> None:
    answer = said("the temperature is 21 degrees")
    pair.standby.link.offer(answer)
    pair.primary.link.disown(Span.of(answer))
    wait_until(lambda: pair.standby.metric("withheld_total") == 1)
    pair.standby.link.offer(said("louder", ago=0.05))
    pair.primary.link.stop()
    wait_until(lambda: bool(pair.standby.texts))
    assert pair.standby.texts == ["louder"]
