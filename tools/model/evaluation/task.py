"""What every model is measured on, and the measurement of one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from rtap.cli.terminal import report
from rtap.errors import ConfigurationError
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.transcribe import TranscribeOptions
from tools.model.evaluation.data import Utterance
from tools.model.evaluation.measurement import Measurement, Subject
from tools.model.evaluation.noise import NoiseMixer
from tools.model.evaluation.normalization import Normalizer, normalizer_for, read_spelling
from tools.model.evaluation.recognition import Listener, engine_version, hear_all
from tools.model.evaluation.scoring import Scored, score
from tools.model.evaluation.transcripts import Heard, Transcripts, stored_as

if TYPE_CHECKING:
    from rtap.cli.transcribe import Engine
    from tools.model.evaluation.understanding import Understanding


NO_PREFERENCE: Final = "+no-preference"
"""At the end of a model's name: it does not prefer the sentences that are understood."""


class Load(Protocol):
    """Opens a model; see :func:`tools.model.evaluation.recognition.load_engine`."""

    def __call__(
        self, directory: ModelDirectory, threads: int, *, vad: bool, padded: bool
    ) -> Engine:
        """Ready to transcribe."""


class Normalizers:
    """One for each language, made when it is first asked for.

    Args:
        spelling: normalizer.json of a Whisper checkpoint, for English.
        published: whether words are compared as by Whisper's own normaliser.
    """

    def __init__(self, spelling: Path | None, *, published: bool) -> None:
        self._published = published
        self._spelling = None if spelling is None else read_spelling(spelling)
        self._made: dict[str, Normalizer] = {}

    def of(self, language: str) -> Normalizer:
        """That of a language; of all languages where it is empty."""
        if language not in self._made:
            self._made[language] = normalizer_for(
                language or None,
                self._spelling if language == "en" else None,
                published=self._published,
            )
        return self._made[language]

    @property
    def names(self) -> str:
        """Of those that were asked for."""
        return "; ".join(dict.fromkeys(one.name for one in self._made.values()))


@dataclass(frozen=True, slots=True)
class Task:
    """What every model is measured on, and how."""

    command: str
    """The command line, for the report."""
    language: str | None
    """Of all utterances; None: it is detected."""
    utterances: Sequence[Utterance]
    mixer: NoiseMixer | None
    normalizers: Normalizers
    threads: int
    transcripts: Path | None
    """The folder in which transcripts are kept."""
    understanding: Understanding | None = None
    """What finds the intents; None: they are not asked for."""

    @property
    def noise(self) -> str:
        """What the noise is known by."""
        return "" if self.mixer is None else f"{self.mixer.name}, seed {self.mixer.seed}"


def _transcripts(subject: Subject, task: Task) -> Transcripts:
    if subject.model is None:
        path: Path | None = subject.path
    else:
        folder = task.transcripts
        name = subject.name.replace(NO_PREFERENCE, "")
        if subject.prefers and task.understanding is not None:
            name = f"{name}+preference-{task.understanding.digest}"
        path = None if folder is None else folder / stored_as(name, subject.model)
    version = None if subject.model is None else engine_version()
    return Transcripts(path, version, noise=task.noise, detects=task.language is None)


def measure(subject: Subject, task: Task, load: Load) -> Measurement:
    """Transcribe what has no transcript yet, and score everything.

    Raises:
        ConfigurationError: the model knows none of the languages, or can't be used for another reason.
    """
    known = _transcripts(subject, task)
    listener = None
    left_out: Counter[str] = Counter()
    if subject.model is not None and any(known.find(one) is None for one in task.utterances):
        engine = load(subject.model, task.threads, vad=subject.vad, padded=subject.padded)
        preference = None
        if subject.prefers and task.understanding is not None:
            preference = task.understanding.preference
        options = TranscribeOptions(language=task.language, preference=preference)
        listener = Listener(engine, options, detects=task.language is None, mixer=task.mixer)
        left_out = _unknown_languages(listener, task.utterances)
    utterances = [one for one in task.utterances if one.language not in left_out]
    heard, failures = hear_all(listener, utterances, known, subject.name)
    if known.outdated:
        report(
            "warning",
            f"{known.outdated} transcripts in {known.path} are by another version of the engine: "
            f"remove the file to hear them again",
            "evaluate",
        )
    return Measurement(
        command=task.command,
        subject=subject,
        language=task.language,
        threads=task.threads,
        normalizer=task.normalizers.names,
        scored=[_scored(one, task) for one in heard],
        grammar="" if task.understanding is None else task.understanding.name,
        failures=failures,
        unknown_languages=left_out,
    )


def _scored(heard: Heard, task: Task) -> Scored:
    scored = score(heard, task.normalizers.of(heard.utterance.language))
    if task.understanding is None:
        return scored
    return replace(scored, judgement=task.understanding.judge(heard))


def _unknown_languages(listener: Listener, utterances: Sequence[Utterance]) -> Counter[str]:
    """How many utterances are in which language that the model does not know.

    Raises:
        ConfigurationError: it knows none of them, or can't be used for another reason.
    """
    counts = Counter(one.language for one in utterances)
    examples = {one.language: one for one in utterances}
    refused: Counter[str] = Counter()
    for language, example in examples.items():
        try:
            listener.engine.check(listener.options_for(example))
        except ConfigurationError:
            refused[language] = counts[language]
            if len(refused) == len(examples):
                raise
    return refused
