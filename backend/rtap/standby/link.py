"""Hot standby over ZeroMQ: heartbeats and claims between two instances, and the gate before the bus.

The primary binds a ROUTER socket on ``standby.port``, its standby connects a DEALER; both say several times
a second how they are. A message is one JSON object. Where an API key is configured, both need the same one.
All decisions are :mod:`rtap.standby.rules`'s; everything happens in one thread, so that what was heard of the
other one always comes before what is decided.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

import zmq
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rtap import logs
from rtap.errors import TransportError
from rtap.events import Event, PublishingChanged, Transcript
from rtap.standby.rules import Duty, Ledger, PeerClock, Span, Verdict
from rtap.transports.zeromq.sockets import admit, bind, open_gate, protect

if TYPE_CHECKING:
    from rtap.config import OutputConfig, StandbyConfig
    from rtap.telemetry import Telemetry

_log = logs.get("standby")

_CLAIM_SECONDS: Final = 0.1
"""Who does not answer a claim within this time will not have published."""
_RECONNECT_MS: Final = 50
_LONGEST_RECONNECT_MS: Final = 500
_CONNECT_MS: Final = 1_000
"""A host that is switched off does not even refuse."""
_DEAD_CONNECTION_MS: Final = 2_000
_GOODBYE_SECONDS: Final = 0.05
"""For the last message to leave. ZeroMQ could wait by itself, but once it was seen to wait forever, in a test
that closed both sides at the same moment."""
_QUEUED: Final = 100


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Heartbeat(_Message):
    """How the sender is. Times are seconds since the epoch on the sender's clock."""

    type: Literal["heartbeat"] = "heartbeat"
    ready: bool
    publishing: bool
    sent: float
    echo: float | None = None
    """``sent`` of the last heartbeat that came from the receiver."""
    echo_received: float | None = None
    """When that one came."""


class Claim(_Message):
    """The sender is about to publish what was said then, by its own clock."""

    type: Literal["claim"] = "claim"
    id: int
    start: float
    end: float


class Answer(_Message):
    """To a claim."""

    type: Literal["answer"] = "answer"
    id: int
    granted: bool


class Goodbye(_Message):
    """The sender is being stopped, and has published all that it will."""

    type: Literal["goodbye"] = "goodbye"


Message = Heartbeat | Claim | Answer | Goodbye
_MESSAGES: Final[TypeAdapter[Message]] = TypeAdapter(
    Annotated[Message, Field(discriminator="type")]
)


@dataclass(frozen=True, slots=True)
class Instance:
    """What the link has to know of the instance that it belongs to. Called in the link's thread."""

    is_ready: Callable[[], bool]
    """Whether it hears and understands."""
    is_quiet: Callable[[], bool]
    """Whether nobody is speaking and nothing is being transcribed."""
    publish: Callable[[Event], None]
    """Hands an event to the bus."""


@dataclass(frozen=True, slots=True)
class _Asked:
    id: int
    transcript: Transcript
    deadline: float


class StandbyLink:
    """Started and stopped once. :meth:`offer` is for any thread."""

    def __init__(
        self,
        config: StandbyConfig,
        output: OutputConfig,
        instance: Instance,
        telemetry: Telemetry,
    ) -> None:
        if config.role == "none":
            raise ValueError("an instance that is alone needs no link")
        self._config = config
        self._output = output
        self._instance = instance
        self._telemetry = telemetry
        self._duty = Duty(config.role, config.timeout_ms / 1000)
        self._ledger = Ledger(config.role)
        self._clock = PeerClock()
        self._heartbeat_seconds = config.heartbeat_ms / 1000
        self._queue: deque[Event] = deque()
        self._spoken: deque[Span] = deque(maxlen=_QUEUED)
        """When this instance itself was heard, as far as the other one does not know it yet."""
        self._asked: _Asked | None = None
        self._claims = 0
        self._last: Heartbeat | None = None
        self._last_received = 0.0
        self._peer = b""
        """ROUTER's name for the standby."""
        self._context: zmq.SyncContext | None = None
        self._socket: zmq.SyncSocket | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._wake = -1
        self._waking = threading.Lock()
        """Held while the descriptor is written to or closed: what is said last may come late."""
        self.port = 0
        """The primary's port in use, from :meth:`start` on."""

    @property
    def publishing(self) -> bool:
        """Whether this instance publishes what its microphone hears."""
        return self._duty.publishing

    def start(self) -> None:
        """Listen, or look for the primary.

        Raises:
            TransportError: the port is in use or not ours, or there is no such host.
        """
        context = zmq.Context(io_threads=1)
        try:
            gate = open_gate(context) if self._is_guarded else None
            self._socket = self._bind(context) if self._is_primary else self._connect(context)
        except BaseException:
            context.destroy(linger=0)
            raise
        self._context = context
        self._telemetry.standby_publishing(publishing=False, counted=False)
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, args=(gate,), name="standby")
        self._thread.start()

    def stop(self) -> None:
        """Publish what was offered so far, and let the other one take over at once."""
        context, self._context = self._context, None
        if context is None or self._thread is None:
            return
        self._stopping.set()
        self._wake_up()
        self._thread.join()
        with self._waking:
            os.close(self._wake)
            self._wake = -1
        context.term()

    def offer(self, event: Event) -> None:
        """Publish an event of the microphone's if that is this instance's duty."""
        self._queue.append(event)
        self._wake_up()

    def disown(self, span: Span) -> None:
        """Have the other instance take for told what it hears in a span: it is this one that speaks."""
        self._spoken.append(span)
        self._wake_up()

    # ---- sockets

    @property
    def _is_primary(self) -> bool:
        return self._config.role == "primary"

    @property
    def _is_guarded(self) -> bool:
        return self._is_primary and bool(self._output.api_key)

    def _bind(self, context: zmq.SyncContext) -> zmq.SyncSocket:
        router = context.socket(zmq.ROUTER)
        self._set_up(router)
        self.port = bind(router, self._output, self._config.port, "standby.port")
        return router

    def _connect(self, context: zmq.SyncContext) -> zmq.SyncSocket:
        dealer = context.socket(zmq.DEALER)
        self._set_up(dealer)
        if self._output.api_key:
            dealer.plain_username = b"standby"
            dealer.plain_password = self._output.api_key.encode()
        host, port = self._config.primary, self._config.port
        try:
            dealer.connect(f"tcp://{f'[{host}]' if ':' in host else host}:{port}")
        except zmq.ZMQError as error:
            raise TransportError(
                f"standby.primary is {host}, which is no address ({error.strerror}): give the primary's "
                f"name or IP address"
            ) from error
        return dealer

    def _set_up(self, one: zmq.SyncSocket) -> None:
        one.ipv6 = True
        protect(one)
        one.sndhwm = one.rcvhwm = _QUEUED
        # What was meant for a connection that is gone is of no use to the next.
        one.immediate = True
        one.reconnect_ivl = _RECONNECT_MS
        one.reconnect_ivl_max = _LONGEST_RECONNECT_MS
        one.connect_timeout = _CONNECT_MS
        # TCP itself notices only after minutes that a machine was switched off.
        one.heartbeat_ivl = _DEAD_CONNECTION_MS // 4
        one.heartbeat_timeout = _DEAD_CONNECTION_MS

    def _wake_up(self) -> None:
        with self._waking:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    # ---- the thread

    def _run(self, gate: zmq.SyncSocket | None) -> None:
        link = self._socket
        assert link is not None
        poller = zmq.Poller()
        for one in filter(None, (self._wake, link, gate)):
            poller.register(one, zmq.POLLIN)
        next_heartbeat = time.monotonic()
        with contextlib.ExitStack() as stack:
            for one in filter(None, (link, gate)):
                stack.callback(one.close, 0)
            while True:
                wait = max(0.0, self._next_deadline(next_heartbeat) - time.monotonic())
                ready = dict(poller.poll(math.ceil(1000 * wait)))
                if gate is not None and gate in ready:
                    admit(gate, self._output.api_key)
                if self._wake in ready:
                    os.eventfd_read(self._wake)
                stopping = self._stopping.is_set()
                self._receive(link)
                has_changed = self._decide()
                self._pump(link)
                self._tell_spoken(link)
                if stopping and not self._queue and self._asked is None:
                    if self._send(link, Goodbye()):
                        time.sleep(_GOODBYE_SECONDS)
                    return
                if has_changed or time.monotonic() >= next_heartbeat:
                    next_heartbeat = time.monotonic() + self._heartbeat_seconds
                    self._beat(link)

    def _next_deadline(self, next_heartbeat: float) -> float:
        return next_heartbeat if self._asked is None else min(next_heartbeat, self._asked.deadline)

    def _receive(self, link: zmq.SyncSocket) -> None:
        while True:
            try:
                *sender, text = link.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                message = _MESSAGES.validate_json(text)
            except ValidationError:
                _log.warning("a message of the other instance is not understood")
                self._telemetry.error("standby", "bad_message")
                continue
            if sender:
                self._peer = sender[0]
            self._take(link, message)

    def _take(self, link: zmq.SyncSocket, message: Message) -> None:
        if isinstance(message, Heartbeat):
            self._take_heartbeat(message)
        elif isinstance(message, Claim):
            span = Span(message.start, message.end).shifted(-self._clock.ahead)
            granted, dropped = self._ledger.grant(span)
            self._telemetry.standby_withheld(dropped)
            self._send(link, Answer(id=message.id, granted=granted))
        elif isinstance(message, Answer):
            if self._asked is not None and self._asked.id == message.id:
                self._settle(granted=message.granted)
        else:
            self._duty.hear_goodbye()

    def _take_heartbeat(self, heartbeat: Heartbeat) -> None:
        received = time.time()
        if heartbeat.echo is not None and heartbeat.echo_received is not None:
            self._clock.add(heartbeat.echo, heartbeat.echo_received, heartbeat.sent, received)
        self._last, self._last_received = heartbeat, received
        self._duty.hear(time.monotonic(), ready=heartbeat.ready, publishing=heartbeat.publishing)

    def _decide(self) -> bool:
        """Whether the duty has changed."""
        now = time.monotonic()
        is_quiet = not self._queue and self._asked is None and self._instance.is_quiet()
        reason = self._duty.decide(now, ready=self._instance.is_ready(), quiet=is_quiet)
        self._ledger.forget(now)
        self._telemetry.standby_peer(self._duty.heartbeat_age(now), self._duty.has_peer(now))
        if reason is None:
            return False
        publishing = self._duty.publishing
        _log.warning("publishing begins" if publishing else "publishing ends", reason=reason)
        self._telemetry.standby_publishing(publishing=publishing)
        self._instance.publish(PublishingChanged(publishing, reason, time.time()))
        if publishing:
            self._queue.extendleft(reversed(self._ledger.release(now)))
        return True

    def _pump(self, link: zmq.SyncSocket) -> None:
        """Publish or drop what was offered, in its order: what comes after a claim waits for the answer."""
        if self._asked is not None and time.monotonic() >= self._asked.deadline:
            self._settle(granted=True)
        while self._queue and self._asked is None:
            event = self._queue.popleft()
            if isinstance(event, Transcript):
                self._judge(link, event)
            elif self._duty.publishing:
                self._instance.publish(event)

    def _tell_spoken(self, link: zmq.SyncSocket) -> None:
        """Claim what this instance has said itself; the answers are nobody's."""
        while self._spoken:
            span = self._spoken.popleft()
            self._claims += 1
            self._send(link, Claim(id=self._claims, start=span.start, end=span.end))

    def _judge(self, link: zmq.SyncSocket, transcript: Transcript) -> None:
        now = time.monotonic()
        verdict = self._ledger.judge(transcript, now, publishing=self._duty.publishing)
        if verdict is Verdict.ASK:
            self._claims += 1
            self._asked = _Asked(self._claims, transcript, now + _CLAIM_SECONDS)
            span = Span.of(transcript)
            claim = Claim(id=self._claims, start=span.start, end=span.end)
            if not self._duty.has_peer(now) or not self._send(link, claim):
                self._settle(granted=True)
        elif verdict is Verdict.WITHHOLD:
            self._telemetry.standby_withheld(1)

    def _settle(self, *, granted: bool) -> None:
        """Publish what was claimed, or not."""
        asked, self._asked = self._asked, None
        assert asked is not None
        if self._ledger.settle(granted=granted) is Verdict.PUBLISH:
            self._instance.publish(asked.transcript)
        else:
            self._telemetry.standby_withheld(1)

    def _beat(self, link: zmq.SyncSocket) -> None:
        last = self._last
        heartbeat = Heartbeat(
            ready=self._instance.is_ready(),
            publishing=self._duty.publishing,
            sent=time.time(),
            echo=None if last is None else last.sent,
            echo_received=None if last is None else self._last_received,
        )
        self._send(link, heartbeat)

    def _send(self, link: zmq.SyncSocket, message: Message) -> bool:
        """Whether there is a connection that takes it."""
        if self._is_primary and not self._peer:
            return False
        parts = [self._peer] if self._is_primary else []
        try:
            link.send_multipart([*parts, message.model_dump_json().encode()], zmq.NOBLOCK)
        except zmq.ZMQError:
            return False  # there is none, or it does not read
        return True
