"""ZeroMQ PUB sockets: 6552 for all events but final transcripts, 6553 for these and nothing else.

A message has two parts: the topic (see :func:`rtap.transports.schemas.topic_of`) and one JSON object. Where
an API key is configured, subscribers send it as the password of ZeroMQ's PLAIN mechanism, with any user name.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass
from typing import Final

import zmq

from rtap import logs
from rtap.bus import EventBus, Subscription
from rtap.config import OutputConfig
from rtap.events import Event, Transcript
from rtap.telemetry import Telemetry
from rtap.transports.schemas import event_message, topic_of
from rtap.transports.zeromq.sockets import admit, bind, open_gate

_log = logs.get("zmq")

_TRANSPORT: Final = "zmq"
_LINGER_MS: Final = 500
"""How long closing waits for subscribers to fetch what was sent last."""
_QUEUE_PER_SUBSCRIBER: Final = 1_000
"""Messages; ZeroMQ drops what goes beyond."""


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports that the sockets are bound to."""

    events: int
    transcripts: int


class ZmqPublisher:
    """Publishes what happens on the bus, in a thread of its own. Started and stopped once.

    Port 0 in the configuration is any free port.
    """

    def __init__(self, config: OutputConfig, bus: EventBus, telemetry: Telemetry) -> None:
        self._config = config
        self._bus = bus
        self._telemetry = telemetry
        self._context: zmq.SyncContext | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._wake = -1
        self.ports = Ports(0, 0)
        """The ports in use, from :meth:`start` on."""

    def start(self) -> None:
        """Bind both ports, and publish what happens from now on.

        Raises:
            TransportError: a port is in use or not ours, or the host has no such address.
        """
        context = zmq.Context(io_threads=1)
        try:
            gate = open_gate(context) if self._config.api_key else None
            events, events_port = self._bind(context, "zmq_pub_port_events")
            transcripts, transcripts_port = self._bind(context, "zmq_pub_port_transcripts")
        except BaseException:
            context.destroy(linger=0)
            raise
        self._context = context
        self.ports = Ports(events_port, transcripts_port)
        # The poll in the thread can wait for it, and unlike a socket any thread may write to it.
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        subscription = self._bus.subscribe(self._wake_up)
        # From here on the sockets are the thread's.
        self._thread = threading.Thread(
            target=self._run, args=(subscription, events, transcripts, gate), name="zmq"
        )
        self._thread.start()

    def stop(self) -> None:
        """Send what was published so far, for half a second at most, and close the ports."""
        context, self._context = self._context, None
        if context is None or self._thread is None:
            return
        self._stopping.set()
        self._wake_up()
        self._thread.join()
        os.close(self._wake)
        context.term()  # waits until all is sent, or has lingered

    def _wake_up(self) -> None:
        os.eventfd_write(self._wake, 1)

    def _bind(self, context: zmq.SyncContext, setting: str) -> tuple[zmq.SyncSocket, int]:
        publisher = context.socket(zmq.PUB)
        publisher.sndhwm = _QUEUE_PER_SUBSCRIBER
        port = bind(publisher, self._config, getattr(self._config, setting), f"output.{setting}")
        return publisher, port

    def _run(
        self,
        subscription: Subscription,
        events: zmq.SyncSocket,
        transcripts: zmq.SyncSocket,
        gate: zmq.SyncSocket | None,
    ) -> None:
        poller = zmq.Poller()
        poller.register(self._wake, zmq.POLLIN)
        if gate is not None:
            poller.register(gate, zmq.POLLIN)
        dropped = 0
        with contextlib.ExitStack() as stack:
            stack.enter_context(subscription)
            for one in filter(None, (events, transcripts, gate)):
                stack.callback(one.close, _LINGER_MS)
            while True:
                ready = dict(poller.poll())
                if gate is not None and gate in ready:
                    admit(gate, self._config.api_key)
                if self._wake not in ready:
                    continue
                os.eventfd_read(self._wake)
                # Read first, so that what was published before the stop is still sent.
                stopping = self._stopping.is_set()
                for event in subscription.take():
                    self._send(transcripts if isinstance(event, Transcript) else events, event)
                self._telemetry.events_dropped(_TRANSPORT, subscription.dropped - dropped)
                dropped = subscription.dropped
                if stopping:
                    return

    def _send(self, publisher: zmq.SyncSocket, event: Event) -> None:
        try:
            message = event_message(event).model_dump_json()
            publisher.send_multipart([topic_of(event).encode(), message.encode()], zmq.NOBLOCK)
        except (zmq.ZMQError, ValueError) as error:  # ValueError: a message that is no valid one
            self._telemetry.error(_TRANSPORT, type(error).__name__)
            _log.error("an event was not sent", event_type=type(event).__name__, exc_info=error)
            return
        self._telemetry.events_sent(_TRANSPORT)
