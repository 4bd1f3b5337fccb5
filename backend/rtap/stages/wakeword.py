"""Whether somebody called the assistant: microWakeWord's bundled models, or Porcupine with an access key."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rtap.audio_format import SAMPLE_RATE
from rtap.errors import ConfigurationError, PipelineError
from rtap.events import Samples
from rtap.pcm16 import to_pcm16

if TYPE_CHECKING:
    from rtap.config import WakeWordConfig

REFRACTORY_SECONDS: Final = 2.0
"""After a detection nothing is detected for so long: one call wakes once."""
_FEATURE_STEP: Final = SAMPLE_RATE // 100


class WakeWord(Protocol):
    """Listens to one stream of audio for one keyword."""

    def detect(self, samples: Samples) -> str | None:
        """The keyword's name when it was completed in these samples; any number, shape (samples,)."""

    def reset(self) -> None:
        """Forget the stream, before another one."""


class MicroWakeWord:
    """A model of microWakeWord from pymicro-wakeword's wheel; loading takes a few milliseconds.

    It costs 0.03 ms per 10 ms of audio on an x86-64 core. A model's output stays up for a second and more
    after the keyword, so another detection needs it to fall in between.

    Args:
        keyword: alexa, hey_jarvis, hey_mycroft or okay_nabu.
        sensitivity: 0 to 1. 0.5 is the threshold that the model's author chose; 0 moves it half of the way
            to certainty, 1 halves it.

    Raises:
        ConfigurationError: there is no such keyword, or the sensitivity is out of range.
    """

    def __init__(self, keyword: str, sensitivity: float) -> None:
        import pymicro_wakeword as micro

        _check_sensitivity(sensitivity)
        known = [model.value for model in micro.Model]
        self.keyword = keyword.strip().lower().replace(" ", "_").replace("-", "_")
        if self.keyword not in known:
            raise _unknown_keyword("microwakeword", keyword, known)
        self._model = micro.MicroWakeWord.from_builtin(micro.Model(self.keyword))
        self._features = micro.MicroWakeWordFeatures()
        self.cutoff = _cutoff(self._model.probability_cutoff, sensitivity)
        """Mean probability of the last windows from which the keyword counts as heard."""
        self._once = _Once()

    def detect(self, samples: Samples) -> str | None:
        """See :meth:`WakeWord.detect`."""
        heard = False
        for features in self._features.process_streaming(to_pcm16(samples).tobytes()):
            probability = self._model.process_streaming_prob(features) or 0.0
            heard |= self._once.is_first(_FEATURE_STEP, is_heard=probability > self.cutoff)
        return self.keyword if heard else None

    def reset(self) -> None:
        """See :meth:`WakeWord.reset`."""
        self._model.reset()
        self._features.reset()
        self._once = _Once()


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
        _check_sensitivity(sensitivity)
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
        self._once = _Once()

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
        self._once = _Once()

    def _process(self, frame: NDArray[np.int16]) -> bool:
        try:
            return int(self._engine.process(frame.tolist())) >= 0
        except self._error as error:
            raise PipelineError(
                f"Porcupine failed ({error}): check wakeword.access_key, or set wakeword.engine to "
                f"microwakeword"
            ) from error


def make_wake_word(config: WakeWordConfig) -> WakeWord | None:
    """The configured engine, loaded; None when no wake word is wanted.

    Raises:
        ConfigurationError: the engine cannot be had as configured.
    """
    if not config.enabled:
        return None
    if config.engine == "porcupine":
        return Porcupine(config.access_key, config.keyword, config.sensitivity)
    return MicroWakeWord(config.keyword, config.sensitivity)


class _Once:
    """Makes one detection of a keyword that is heard in many frames in a row."""

    def __init__(self) -> None:
        self._wait = 0
        """Samples until something can be detected again."""
        self._is_armed = True

    def is_first(self, samples: int, *, is_heard: bool) -> bool:
        self._wait = max(0, self._wait - samples)
        if not is_heard:
            self._is_armed |= self._wait == 0
            return False
        if not self._is_armed:
            return False
        self._is_armed = False
        self._wait = int(REFRACTORY_SECONDS * SAMPLE_RATE)
        return True


def _cutoff(chosen: float, sensitivity: float) -> float:
    if sensitivity < 0.5:
        return chosen + (0.5 - sensitivity) * (1.0 - chosen)
    return chosen - (sensitivity - 0.5) * chosen


def _check_sensitivity(sensitivity: float) -> None:
    if not 0.0 <= sensitivity <= 1.0:
        raise ConfigurationError(f"wakeword.sensitivity is {sensitivity}: set it to 0 to 1")


def _unknown_keyword(engine: str, keyword: str, known: list[str]) -> ConfigurationError:
    return ConfigurationError(
        f"{engine} does not know the keyword {keyword!r}: set wakeword.keyword to one of "
        f"{', '.join(known)}"
    )


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
        raise _unknown_keyword("porcupine", keyword, known)
    return {"keywords": [spoken]}
