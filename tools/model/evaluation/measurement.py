"""Everything that one evaluation measured, and the groups in which it is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rtap.languages import LANGUAGES
from rtap.whisper.model_directory import ModelDirectory
from tools.model.evaluation.recognition import Failure
from tools.model.evaluation.scoring import Scored, Summary, summarize, summarize_by

_DECIBELS = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*dB\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: a model and how it is used, or transcripts that something else made."""

    name: str
    """Of the model or of the file of transcripts, with its options: the heading of its column."""
    path: Path
    model: ModelDirectory | None
    """None: a file of transcripts."""
    vad: bool = True
    """Whether the voice activity detector stands before the model."""
    padded: bool = False
    """Whether everything is encoded in 30 s of context."""
    prefers: bool = False
    """Whether the decoder prefers the sentences that are understood."""

    def describe(self) -> str:
        """One line: where it is, and what it is."""
        if self.model is None:
            return f"{self.path}: transcripts"
        manifest = self.model.manifest
        padded = ", padded to 30 s" if self.padded else ""
        prefers = ", which prefers the sentences that are understood" if self.prefers else ""
        vad = "" if self.vad else ", without voice activity detector"
        return (
            f"{self.path}: {manifest.precision}, {manifest.parameters / 1e6:.1f} M parameters, "
            f"{manifest.bytes / 1e6:.0f} MB{padded}{vad}{prefers}"
        )


@dataclass(frozen=True, slots=True)
class Measurement:
    """A model, how it was used, and what it heard."""

    command: str
    """That repeats it."""
    subject: Subject
    language: str | None
    """Code of what is spoken where the data name no language; None: all languages are detected."""
    threads: int
    normalizer: str
    scored: Sequence[Scored]
    failures: Sequence[Failure]
    unknown_languages: Mapping[str, int]
    """Utterances left out, by their language, which the model does not know."""
    grammar: str = ""
    """What found the intents; empty: they were not asked for."""

    @property
    def languages(self) -> Sequence[str]:
        """Codes of what is spoken, sorted; of those whose language is known."""
        return sorted({one.heard.utterance.language for one in self.scored} - {""})

    @property
    def total(self) -> Summary:
        """Everything that could be decoded."""
        return summarize(self.scored)

    @property
    def with_speech(self) -> Summary:
        """What has speech. Its speed is the one to plan with: silence costs next to nothing."""
        return summarize(one for one in self.scored if one.heard.utterance.is_speech)

    @property
    def sets(self) -> Mapping[str, Summary]:
        """By set, and level of the noise that was mixed in, in the order in which they were given."""
        return self._grouped(_set)

    @property
    def pools(self) -> Mapping[str, Summary]:
        """By language, and level of the noise that was mixed in; empty where that is one set."""
        return {name: summarize(members) for name, members in self.pooled().items()}

    def pooled(self) -> Mapping[str, Sequence[Scored]]:
        """The utterances of each of the :attr:`pools`, English first: all whose words are known."""
        known = [one for one in self.scored if one.is_speech and one.heard.utterance.language]
        sets = {one.heard.utterance.group for one in self.scored}
        if len(sets) == 1 and len({one.heard.utterance.language for one in known}) <= 1:
            return {}
        found: dict[str, list[Scored]] = {}
        for one in sorted(known, key=lambda one: _language_order(one.heard.utterance.language)):
            found.setdefault(_pool(one), []).append(one)
        return found

    @property
    def speakers(self) -> Mapping[str, Summary]:
        """By speaker, those with numbers in their order; empty where none is known."""
        found = self._grouped(lambda one: one.heard.utterance.speaker)
        return (
            {name: found[name] for name in sorted(found, key=_speaker_order)} if any(found) else {}
        )

    @property
    def noise(self) -> Mapping[str, Summary]:
        """By noise, from clean to loud, then what is no level; empty where none is known."""
        found = self._grouped(lambda one: one.heard.utterance.noise)
        return {name: found[name] for name in sorted(found, key=_noise_order)} if any(found) else {}

    def _grouped(self, key: Callable[[Scored], str]) -> Mapping[str, Summary]:
        return summarize_by(self.scored, key)


def _set(scored: Scored) -> str:
    return scored.heard.utterance.group + _level(scored)


def _pool(scored: Scored) -> str:
    language = scored.heard.utterance.language
    return f"all {LANGUAGES.get(language, language).title()}{_level(scored)}"


def _level(scored: Scored) -> str:
    snr = scored.heard.utterance.snr
    return "" if snr is None else f", {snr:g} dB"


def _language_order(language: str) -> tuple[bool, str]:
    return language != "en", language


def _speaker_order(name: str) -> tuple[bool, int, str]:
    return not name, int(name) if name.isdecimal() else 0, name


def _noise_order(name: str) -> tuple[int, float, str]:
    """Levels are signal to noise: the higher, the quieter the noise."""
    if name == "clean":
        return 0, 0.0, name
    if level := _DECIBELS.fullmatch(name):
        return 1, -float(level[1]), name
    return 2 if name else 3, 0.0, name
