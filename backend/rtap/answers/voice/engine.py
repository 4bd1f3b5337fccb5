"""What a voice is, and what voices share."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Speech(NamedTuple):
    """A piece of sound."""

    samples: NDArray[np.float32]
    """Mono, within -1 to 1, shape (samples,)."""
    rate: int
    """Samples per second."""


class Voice(Protocol):
    """Makes speech of sentences, one at a time."""

    def say(self, text: str, language: str, stop: threading.Event) -> Generator[Speech, None, None]:
        """A text as sound, in pieces as they come; nothing where the voice does not speak the language.

        Args:
            text: one answer.
            language: its code.
            stop: ends it within 0.1 s.

        Raises:
            SpeakerError: it failed.
        """

    def close(self) -> None:
        """End what it started."""


def pieces(blocks: Iterator[bytes], rate: int) -> Iterator[Speech]:
    """Speech of blocks of 16-bit samples, in the byte order of this machine, which may cut one in two."""
    rest = b""
    for block in blocks:
        joined = rest + block
        whole = len(joined) - len(joined) % 2
        rest = joined[whole:]
        if whole:
            samples = np.frombuffer(joined[:whole], np.int16) / np.float32(-np.iinfo(np.int16).min)
            yield Speech(samples.astype(np.float32), rate)
