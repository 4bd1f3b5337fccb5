"""What is heard, for people and programs: a line that grows on a terminal, plain lines, or JSON."""

from __future__ import annotations

import io
import shutil
import unicodedata
from typing import Final, Protocol, TextIO

from rtap.audio.level import QUIETEST
from rtap.cli.terminal import report, write_result
from rtap.events import (
    ActionCompleted,
    AnswerGiven,
    ErrorOccurred,
    Event,
    IntentRecognized,
    PartialTranscript,
    Transcript,
)
from rtap.intents.intent import Value
from rtap.transports.schemas import event_message

_ERASE_LINE: Final = "\r\x1b[K"
_GREY: Final = "\x1b[90m"
_PLAIN: Final = "\x1b[0m"
_METER_CELLS: Final = 16
_METER_FROM: Final = -60.0
"""dBFS of an empty meter: a quiet room."""


class Display(Protocol):
    """Shows events as they come. All methods are for one thread."""

    def show(self, event: Event) -> None:
        """Something happened."""

    def refresh(self, level: float) -> None:
        """Some time passed, in which it was so loud, in dBFS."""

    def close(self) -> None:
        """There is no more."""


class JsonDisplay:
    """Every event as one JSON object, the same as on the events' WebSocket."""

    def show(self, event: Event) -> None:
        """See :meth:`Display.show`."""
        write_result(event_message(event).model_dump_json() + "\n")

    def refresh(self, level: float) -> None:
        """See :meth:`Display.refresh`."""

    def close(self) -> None:
        """See :meth:`Display.close`."""


class LineDisplay:
    """Every final transcript as one line, unless nothing was understood; below it what comes of a command."""

    def show(self, event: Event) -> None:
        """See :meth:`Display.show`."""
        if isinstance(event, ErrorOccurred):
            report("error", event.message)
        elif isinstance(event, Transcript) and event.text:
            write_result(_printable(event.text) + "\n")
        elif line := _consequence(event):
            write_result(line + "\n")

    def refresh(self, level: float) -> None:
        """See :meth:`Display.refresh`."""

    def close(self) -> None:
        """See :meth:`Display.close`."""


class LiveDisplay:
    """One line with the level and the text so far, above it the final transcripts.

    Args:
        hint: shown as long as nobody speaks.
        in_colour: whether what is not final is grey.
    """

    def __init__(self, hint: str, *, in_colour: bool) -> None:
        self._hint = hint
        self._grey, self._plain = (_GREY, _PLAIN) if in_colour else ("", "")
        self._text = ""
        self._level = QUIETEST

    def show(self, event: Event) -> None:
        """See :meth:`Display.show`."""
        if isinstance(event, PartialTranscript):
            self._text = _printable(event.text)
        elif isinstance(event, Transcript):
            self._text = ""
            details = f"{self._grey}({_details(event)}){self._plain}"
            text = f"{_printable(event.text)}  " if event.text else ""
            write_result(f"{_ERASE_LINE}{text}{details}\n")
        elif line := _consequence(event):
            write_result(f"{_ERASE_LINE}{line}\n")
        elif isinstance(event, ErrorOccurred):
            self._text = ""
            self.erase()
            report("error", event.message)

    def refresh(self, level: float) -> None:
        """See :meth:`Display.refresh`."""
        self._level = level
        meter = _meter(level)
        # The last column stays free: some terminals go to the next line when it is written.
        room = shutil.get_terminal_size().columns - len(meter) - 3
        text = _end_of(self._text or self._hint, room)
        write_result(f"{_ERASE_LINE}{meter}  {self._grey}{text}{self._plain}")

    def close(self) -> None:
        """See :meth:`Display.close`."""
        self.erase()

    def erase(self) -> None:
        """Take the line away, until the next :meth:`refresh`; from any thread."""
        write_result(_ERASE_LINE)


class NotesAbove(io.StringIO):
    """A stream for log lines, which do not get into the live line."""

    def __init__(self, display: LiveDisplay, stream: TextIO) -> None:
        super().__init__()
        self._display = display
        self._stream = stream

    def write(self, text: str) -> int:
        """Write whole lines to the stream."""
        self._display.erase()
        return self._stream.write(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()


def _details(transcript: Transcript) -> str:
    latency = f"{transcript.latency:.2f} s"
    if not transcript.text:
        return f"nothing understood, {latency}"
    language = transcript.language or "no language"
    return (
        f"{latency}, {language} {transcript.language_probability:.0%}, "
        f"confidence {transcript.confidence:.0%}"
    )


def _consequence(event: Event) -> str:
    """What comes of a transcript, below it; empty where nothing does."""
    if isinstance(event, IntentRecognized):
        intent, suggestion = event.understanding.intent, event.understanding.did_you_mean
        if intent is not None:
            slots = (f"{slot.name}={_value(slot.value, slot.unit)}" for slot in intent.slots)
            return f"  {_printable(' '.join((intent.name, *slots)))}"
        return "" if suggestion is None else f"  did you mean: {_printable(suggestion)}"
    if isinstance(event, ActionCompleted):
        result = event.result
        if result.reason is not None:
            return f"  {result.outcome}: {_printable(result.reason.text)}"
        held = (f"{one.path} is {_value(one.value, one.unit)}" for one in result.held)
        return f"  {result.outcome}: {', '.join(held)}"
    if isinstance(event, AnswerGiven):
        return f"> {_printable(event.answer.text)}"
    return ""


def _value(value: Value, unit: str | None) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{text} {unit}" if unit else text


def _meter(level: float) -> str:
    share = min(1.0, max(0.0, 1 - level / _METER_FROM))
    return f"[{'#' * round(share * _METER_CELLS):{_METER_CELLS}}] {round(level):3} dBFS"


def _printable(text: str) -> str:
    """One line: a text must not move the cursor."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _end_of(text: str, columns: int) -> str:
    """As much of the text's end as fits: what was said last is what is looked for."""
    if sum(map(_columns, text)) <= columns:
        return text
    kept = ""
    room = columns - 1
    for character in reversed(text):
        room -= _columns(character)
        if room < 0:
            break
        kept = character + kept
    return f"…{kept}" if columns > 0 else ""


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
