"""Loudspeakers for tests: they keep what is played, and are as slow or as broken as a test wants."""

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rtap.answers.voice.engine import Speech
from rtap.errors import SpeakerError


class Played:
    """One opened device; see :class:`rtap.answers.output.Playback`."""

    def __init__(self, on_write: Callable[[], None], over: threading.Semaphore) -> None:
        self._on_write = on_write
        self._over = over
        self.pieces: list[Speech] = []
        self.is_finished = False
        self.is_closed = False

    def write(self, speech: Speech) -> None:
        assert not self.is_closed
        self._on_write()
        self.pieces.append(speech)

    def finish(self) -> None:
        self.is_finished = True

    def close(self) -> None:
        self.is_closed = True
        self._over.release()

    @property
    def seconds(self) -> float:
        return sum(piece.samples.size / piece.rate for piece in self.pieces)

    @property
    def samples(self) -> NDArray[np.float32]:
        return np.concatenate([piece.samples for piece in self.pieces])


class RecordingOutput:
    """A loudspeaker that takes everything at once; see :class:`rtap.answers.output.Output`."""

    def __init__(self) -> None:
        self.played: list[Played] = []
        self.error: SpeakerError | None = None
        self.on_write: Callable[[], None] = lambda: None
        """Called before each piece; it may wait, as a device does."""
        self.opened = threading.Semaphore(0)
        """Released whenever somebody opens it."""
        self.over = threading.Semaphore(0)
        """Released whenever it is closed again."""

    def open(self) -> Played:
        self.opened.release()
        if self.error is not None:
            raise self.error
        self.played.append(Played(self.on_write, self.over))
        return self.played[-1]
