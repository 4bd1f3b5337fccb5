"""Wyoming's wake word detection: one client's sound, and the words that it listens for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from wyoming.event import Eventable

from rtap.audio.format import SAMPLE_RATE
from rtap.config.wake_engines import DEFAULT, ENGINES, WakeEngine, normal_word
from rtap.errors import ConfigurationError
from rtap.stages.wakeword import WakeWord, make_wake_word
from rtap.transports.wyoming.package import Detection, NotDetected

if TYPE_CHECKING:
    from rtap.audio.format import Samples
    from rtap.config import WakeWordConfig
    from rtap.transports.wyoming.lane import Lane


def client_engine(config: WakeWordConfig) -> WakeEngine:
    """The engine that listens for clients: the configured one, or the default where none listens here."""
    return ENGINES[config.engine] if config.enabled else DEFAULT


def wake_words(config: WakeWordConfig) -> list[str]:
    """The names of all words that clients may listen for, the configured one first.

    They may do so even where the car's own microphone wakes to none.
    """
    words = client_engine(config).words
    if not words:
        return [config.keyword]
    configured = normal_word(config.keyword)
    return sorted(words, key=lambda name: (name != configured, name))


def chosen_words(config: WakeWordConfig, wanted: Sequence[str]) -> tuple[str, ...]:
    """The words that a client asked for, by the names of :func:`wake_words`; all when it named none.

    Raises:
        ConfigurationError: one of them is not known.
    """
    known = {normal_word(name): name for name in wake_words(config)}
    for name in wanted:
        if normal_word(name) not in known:
            raise ConfigurationError(
                f"there is no wake word {name[:64]!r}: detect one of {', '.join(known.values())}"
            )
    return tuple(known[name] for name in dict.fromkeys(map(normal_word, wanted))) or tuple(
        known.values()
    )


class WakeRound:
    """From ``audio-start`` to ``audio-stop``. The detectors remember their stream and belong to it alone.

    Args:
        words: see :func:`chosen_words`.
        started: the client's time of the first sample, in milliseconds.
        send: gets what is to be sent, in the event loop.
    """

    def __init__(
        self,
        config: WakeWordConfig,
        words: Sequence[str],
        started: int,
        lane: Lane,
        send: Callable[[Eventable], None],
    ) -> None:
        self._configs = [_config_of(config, word) for word in words]
        self._started = started
        self._lane = lane
        self._send = send
        self._detectors: list[WakeWord] | None = None
        self._samples = 0
        self._heard = False

    async def push(self, samples: Samples, timestamp: int | None) -> None:
        """Listen, and tell at once what was heard.

        Raises:
            ConfigurationError: a detector cannot be had as configured.
            PipelineError: a detector failed.
        """
        self._samples += samples.size
        for name in await self._lane.run(partial(self._detect, samples)):
            self._heard = True
            if timestamp is None:
                timestamp = self._started + self._samples * 1_000 // SAMPLE_RATE
            self._send(Detection(name=name, timestamp=timestamp))

    async def finish(self) -> None:
        """The sound is over."""
        if not self._heard:
            self._send(NotDetected())

    def close(self) -> None:
        """Let go of the detectors."""
        self._detectors = None

    def _detect(self, samples: Samples) -> list[str]:
        if self._detectors is None:
            made = [make_wake_word(config) for config in self._configs]
            self._detectors = [detector for detector in made if detector is not None]
        heard = [detector.detect(samples) for detector in self._detectors]
        return [name for name in heard if name is not None]


def _config_of(config: WakeWordConfig, word: str) -> WakeWordConfig:
    return replace(config, enabled=True, engine=client_engine(config).name, keyword=word)
