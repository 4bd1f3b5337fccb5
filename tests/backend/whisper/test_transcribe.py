"""Audio of any length: times, languages, prompts, words and streaming, with a model that follows a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from rtap.errors import ConfigurationError
from rtap.whisper.model_directory import Elastic
from rtap.whisper.model_settings import GenerationRules
from rtap.whisper.result import Segment, Transcription
from rtap.whisper.transcribe import TranscribeOptions, Transcriber, warn_of_prompts
from tests.backend.whisper.preference.listed_sentences import ListedPreference, ListedSentences
from tests.backend.whisper.scripted_model import (
    Logits,
    Script,
    ScriptedAudio,
    ScriptedModel,
    likely,
    produced,
    says,
    small_tokenizer,
)

TOKENIZER = small_tokenizer()
SECOND = 16_000
ENGLISH = TranscribeOptions(language="en")
Audio = NDArray[np.float32]


class EnergyVad:
    """Implements :class:`rtap.whisper.transcribe.VoiceActivity`: any chunk that is not zero is speech."""

    def __init__(self, certainty: float = 1.0) -> None:
        self._certainty = certainty
        self._rest = np.empty(0, np.float32)
        self.resets = 0

    def reset(self) -> None:
        self._rest = self._rest[:0]
        self.resets += 1

    def probabilities(self, audio: Audio) -> NDArray[np.float32]:
        audio = np.concatenate([self._rest, audio])
        chunks = audio[: audio.size // 512 * 512].reshape(-1, 512)
        self._rest = audio[chunks.size :]
        return np.array([self._certainty * chunk.any() for chunk in chunks], np.float32)


def sound(*stretches: tuple[float, float]) -> Audio:
    """Constant stretches of (value, seconds); 0 is silence."""
    parts = [np.full(round(seconds * SECOND), value, np.float32) for value, seconds in stretches]
    return np.concatenate(parts)


def blocks(audio: Audio, size: int = SECOND) -> Iterator[Audio]:
    for start in range(0, audio.size, size):
        yield audio[start : start + size]


def text(words: str) -> list[int]:
    return TOKENIZER.encode(words)


def t(seconds: float) -> int:
    return TOKENIZER.timestamp_begin + round(seconds / 0.02)


def transcribe(
    model: ScriptedModel,
    audio: Audio,
    options: TranscribeOptions = ENGLISH,
    *,
    vad: bool = False,
) -> Transcription:
    engine = Transcriber(model, EnergyVad() if vad else None)
    return engine.transcribe(blocks(audio), options)


def spans(segments: Sequence[Segment]) -> list[tuple[float, float, str]]:
    return [(round(one.start, 2), round(one.end, 2), one.text) for one in segments]


class TestTimes:
    def test_windows_at_pauses(self) -> None:
        model = ScriptedModel(says(text(" turn on"), text(" yes"), text(" no")))
        audio = sound((0, 10), (0.5, 4), (0, 5), (0.6, 2), (0, 60), (0.7, 3.2))
        found = transcribe(model, audio, vad=True)
        # With 0.2 s of what is around the speech; chunks of 32 ms decide where it is.
        starts = [9.8, 18.8, 80.8]
        np.testing.assert_allclose([one.start for one in found.segments], starts, atol=0.04)
        ends = [14.2, 21.2, 84.2]
        np.testing.assert_allclose([one.end for one in found.segments], ends, atol=0.04)
        assert found.text == "turn on yes no"
        assert found.duration == 84.2

    @pytest.mark.parametrize(
        ("elastic", "pause", "windows"),
        [
            ("native", 0.4, 1),
            ("native", 0.8, 2),
            ("guarded", 0.8, 1),
            ("no", 1.8, 1),
            ("no", 2.2, 2),
        ],
    )
    def test_models_that_pay_for_length_share_windows(
        self, elastic: Elastic, pause: float, windows: int
    ) -> None:
        model = ScriptedModel(says(text(" turn"), text(" on")), elastic=elastic)
        found = transcribe(model, sound((0.5, 2), (0, pause), (0.6, 2)), vad=True)
        assert len(found.segments) == windows

    def test_windows_of_30_seconds_without_vad(self) -> None:
        model = ScriptedModel(says(text(" turn"), text(" on"), text(" yes")))
        found = transcribe(model, sound((0.5, 70)))
        assert spans(found.segments) == [
            (0.0, 30.0, " turn"),
            (30.0, 60.0, " on"),
            (60.0, 70.0, " yes"),
        ]
        assert model.frames == [3000, 3000, 1000]

    def test_timestamps_are_absolute(self) -> None:
        first = [t(0), *text(" turn"), t(1.5), t(2), *text(" on"), t(28)]
        model = ScriptedModel(says(first, [t(0.5), *text(" yes"), t(4)]))
        options = TranscribeOptions(language="en", timestamps=True)
        found = transcribe(model, sound((0.5, 35)), options)
        assert spans(found.segments) == [
            (0.0, 1.5, " turn"),
            (2.0, 28.0, " on"),
            (30.5, 34.0, " yes"),
        ]
        assert [one.tokens for one in found.segments] == [
            tuple(text(" turn")),
            tuple(text(" on")),
            tuple(text(" yes")),
        ]

    def test_model_of_ten_seconds(self) -> None:
        model = ScriptedModel(says(text(" yes")), max_frames=1000)
        found = transcribe(model, sound((0.5, 25)))
        assert [(one.start, one.end) for one in found.segments] == [(0, 10), (10, 20), (20, 25)]

    @pytest.mark.parametrize("size", [160, 5_000, 10**6])
    def test_blocks_of_any_size(self, size: int) -> None:
        audio = sound((0, 3), (0.5, 4), (0, 5), (0.6, 2), (0, 3))
        results = []
        for block in (SECOND, size):
            engine = Transcriber(ScriptedModel(says(text(" turn"), text(" on"))), EnergyVad())
            results.append(spans(engine.transcribe(blocks(audio, block), ENGLISH).segments))
        assert results[0] == results[1]
        assert len(results[0]) == 2


class TestResume:
    """The decoder runs out of tokens in the middle of a window."""

    def script(self, heard: ScriptedAudio, history: tuple[int, ...]) -> Logits:
        # A segment that is closed, then text without an end; the rest of the audio is a sentence.
        rambling = [*range(33, 33 + 90), *reversed(range(33, 33 + 90)), *range(40, 120)]
        endless = [t(0), *text(" turn on"), t(8), t(8), *rambling]
        answers = [endless, [t(1), *text(" yes"), t(2)]]
        return says(*answers)(heard, history)

    def test_goes_on_after_the_last_closed_segment(self) -> None:
        model = ScriptedModel(self.script)
        options = TranscribeOptions(language="en", timestamps=True, temperatures=(0.0,))
        audio = np.arange(20 * SECOND, dtype=np.float32)
        found = transcribe(model, audio, options)
        assert spans(found.segments) == [(0.0, 8.0, " turn on"), (9.0, 10.0, " yes")]
        assert [heard.first_sample for heard in model.encoded] == [0, 8 * SECOND]
        assert [heard.samples for heard in model.encoded] == [20 * SECOND, 12 * SECOND]


class TestLanguage:
    def test_detected_once(self) -> None:
        model = ScriptedModel(says(text(" yes"), language="de"))
        found = transcribe(model, sound((0.5, 70)), TranscribeOptions())
        assert found.language == "de"
        assert found.language_probability == pytest.approx(0.9, rel=1e-3)
        assert {one.language for one in found.segments} == {"de"}
        assert model.detections == 1
        assert len(model.encoded) == 3
        assert all(TOKENIZER.languages["de"] in prompt for prompt in model.prompts)

    def test_from_an_allow_list(self) -> None:
        def script(heard: ScriptedAudio, history: tuple[int, ...]) -> Logits:
            if history[-1] != TOKENIZER.start_of_transcript:
                return says(text(" yes"))(heard, history)
            codes = TOKENIZER.languages
            return likely((codes["de"], 0.6), (codes["zh"], 0.3), (codes["en"], 0.1))

        # The same language by two names counts once.
        options = TranscribeOptions(allowed_languages=("English", "zh", "en"))
        found = transcribe(ScriptedModel(script), sound((0.5, 2)), options)
        assert found.language == "zh"
        assert found.language_probability == pytest.approx(0.75, rel=1e-3)

    @pytest.mark.parametrize("name", ["de", "German", "de-AT"])
    def test_forced(self, name: str) -> None:
        model = ScriptedModel(says(text(" yes")))
        found = transcribe(model, sound((0.5, 2)), TranscribeOptions(language=name))
        assert (found.language, found.language_probability) == ("de", 1.0)
        assert found.segments[0].language == "de"
        assert model.detections == 0
        assert model.prompts == [[*TOKENIZER.sot_sequence("de"), TOKENIZER.no_timestamps]]

    def test_silence_decides_nothing(self) -> None:
        silence = says([], probability=0.2, no_speech=0.9, language="zh")
        speech = says(text(" yes"), language="de")
        model = ScriptedModel(lambda heard, past: [silence, speech][heard.index > 0](heard, past))
        found = transcribe(model, sound((0.5, 60)), TranscribeOptions(temperatures=(0.0,)))
        assert found.language == "de"
        assert [one.language for one in found.segments] == ["de"]

    def test_english_model(self) -> None:
        model = ScriptedModel(says(text(" yes")), multilingual=False)
        found = transcribe(model, sound((0.5, 2)), TranscribeOptions())
        assert (found.text, found.language, found.language_probability) == ("yes", "en", 1.0)
        assert model.detections == 0
        assert model.prompts == [[TOKENIZER.start_of_transcript, TOKENIZER.no_timestamps]]

    def test_task(self) -> None:
        model = ScriptedModel(says(text(" yes")))
        transcribe(model, sound((0.5, 2)), TranscribeOptions(language="de", task="translate"))
        assert TOKENIZER.translate in model.prompts[0]
        assert TOKENIZER.transcribe not in model.prompts[0]

    def test_joined_text(self) -> None:
        answers = [text("你好"), text("好")]
        audio = sound((0.5, 40))
        chinese = TranscribeOptions(language="zh")
        assert transcribe(ScriptedModel(says(*answers)), audio, chinese).text == "你好好"
        assert transcribe(ScriptedModel(says(*answers)), audio).text == "你好 好"
        english = TranscribeOptions(language="zh", task="translate")
        answers = [text(" Good morning."), text(" Good.")]
        assert (
            transcribe(ScriptedModel(says(*answers)), audio, english).text == "Good morning. Good."
        )


class TestSearch:
    def test_beams(self) -> None:
        model = ScriptedModel(says(text(" yes")))
        found = transcribe(model, sound((0.5, 40)), TranscribeOptions(language="en", beam_size=3))
        assert found.text == "yes yes"
        assert model.beams == [3, 3]

    def test_temperatures(self) -> None:
        loop = [ord("a")] * 200
        options = TranscribeOptions(language="en", temperatures=(0.0, 0.1, 0.2))
        model = ScriptedModel(says(loop))
        transcribe(model, sound((0.5, 4)), options)
        assert model.decodings == 3

    def test_seed(self) -> None:
        def unsure(_: ScriptedAudio, __: tuple[int, ...]) -> Logits:
            return likely((TOKENIZER.end_of_text, 0.05))

        options = TranscribeOptions(language="en", temperatures=(1.0,))
        said = [
            Transcriber(ScriptedModel(unsure), None, seed).transcribe([sound((0.5, 4))], options)
            for seed in (1, 1, 2)
        ]
        assert said[0].text == said[1].text != said[2].text


class TestPreference:
    """It hears "turn on.", in any language; "turn off." is nearly as likely."""

    LIGHTS = ListedPreference(en=ListedSentences("turn off"), de=ListedSentences("yes"))

    def model(self) -> ScriptedModel:
        either = [text(" turn on."), text(" turn off.")]

        def script(_: ScriptedAudio, history: tuple[int, ...]) -> Logits:
            if history[-1] == TOKENIZER.start_of_transcript:
                return likely((TOKENIZER.languages["en"], 0.9), (TOKENIZER.no_speech, 0.01))
            said = list(produced(history))
            for answer in either:
                if len(said) < 3 and said == answer[: len(said)]:
                    there = len(said)
                    return likely((either[0][there], 0.5), (either[1][there], 0.4))
            return likely((TOKENIZER.end_of_text, 0.9))

        return ScriptedModel(script)

    def heard(self, **options: Any) -> str:
        chosen = replace(TranscribeOptions(preference=self.LIGHTS), **options)
        return transcribe(self.model(), sound((1, 0.5)), chosen).text

    def test_a_sentence_takes_the_place_of_a_text(self) -> None:
        assert self.heard(language="en") == "turn off."
        assert self.heard(language="en", preference=None) == "turn on."

    def test_in_the_language_that_is_detected(self) -> None:
        assert self.heard() == "turn off."
        assert self.heard(language="de") == "turn on."
        assert self.heard(language="zh") == "turn on."

    def test_not_when_translating(self) -> None:
        assert self.heard(language="en", task="translate") == "turn on."

    def test_the_confidence_is_that_of_the_sentence(self) -> None:
        options = TranscribeOptions(language="en", preference=self.LIGHTS)
        (segment,) = transcribe(self.model(), sound((1, 0.5)), options).segments
        assert segment.tokens == tuple(text(" turn off."))
        assert segment.average_log_probability == pytest.approx(
            np.log(0.5 * 0.4 * 0.9 * 0.9) / 4, abs=0.1
        )
        assert segment.certainty == 1

    def test_the_certainty_is_that_against_another_sentence(self) -> None:
        both = ListedPreference(en=ListedSentences("turn on", "turn off"))
        options = TranscribeOptions(language="en", preference=both)
        (segment,) = transcribe(self.model(), sound((1, 0.5)), options).segments
        assert segment.text == " turn on."
        assert 0 < segment.certainty < 0.5
        alone = TranscribeOptions(language="en")
        (segment,) = transcribe(self.model(), sound((1, 0.5)), alone).segments
        assert segment.certainty == 1


class TestPromptsThatWereNeverTaught:
    OPTIONS: ClassVar[list[dict[str, Any]]] = [
        {"hotwords": ("Zwickau",)},
        {"initial_prompt": "To Zwickau."},
    ]

    @staticmethod
    def heard(**options: Any) -> list[list[int]]:
        """What a model that was not trained with prompts is given."""
        model = ScriptedModel(says(text(" yes")), rules=GenerationRules(takes_prompts=False))
        transcribe(model, sound((0.5, 4)), TranscribeOptions(language="en", **options))
        return model.prompts

    @pytest.mark.parametrize("options", OPTIONS)
    def test_are_left_out(self, options: dict[str, Any]) -> None:
        assert self.heard(**options) == self.heard()

    def test_it_says_so_once(self, caplog: pytest.LogCaptureFixture) -> None:
        warn_of_prompts.cache_clear()
        for options in self.OPTIONS:
            self.heard(**options)
        (line,) = caplog.messages
        assert line.startswith("scripted was not trained with prompts")

    def test_nothing_is_said_without_any(self, caplog: pytest.LogCaptureFixture) -> None:
        warn_of_prompts.cache_clear()
        self.heard(hotwords=(), initial_prompt="  ")
        assert not caplog.messages


class TestCounts:
    @pytest.mark.parametrize(("elastic", "encodes"), [("native", 2), ("guarded", 3)])
    def test_windows_and_encodings(self, elastic: Elastic, encodes: int) -> None:
        # Two windows; a guarded model is asked again about the one that was shortened.
        model = ScriptedModel(says(text(" yes yes")), elastic=elastic)
        found = transcribe(model, sound((0.5, 34)), ENGLISH)
        assert (found.windows, len(found.contexts)) == (2, encodes)
        assert len(model.frames) == encodes

    def test_silence(self) -> None:
        found = transcribe(ScriptedModel(says(text(" yes"))), sound((0.0, 2)), vad=True)
        assert (found.windows, found.contexts) == (0, ())


class TestPrompt:
    @pytest.mark.parametrize(
        ("hotwords", "prompt", "told"),
        [
            ((), None, ""),
            ((), "  ", ""),
            ((), " turn the lights ", " turn the lights"),
            (("Elm Road", "A 7"), None, " Elm Road, A 7"),
            (("Elm Road",), "turn on.", " Elm Road turn on."),
        ],
    )
    def test_comes_before_every_window(
        self, hotwords: tuple[str, ...], prompt: str | None, told: str
    ) -> None:
        model = ScriptedModel(says(text(" yes")))
        options = TranscribeOptions(language="en", hotwords=hotwords, initial_prompt=prompt)
        transcribe(model, sound((0.5, 40)), options)
        past = [TOKENIZER.start_of_previous, *text(told)] if told else []
        expected = [*past, *TOKENIZER.sot_sequence("en"), TOKENIZER.no_timestamps]
        assert model.prompts == [expected] * 2


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"language": "klingon"}, "unknown language"),
            ({"language": "fr"}, "does not know"),
            ({"allowed_languages": ("en", "frnch")}, "unknown language"),
            ({"beam_size": 0}, "beam size 0"),
            ({"beam_size": 33}, "from 1 to 32"),
            ({"temperatures": ()}, "at least one temperature"),
            ({"temperatures": (0.0, -0.1)}, "none below 0"),
            ({"word_timestamps": True}, "--layout rtap"),
            ({"task": "summarise"}, "transcribe or translate"),
        ],
    )
    def test_before_any_work(self, options: dict[str, Any], message: str) -> None:
        model = ScriptedModel(says(text(" yes")), aligns_words=False)
        engine = Transcriber(model, None)

        def never() -> Iterator[Audio]:
            raise AssertionError("audio was read")
            yield

        wrong = TranscribeOptions(**options)
        for call in (engine.check, lambda o: engine.transcribe(never(), o)):
            with pytest.raises(ConfigurationError, match=message):
                call(wrong)
        with pytest.raises(ConfigurationError, match=message):
            engine.segments(never(), wrong)

    @pytest.mark.parametrize(
        "options", [{"language": "de"}, {"task": "translate"}, {"allowed_languages": ("de",)}]
    )
    def test_english_model(self, options: dict[str, Any]) -> None:
        engine = Transcriber(ScriptedModel(says([]), multilingual=False), None)
        with pytest.raises(ConfigurationError, match=r"does not know|English only"):
            engine.check(TranscribeOptions(**options))

    def test_nothing_to_refuse(self) -> None:
        options = TranscribeOptions(language="de", word_timestamps=True, beam_size=5)
        Transcriber(ScriptedModel(says([])), None).check(options)


class TestStreaming:
    def test_segments_come_before_the_audio_ends(self) -> None:
        read = 0

        def endless() -> Iterator[Audio]:
            nonlocal read
            while True:
                read += 1
                yield sound((0.5, 2), (0, 4))

        engine = Transcriber(ScriptedModel(says(text(" yes"))), EnergyVad())
        segments = engine.segments(endless(), ENGLISH)
        assert read == 0
        for count in range(1, 6):
            assert next(segments).text == " yes"
            assert read == count

    def test_progress(self) -> None:
        seen: list[float] = []
        model = ScriptedModel(says(text(" yes")))
        audio = sound((0.5, 3.25))
        Transcriber(model, None).transcribe(blocks(audio), ENGLISH, seen.append)
        assert seen == [1.0, 2.0, 3.0, 3.25]

    def test_the_detector_forgets_the_last_audio(self) -> None:
        vad = EnergyVad()
        engine = Transcriber(ScriptedModel(says(text(" yes"))), vad)
        for _ in range(2):
            # A rest of less than a chunk must not shift what comes next.
            engine.transcribe(blocks(sound((0.5, 1.01))), ENGLISH)
        assert vad.resets == 2

    def test_time_in_the_model(self) -> None:
        found = transcribe(ScriptedModel(says(text(" yes"))), sound((0.5, 2)))
        assert found.inference_time > 0


class TestNothing:
    @pytest.mark.parametrize("vad", [False, True])
    @pytest.mark.parametrize("audio", [[], [np.empty(0, np.float32)]])
    def test_no_audio(self, audio: list[Audio], *, vad: bool) -> None:
        model = ScriptedModel(says(text(" yes")))
        engine = Transcriber(model, EnergyVad() if vad else None)
        found = engine.transcribe(audio, TranscribeOptions())
        assert found == Transcription("", None, 0.0, 0.0, 0.0, ())
        assert model.encoded == []

    def test_silence_for_the_detector(self) -> None:
        model = ScriptedModel(says(text(" yes")))
        found = transcribe(model, sound((0, 20)), TranscribeOptions(), vad=True)
        assert (found.text, found.language, found.language_probability) == ("", None, 0.0)
        assert found.duration == 20
        assert model.encoded == []

    @pytest.mark.parametrize("answer", ["", " ", " yes"])
    def test_silence_for_the_model(self, answer: str) -> None:
        model = ScriptedModel(says(text(answer), probability=0.2, no_speech=0.9))
        found = transcribe(model, sound((0.5, 5)), TranscribeOptions())
        assert (found.text, found.segments, found.language) == ("", (), None)
        assert found.language_probability == 0.0

    @pytest.mark.parametrize(
        ("is_doubtful", "no_speech", "heard"),
        [(False, 0.95, "yes"), (True, 0.95, ""), (True, 0.56, ""), (True, 0.54, "yes")],
    )
    def test_a_likely_text_of_doubtful_audio(
        self, heard: str, no_speech: float, *, is_doubtful: bool
    ) -> None:
        answer = says(text(" yes"), probability=0.9, no_speech=no_speech)
        options = TranscribeOptions(language="en", is_doubtful=is_doubtful)
        model = ScriptedModel(answer, elastic="no")
        assert transcribe(model, sound((0.5, 5)), options).text == heard

    @pytest.mark.parametrize(("no_speech", "heard"), [(0.9, "yes"), (0.95, "")])
    def test_elastic_models_doubt_more(self, no_speech: float, heard: str) -> None:
        answer = says(text(" yes"), probability=0.9, no_speech=no_speech)
        options = TranscribeOptions(language="en", is_doubtful=True)
        assert transcribe(ScriptedModel(answer), sound((0.5, 5)), options).text == heard

    @pytest.mark.parametrize(("certainty", "heard"), [(0.6, ""), (0.8, "yes")])
    def test_the_detector_doubts(self, certainty: float, heard: str) -> None:
        model = ScriptedModel(says(text(" yes"), probability=0.9, no_speech=0.95))
        engine = Transcriber(model, EnergyVad(certainty))
        assert engine.transcribe(blocks(sound((0, 3), (0.5, 2), (0, 3))), ENGLISH).text == heard

    def test_white_space_is_no_segment(self) -> None:
        found = transcribe(ScriptedModel(says(text("  "))), sound((0.5, 5)))
        assert (found.text, found.segments) == ("", ())
        assert (found.language, found.language_probability) == ("en", 1.0)

    def test_one_sample(self) -> None:
        found = transcribe(ScriptedModel(says(text(" no"))), np.ones(1, np.float32))
        assert found.text == "no"


class TestWords:
    def words(
        self, script: Script, seconds: float, **options: Any
    ) -> list[list[tuple[str, float, float]]]:
        settings = TranscribeOptions(language="en", word_timestamps=True, **options)
        found = transcribe(ScriptedModel(script), sound((0.5, seconds)), settings)
        for one in found.segments:
            assert "".join(word.text for word in one.words) == one.text
        return [
            [(word.text, round(word.start, 2), round(word.end, 2)) for word in one.words]
            for one in found.segments
        ]

    def test_absolute_times(self) -> None:
        first, second = self.words(says(text(" turn on"), text(" yes.")), 40)
        # Seven tokens share 30 s. The fifth, " turn", predicts " on", the sixth the end of the text.
        # What lies before " turn" is a pause: no word lasts more than twice 0.7 s after one.
        np.testing.assert_allclose(
            [(start, end) for _, start, end in first],
            [(4 * 30 / 7 - 1.4, 4 * 30 / 7), (4 * 30 / 7, 5 * 30 / 7)],
            atol=0.1,
        )
        ((word, start, end),) = second
        assert word == " yes."
        assert start == pytest.approx(end - 1.4)
        # " yes" only: the stop at its end has no time of its own.
        assert end == pytest.approx(30.0 + 4 * 10 / 7, abs=0.1)

    def test_not_unless_asked_for(self) -> None:
        found = transcribe(ScriptedModel(says(text(" turn on"))), sound((0.5, 4)))
        assert found.segments[0].words == ()

    def test_each_segment_has_its_own(self) -> None:
        answer = [t(0), *text(" turn on,"), t(2), t(3), *text(" yes"), t(5)]
        first, second = self.words(says(answer), 6, timestamps=True)
        assert [word for word, _, _ in first] == [" turn", " on,"]
        assert [word for word, _, _ in second] == [" yes"]

    @pytest.mark.parametrize("text_after", ["heating", ". yes", ",", "好"])
    def test_a_segment_that_does_not_begin_with_a_space(self, text_after: str) -> None:
        answer = [t(0), *text(" turn"), t(2), t(2), *text(text_after), t(5)]
        first, second = self.words(says(answer), 6, timestamps=True)
        assert [word for word, _, _ in first] == [" turn"]
        assert "".join(word for word, _, _ in second) == text_after

    def test_segments_of_white_space_are_left_out_with_their_words(self) -> None:
        answer = [t(0), *text("  "), t(2), t(2), *text(" yes"), t(5)]
        (only,) = self.words(says(answer), 6, timestamps=True)
        assert [word for word, _, _ in only] == [" yes"]

    def test_within_the_audio(self) -> None:
        # 2.5 s are encoded as 3 s; the last half second is silence that no word may reach into.
        (words,) = self.words(says(text(" turn on the heating")), 2.5)
        # Of nine tokens the eighth predicts the end of the text.
        assert words[-1][2] == pytest.approx(7 * 2.5 / 9, abs=0.03)

    def test_resumed_windows(self) -> None:
        found = self.words(TestResume().script, 20, timestamps=True, temperatures=(0.0,))
        assert [[word for word, _, _ in words] for words in found] == [[" turn", " on"], [" yes"]]
        assert found[1][0][1] >= 8.0
