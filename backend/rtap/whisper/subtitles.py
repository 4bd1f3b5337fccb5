"""A transcription as plain text, JSON, SubRip (.srt) or WebVTT (.vtt). Pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rtap.whisper.result import Segment, Transcription, Word


@dataclass(slots=True)
class _Cue:
    start: int
    """Milliseconds."""
    end: int
    text: str


def to_text(transcription: Transcription, *, timestamps: bool = False) -> str:
    """The text on one line; with ``timestamps`` a line per segment, or per word where words are known.

    Ends with a newline unless nothing was said.
    """
    if timestamps:
        return "".join(
            f"[{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}] {cue.text}\n"
            for cue in _cues(transcription)
        )
    text = _one_line(transcription.text)
    return f"{text}\n" if text else ""


def to_json(transcription: Transcription, file: str, total_time: float) -> dict[str, Any]:
    """Everything that is known, as a dictionary that ``json.dumps`` takes.

    Args:
        file: name of the audio file.
        total_time: wall time that this file took, in seconds.
    """
    return {
        "file": file,
        "text": _one_line(transcription.text),
        "language": transcription.language,
        "language_probability": rounded(transcription.language_probability, 4),
        "duration": rounded(transcription.duration, 3),
        "inference_time": rounded(transcription.inference_time, 4),
        "total_time": rounded(total_time, 4),
        **{name: rounded(value, 4) for name, value in transcription.figures.items()},
        "segments": [
            _segment_to_json(number, segment)
            for number, segment in enumerate(transcription.segments)
        ],
    }


def _segment_to_json(number: int, segment: Segment) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": number,
        "start": rounded(segment.start, 3),
        "end": rounded(segment.end, 3),
        "text": segment.text,
        "language": segment.language,
        "avg_logprob": rounded(segment.average_log_probability, 4),
        "compression_ratio": rounded(segment.compression_ratio, 4),
        "no_speech_prob": rounded(segment.no_speech_probability, 4),
        "temperature": rounded(segment.temperature, 2),
    }
    if segment.words:
        document["words"] = [
            {
                "word": word.text,
                "start": rounded(word.start, 3),
                "end": rounded(word.end, 3),
                "probability": rounded(word.probability, 4),
            }
            for word in segment.words
        ]
    return document


def to_srt(transcription: Transcription) -> str:
    """SubRip subtitles; empty when nothing was said."""
    # SubRip knows no escapes, and an arrow in the text would be taken for a time line.
    return "".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n"
        f"{cue.text.replace('-->', '->')}\n\n"
        for number, cue in enumerate(_cues(transcription), start=1)
    )


def to_vtt(transcription: Transcription) -> str:
    """WebVTT subtitles; only the header when nothing was said."""
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escaped(cue.text)}\n\n"
        for cue in _cues(transcription)
    )


SUBTITLES: dict[str, Callable[[Transcription], str]] = {"srt": to_srt, "vtt": to_vtt}


def _cues(transcription: Transcription) -> list[_Cue]:
    """One cue per segment, or per word where words are known; in order, never overlapping or empty."""
    cues: list[_Cue] = []
    for segment in transcription.segments:
        spans: tuple[Segment, ...] | tuple[Word, ...] = segment.words or (segment,)
        for span in spans:
            if text := _one_line(span.text):
                _append(cues, _Cue(_milliseconds(span.start), _milliseconds(span.end), text))
    return cues


def _append(cues: list[_Cue], cue: _Cue) -> None:
    if cues and cue.start < cues[-1].end:
        if cue.start > cues[-1].start:
            cues[-1].end = cue.start
        else:
            cue.start = cues[-1].end
    cue.end = max(cue.end, cue.start + 1)
    cues.append(cue)


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _clock(milliseconds: int, decimal_mark: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal_mark}{milliseconds:03}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rounded(value: float, digits: int) -> float | None:
    """None for NaN and infinity, which JSON cannot hold."""
    return round(float(value), digits) if math.isfinite(value) else None
