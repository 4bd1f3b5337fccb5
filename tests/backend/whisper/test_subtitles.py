"""rtap.whisper.subtitles: text, JSON, SubRip and WebVTT."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtap.whisper.result import Segment, Transcription, Word
from rtap.whisper.subtitles import to_json, to_srt, to_text, to_vtt


def segment(start: float, end: float, text: str, *words: Word) -> Segment:
    return Segment(start, end, text, (1, 2), "en", -0.25, 1.1, 0.01, 0.0, words)


def transcription(*segments: Segment, duration: float = 10.0) -> Transcription:
    text = "".join(part.text for part in segments)
    language = segments[0].language if segments else None
    return Transcription(text, language, 0.98, duration, 0.5, segments)


TWO = transcription(segment(0.0, 1.5, " Turn left."), segment(3661.0, 3662.25, " Now & then <b>."))
SPOKEN = transcription(
    segment(0, 1, " Hi you", Word(" Hi", 0, 0.4, 0.9), Word(" you", 0.4, 1, 0.8))
)
NOTHING = transcription(duration=0.0)


def test_text() -> None:
    assert to_text(TWO) == "Turn left. Now & then <b>.\n"
    assert to_text(NOTHING) == ""
    assert to_text(TWO, timestamps=True) == (
        "[00:00:00.000 --> 00:00:01.500] Turn left.\n"
        "[01:01:01.000 --> 01:01:02.250] Now & then <b>.\n"
    )
    assert to_text(SPOKEN, timestamps=True).count("\n") == 2


def test_srt() -> None:
    assert to_srt(TWO) == (
        "1\n00:00:00,000 --> 00:00:01,500\nTurn left.\n\n"
        "2\n01:01:01,000 --> 01:01:02,250\nNow & then <b>.\n\n"
    )
    assert to_srt(NOTHING) == ""


def test_vtt() -> None:
    assert to_vtt(TWO) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.500\nTurn left.\n\n"
        "01:01:01.000 --> 01:01:02.250\nNow &amp; then &lt;b&gt;.\n\n"
    )
    assert to_vtt(NOTHING) == "WEBVTT\n\n"


def test_one_subtitle_per_word() -> None:
    assert to_srt(SPOKEN) == (
        "1\n00:00:00,000 --> 00:00:00,400\nHi\n\n2\n00:00:00,400 --> 00:00:01,000\nyou\n\n"
    )


@pytest.mark.parametrize(
    "text", ["a\n\nb", "a\r\nb", "a --> b", "00:00.000 --> 00:01.000", "a\u2028b"]
)
def test_text_cannot_break_out_of_its_subtitle(text: str) -> None:
    for subtitles in (
        to_srt(transcription(segment(0, 1, text))),
        to_vtt(transcription(segment(0, 1, text))),
    ):
        assert subtitles.count("-->") == 1
        assert len(subtitles.removeprefix("WEBVTT\n\n").strip("\n").splitlines()) in (2, 3)


def test_segments_without_text_have_no_subtitle() -> None:
    assert to_srt(transcription(segment(0, 1, " \n"), segment(1, 2, "a"))).startswith("1\n00:00:01")


def test_longer_than_a_day() -> None:
    assert "100:00:00,000 --> 100:00:01,000" in to_srt(transcription(segment(360000, 360001, "a")))


@given(st.lists(st.tuples(st.floats(-5, 100), st.floats(-5, 100)), max_size=20))
def test_subtitles_never_overlap_or_go_back(spans: list[tuple[float, float]]) -> None:
    lines = to_vtt(transcription(*(segment(start, end, "a") for start, end in spans))).splitlines()
    times = [seconds(time) for line in lines if "-->" in line for time in line.split(" --> ")]
    assert len(times) == 2 * len(spans)
    assert all(start < end for start, end in zip(times[::2], times[1::2], strict=True))
    assert times == sorted(times)


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def test_json() -> None:
    document = to_json(SPOKEN, "a.wav", total_time=0.61234567)
    assert json.loads(json.dumps(document, allow_nan=False)) == {
        "file": "a.wav",
        "text": "Hi you",
        "language": "en",
        "language_probability": 0.98,
        "duration": 10.0,
        "inference_time": 0.5,
        "total_time": 0.6123,
        **{name: round(value, 4) for name, value in SPOKEN.figures.items()},
        "segments": [
            {
                "id": 0,
                "start": 0,
                "end": 1,
                "text": " Hi you",
                "language": "en",
                "avg_logprob": -0.25,
                "compression_ratio": 1.1,
                "no_speech_prob": 0.01,
                "temperature": 0.0,
                "words": [
                    {"word": " Hi", "start": 0, "end": 0.4, "probability": 0.9},
                    {"word": " you", "start": 0.4, "end": 1, "probability": 0.8},
                ],
            }
        ],
    }


def test_json_of_nothing() -> None:
    document = to_json(NOTHING, "a.wav", 0.1)
    assert (document["rtf"], document["text"], document["segments"]) == (0.0, "", [])
    assert document["language"] is None


def test_json_holds_no_words_that_are_not_known() -> None:
    assert "words" not in to_json(TWO, "a.wav", 0.1)["segments"][0]


def test_json_holds_no_nan() -> None:
    odd = Segment(0, 1, "a", (), "en", -math.inf, math.nan, 0, 0)
    document = to_json(transcription(odd), "a.wav", 0.1)
    assert document["segments"][0]["avg_logprob"] is None
    json.dumps(document, allow_nan=False)
