"""Everything that one evaluation measured, and the groups in which it is looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rtap.whisper.model_directory import ModelDirectory
from tools.evaluation.recognition import Failure
from tools.evaluation.scoring import Scored, Summary, summarize, summarize_by

_DECIBELS = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*dB\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A model, how it was used, and what it heard."""

    command: str
    """That repeats it."""
    model: ModelDirectory
    language: str | None
    """Code; None: detected."""
    threads: int
    normalizer: str
    scored: Sequence[Scored]
    failures: Sequence[Failure]

    @property
    def total(self) -> Summary:
        """Everything that could be decoded."""
        return summarize(self.scored)

    @property
    def with_speech(self) -> Summary:
        """What has speech. Its speed is the one to plan with: silence costs next to nothing."""
        return summarize(one for one in self.scored if one.is_speech)

    @property
    def sets(self) -> Mapping[str, Summary]:
        """By set, in the order in which they were given."""
        return summarize_by(self.scored, lambda one: one.heard.utterance.group)

    @property
    def speakers(self) -> Mapping[str, Summary]:
        """By speaker, those with numbers in their order; empty where none is known."""
        found = summarize_by(self.scored, lambda one: one.heard.utterance.speaker)
        return (
            {name: found[name] for name in sorted(found, key=_speaker_order)} if any(found) else {}
        )

    @property
    def noise(self) -> Mapping[str, Summary]:
        """By noise, from clean to loud, then what is no level; empty where none is known."""
        found = summarize_by(self.scored, lambda one: one.heard.utterance.noise)
        return {name: found[name] for name in sorted(found, key=_noise_order)} if any(found) else {}


def _speaker_order(name: str) -> tuple[bool, int, str]:
    return not name, int(name) if name.isdecimal() else 0, name


def _noise_order(name: str) -> tuple[int, float, str]:
    """Levels are signal to noise: the higher, the quieter the noise."""
    if name == "clean":
        return 0, 0.0, name
    if level := _DECIBELS.fullmatch(name):
        return 1, -float(level[1]), name
    return 2 if name else 3, 0.0, name
