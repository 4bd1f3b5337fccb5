"""microWakeWord: small models, which come with pymicro-wakeword's wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rtap.audio.format import SAMPLE_RATE
from rtap.audio.pcm16 import to_pcm16
from rtap.config.wake_engines import normal_word
from rtap.stages.wakeword.engine import Once, WakeWord, check_sensitivity, unknown_keyword

if TYPE_CHECKING:
    from rtap.audio.format import Samples
    from rtap.config import WakeWordConfig

_FEATURE_STEP: Final = SAMPLE_RATE // 100


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

        check_sensitivity(sensitivity)
        known = [model.value for model in micro.Model]
        self.keyword = normal_word(keyword)
        if self.keyword not in known:
            raise unknown_keyword("microwakeword", keyword, known)
        self._model = micro.MicroWakeWord.from_builtin(micro.Model(self.keyword))
        self._features = micro.MicroWakeWordFeatures()
        self.cutoff = _cutoff(self._model.probability_cutoff, sensitivity)
        """Mean probability of the last windows from which the keyword counts as heard."""
        self._once = Once()

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
        self._once = Once()


def make(config: WakeWordConfig) -> WakeWord:
    """See :mod:`rtap.config.wake_engines`."""
    return MicroWakeWord(config.keyword, config.sensitivity)


def _cutoff(chosen: float, sensitivity: float) -> float:
    if sensitivity < 0.5:
        return chosen + (0.5 - sensitivity) * (1.0 - chosen)
    return chosen - (sensitivity - 0.5) * chosen
