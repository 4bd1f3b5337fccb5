"""How much of what was said was heard: word errors one by one, and summed up."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import jiwer

from tools.model.evaluation.bootstrap import Interval, interval
from tools.model.evaluation.intent_scoring import IntentSummary, Judgement, summarize_intents
from tools.model.evaluation.normalization import Normalizer
from tools.model.evaluation.transcripts import Heard


@dataclass(frozen=True, slots=True)
class Counts:
    """Words said, and the fewest changes that make what was heard of them."""

    words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def errors(self) -> int:
        """All changes."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def error_rate(self) -> float | None:
        """Errors per word said, which may exceed 1; None where no word was said."""
        return self.errors / self.words if self.words else None

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.words + other.words,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


@dataclass(frozen=True, slots=True)
class Scored:
    """An utterance, what was heard, and how far apart they are."""

    heard: Heard
    counts: Counts

    has_phrases: bool = False
    """Whether every phrase that is known to be said was heard; counts are 0 for such utterances."""

    judgement: Judgement | None = None
    """What was meant and understood; None: nobody asked, or there is no grammar of the language."""

    @property
    def is_speech(self) -> bool:
        """Whether all that was said is known, fillers included."""
        return bool(self.heard.utterance.text) and not self.is_piece

    @property
    def is_keywords(self) -> bool:
        """Whether only phrases are known of what was said."""
        return bool(self.heard.utterance.must_contain) and not self.is_piece

    @property
    def is_piece(self) -> bool:
        """Whether it is a piece of a recording: which of the words are in it is not known."""
        return self.heard.utterance.cut is not None


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of several utterances. Those without speech are counted apart: they have no words to miss."""

    utterances: int
    """With speech."""
    counts: Counts
    """Of those with speech."""
    right: int
    """Utterances with speech that were heard without any error."""
    silent: int
    """Utterances without speech."""
    false_texts: int
    """Utterances without speech for which any text came out, even a lone full stop."""
    false_words: int
    """Words in those texts."""
    seconds: float
    """Length of the audio, with and without speech."""
    inference_time: float
    """Seconds in the model, as the engine measured them."""
    median_rtf: float | None
    """Of the utterances' real-time factors; None without audio."""
    error_interval: Interval | None
    """In which the error rate would be with other utterances of this kind; None without words."""
    keywords: int
    """Utterances of which only phrases are known."""
    keywords_right: int
    """Those in which all of their phrases were heard."""
    keywords_interval: Interval | None
    """Of the share that was heard right."""
    processor_time: float
    """Seconds of processor, of all threads."""
    encodes: int | None
    """Passes of the encoder; None where the engine does not tell."""
    pieces: int
    """Pieces of recordings."""
    intents: IntentSummary | None
    """Of those that were judged; None where none was."""

    @property
    def false_text_rate(self) -> float | None:
        """Share of the utterances without speech; None where there are none."""
        return self.false_texts / self.silent if self.silent else None

    @property
    def files(self) -> int:
        """Utterances of all kinds."""
        return self.utterances + self.silent + self.keywords + self.pieces

    @property
    def keywords_rate(self) -> float | None:
        """Share of the utterances with all of their phrases; None where there are none."""
        return self.keywords_right / self.keywords if self.keywords else None

    @property
    def rtf(self) -> float | None:
        """Seconds in the model per second of audio; None without audio."""
        return self.inference_time / self.seconds if self.seconds else None


def count(said: Sequence[str], heard: Sequence[str]) -> Counts:
    """Compare words."""
    output = jiwer.process_words(" ".join(said), " ".join(heard))
    return Counts(len(said), output.substitutions, output.deletions, output.insertions)


def score(heard: Heard, normalizer: Normalizer) -> Scored:
    """Compare what was heard with what was said, both normalised."""
    if heard.utterance.cut is not None:
        return Scored(heard, Counts())
    words = normalizer.words(heard.text)
    if phrases := heard.utterance.must_contain:
        found = all(_contains(words, normalizer.words(phrase)) for phrase in phrases)
        return Scored(heard, Counts(), has_phrases=found)
    return Scored(heard, count(normalizer.words(heard.utterance.text), words))


def _contains(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether the words of the phrase stand there, in their order and with none between them."""
    size = len(phrase)
    return any(words[start : start + size] == phrase for start in range(len(words) - size + 1))


def summarize(scored: Iterable[Scored]) -> Summary:
    """Add up."""
    everything = list(scored)
    speech = [one for one in everything if one.is_speech]
    keywords = [one for one in everything if one.is_keywords]
    pieces = [one for one in everything if one.is_piece]
    silent = [one for one in everything if not (one.is_speech or one.is_keywords or one.is_piece)]
    judged = [one.judgement for one in everything if one.judgement is not None]
    heard = [one.heard for one in everything]
    factors = [one.inference_time / one.seconds for one in heard if one.seconds]
    return Summary(
        utterances=len(speech),
        counts=sum((one.counts for one in speech), Counts()),
        right=sum(not one.counts.errors for one in speech),
        silent=len(silent),
        false_texts=sum(bool(one.heard.text) for one in silent),
        false_words=sum(one.counts.insertions for one in silent),
        seconds=sum(one.seconds for one in heard),
        inference_time=sum(one.inference_time for one in heard),
        median_rtf=statistics.median(factors) if factors else None,
        error_interval=interval([(one.counts.errors, one.counts.words) for one in speech]),
        keywords=len(keywords),
        keywords_right=sum(one.has_phrases for one in keywords),
        keywords_interval=interval([(int(one.has_phrases), 1) for one in keywords]),
        processor_time=sum(one.processor_time for one in heard),
        encodes=_encodes(heard),
        pieces=len(pieces),
        intents=summarize_intents(judged) if judged else None,
    )


def _encodes(heard: Sequence[Heard]) -> int | None:
    """Of all together; None as soon as one is not known."""
    known = [len(one.contexts) for one in heard if one.contexts is not None]
    return sum(known) if known and len(known) == len(heard) else None


def summarize_by(scored: Iterable[Scored], key: Callable[[Scored], str]) -> dict[str, Summary]:
    """One summary for each key, in the order in which the keys come."""
    groups: dict[str, list[Scored]] = {}
    for one in scored:
        groups.setdefault(key(one), []).append(one)
    return {name: summarize(group) for name, group in groups.items()}


def worst(scored: Iterable[Scored], number: int) -> list[Scored]:
    """The utterances with the most errors, those of few words first among equals; false texts too."""
    wrong = [one for one in scored if one.counts.errors]
    return sorted(wrong, key=lambda one: (-one.counts.errors, one.counts.words))[:number]
