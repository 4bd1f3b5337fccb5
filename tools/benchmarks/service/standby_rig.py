"""A primary and its standby that hear the same microphone, somebody who talks, and a subscriber of both."""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Literal, Self

import yaml
import zmq

from rtap.errors import PipelineError
from rtap.standby.rules import Span
from tools.benchmarks.service.speech import Phrase, wav
from tools.gui.virtual_microphone import VirtualMicrophone
from tools.process.child import Child
from tools.process.ports import HOST, free_ports

Role = Literal["primary", "standby"]
ROLES: Final[tuple[Role, ...]] = ("primary", "standby")
_SOON: Final = 60.0
_PAUSE: Final = (0.9, 1.6)
"""Seconds between two commands: longer than what ends an utterance."""
_RECONNECT_MS: Final = 20
_POLL_MS: Final = 100
_OVERRIDES: Final = (
    "RTAP_ENVIRONMENT",
    "RTAP_AUDIO_MOCK",
    "AUDIO_DEVICE",
    "MODEL_NAME",
    "RTAP_API_KEY",
)


@dataclass(frozen=True, slots=True)
class Said:
    """One command, from the moment that its player was started."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Heard:
    """One transcript that a subscriber got."""

    role: Role
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Change:
    """An instance began to publish, or ended it."""

    role: Role
    publishing: bool
    timestamp: float


class _Background:
    """Runs in a thread of its own as long as its ``with`` block.

    Args:
        run: returns soon after ``stopping`` is set.
    """

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=run, name=name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._thread.join()


class Subscriber(_Background):
    """Gets the transcripts and events of both instances, whichever of them is there."""

    def __init__(self, ports: dict[Role, dict[str, int]]) -> None:
        self.heard: list[Heard] = []
        self.changes: list[Change] = []
        super().__init__("subscriber", lambda: self._run(ports))

    def publishes(self, role: Role, since: int = 0) -> bool:
        """Whether it said so last, not counting so many changes of either."""
        mine = [change.publishing for change in self.changes[since:] if change.role == role]
        return bool(mine) and mine[-1]

    def _run(self, ports: dict[Role, dict[str, int]]) -> None:
        with ExitStack() as stack:
            context = stack.enter_context(zmq.Context())
            poller = zmq.Poller()
            roles: dict[Any, Role] = {}
            for role in ROLES:
                for name in ("zmq_pub_port_transcripts", "zmq_pub_port_events"):
                    subscriber = stack.enter_context(context.socket(zmq.SUB))
                    subscriber.linger = 0
                    subscriber.reconnect_ivl = _RECONNECT_MS
                    subscriber.connect(f"tcp://{HOST}:{ports[role][name]}")
                    subscriber.subscribe(b"transcript")
                    subscriber.subscribe(b"publishing_changed")
                    poller.register(subscriber, zmq.POLLIN)
                    roles[subscriber] = role
            while not self.stopping.is_set():
                for ready, _ in poller.poll(_POLL_MS):
                    self._take(roles[ready], json.loads(ready.recv_multipart()[1]))

    def _take(self, role: Role, message: dict[str, Any]) -> None:
        if message["type"] == "publishing_changed":
            self.changes.append(Change(role, message["publishing"], message["timestamp"]))
            return
        end = message["timestamp"] - message["latency"]
        span = Span(end - message["duration"], end)
        self.heard.append(Heard(role, message["text"], span))


class Talker(_Background):
    """Says one command after the other, until it is stopped."""

    def __init__(
        self, microphone: VirtualMicrophone, phrases: Sequence[Phrase], place: Path, seed: int
    ) -> None:
        self.said: list[Said] = []
        self._microphone = microphone
        self._rng = random.Random(seed)
        self._files = [place / f"{number}.wav" for number, _ in enumerate(phrases)]
        self._phrases = phrases
        for file, phrase in zip(self._files, phrases, strict=True):
            file.write_bytes(wav(phrase.samples))
        super().__init__("talker", self._run)

    def _run(self) -> None:
        while not self.stopping.is_set():
            number = self._rng.randrange(len(self._phrases))
            begin = time.time()
            with self._microphone.play(self._files[number]) as player:
                player.wait(_SOON)
            self.said.append(Said(self._phrases[number].text, Span(begin, time.time())))
            time.sleep(self._rng.uniform(*_PAUSE))


class Pair:
    """The two instances."""

    def __init__(
        self, place: Path, microphone: VirtualMicrophone, vehicle: Mapping[str, Any]
    ) -> None:
        self.ports: dict[Role, dict[str, int]] = {role: free_ports() for role in ROLES}
        # One more that is free: a port of a service that is not part of this.
        link = free_ports()["http_port"]
        self._environment = microphone.environment
        self._profiles: dict[Role, Path] = {}
        self._processes: dict[Role, Child] = {}
        for role in ROLES:
            self._profiles[role] = place / f"{role}.yaml"
            profile = {
                "inherits": "default",
                "audio": {"source": "microphone", "device": "pulse"},
                "wakeword": {"enabled": False},
                "stt": {"model_name": "cabin-en", "num_threads": 1},
                "output": self.ports[role],
                "standby": {"role": role, "port": link},
                "vehicle": {"state": str(place / f"{role}.json"), **vehicle},
                # The loudspeaker of this sound server is the microphone.
                "answers": {"voice": "none", "earcons": False},
            }
            self._profiles[role].write_text(yaml.safe_dump(profile), encoding="utf-8")

    def start(self, role: Role) -> None:
        """Start one, and do not wait."""
        cleared = ["env", *(f"--unset={name}" for name in _OVERRIDES)]
        serve = [sys.executable, "-m", "rtap", "serve", "--file", str(self._profiles[role])]
        self._processes[role] = Child([*cleared, *serve], self._environment)

    def kill(self, role: Role) -> float:
        """End one as a crash would; returns when."""
        process = self._processes.pop(role)
        now = time.time()
        os.kill(process.pid, 9)
        process.stop()
        return now

    def signal(self, role: Role, number: int) -> float:
        """Send one a signal; returns when."""
        now = time.time()
        os.kill(self._processes[role].pid, number)
        return now

    def stop(self) -> None:
        """End both."""
        for process in self._processes.values():
            process.stop()

    def complaint(self) -> str:
        """The last of what they wrote."""
        return "\n".join(process.complaint() for process in self._processes.values())


@contextmanager
def pair(
    microphone: VirtualMicrophone, vehicle: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[tuple[Pair, Path]]:
    """Two instances that are not started yet, and a folder for the time of the measurement.

    Args:
        vehicle: of both profiles; by default each has a simulated car.
    """
    with tempfile.TemporaryDirectory(prefix="standby-") as folder:
        both = Pair(Path(folder), microphone, vehicle)
        try:
            yield both, Path(folder)
        finally:
            both.stop()


def wait_for(condition: Callable[[], bool], what: str, both: Pair) -> None:
    """Wait until it is so.

    Raises:
        PipelineError: it took too long.
    """
    deadline = time.monotonic() + _SOON
    while not condition():
        if time.monotonic() > deadline:
            raise PipelineError(f"{what} did not happen within {_SOON:g} s: {both.complaint()}")
        time.sleep(0.005)
