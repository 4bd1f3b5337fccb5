"""Porcupine, Picovoice's engine: needs the package pvporcupine and an access key."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rtap.audio.pcm16 import to_pcm16
from rtap.errors import ConfigurationError, PipelineError
from rtap.stages.wakeword.engine import Once, WakeWord, check_sensitivity, unknown_keyword

if TYPE_CHECKING:
    from rtap.audio.format import Samples
    from rtap.config import WakeWordConfig


class Porcupine:
    """Picovoice's engine. Needs the package pvporcupine and an access key from https://console.picovoice.ai.

    Args:
        access_key: checked by the engine, online at its first use.
        keyword: one of the engine's own ("porcupine", "hey google"), or the path of a .ppn file.
        sensitivity: 0 to 1, higher hears more.

    Raises:
        ConfigurationError: the package or the key is missing, the engine refuses them, or there is no such
            keyword.
    """

    def __init__(self, access_key: str, keyword: str, sensitivity: float) -> None:
        check_sensitivity(sensitivity)
        pvporcupine = _import_porcupine()
        if not access_key:
            raise ConfigurationError(
                "Porcupine needs an access key: set wakeword.access_key to yours from "
                "https://console.picovoice.ai, or wakeword.engine to microwakeword"
            )
        self.keyword = keyword
        self._error: type[Exception] = pvporcupine.PorcupineError
        try:
            self._engine: Any = pvporcupine.create(
                access_key=access_key,
                sensitivities=[sensitivity],
                **_porcupine_keyword(keyword, sorted(pvporcupine.KEYWORDS)),
            )
        except (self._error, OSError) as error:
            raise ConfigurationError(
                f"Porcupine does not start ({error}): check wakeword.access_key and wakeword.keyword"
            ) from error
        # The engine holds native memory and has no destructor.
        self._release = weakref.finalize(self, self._engine.delete)
        self._remainder: NDArray[np.int16] = np.empty(0, dtype=np.int16)
        self._once = Once()

    def detect(self, samples: Samples) -> str | None:
        """See :meth:`WakeWord.detect`.

        Raises:
            PipelineError: the engine failed, for example because the key was revoked.
        """
        size: int = self._engine.frame_length
        joined = np.concatenate((self._remainder, to_pcm16(samples)))
        whole = joined.size - joined.size % size
        self._remainder = joined[whole:].copy()
        heard = False
        for frame in joined[:whole].reshape(-1, size):
            heard |= self._once.is_first(size, is_heard=self._process(frame))
        return self.keyword if heard else None

    def reset(self) -> None:
        """See :meth:`WakeWord.reset`. The engine itself forgets by hearing on."""
        self._remainder = np.empty(0, dtype=np.int16)
        self._once = Once()

    def _process(self, frame: NDArray[np.int16]) -> bool:
        try:
            return int(self._engine.process(frame.tolist())) >= 0
        except self._error as error:
            raise PipelineError(
                f"Porcupine failed ({error}): check wakeword.access_key, or set wakeword.engine to "
                f"microwakeword"
            ) from error


def make(config: WakeWordConfig) -> WakeWord:
    """See :mod:`rtap.config.wake_engines`."""
    return Porcupine(config.access_key, config.keyword, config.sensitivity)


def _import_porcupine() -> Any:
    try:
        import pvporcupine
    except ImportError as error:
        raise ConfigurationError(
            "wakeword.engine is porcupine, whose package is not installed: run `pip install pvporcupine`, "
            "or set it to microwakeword"
        ) from error
    return pvporcupine


def _porcupine_keyword(keyword: str, known: list[str]) -> dict[str, list[str]]:
    if keyword.endswith(".ppn"):
        return {"keyword_paths": [keyword]}
    spoken = keyword.strip().lower().replace("_", " ")
    if spoken not in known:
        raise unknown_keyword("porcupine", keyword, known)
    return {"keywords": [spoken]}
