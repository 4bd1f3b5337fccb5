"""What a terminal gets to see; its control sequences are undone by a very small terminal."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest

from rtap.cli.display import Display, JsonDisplay, LineDisplay, LiveDisplay, NotesAbove
from rtap.events import ErrorOccurred, Event, PartialTranscript, SpeechStarted, Transcript
from rtap.intents.intent import Understanding
from rtap.vehicle.result import ActionResult, Cause, Outcome, Reason
from tests.backend.transports.sample_events import ACTION, ANSWER, INTENT

FINAL = Transcript(
    "turn left", "s", "u", "en", 0.98, 1.5, 0.1, 0.617, 1000.0, 0.914, "microphone", None
)
PARTIAL = PartialTranscript("turn", "s", "u", 999.0)
FAULT = ErrorOccurred("stt", "PipelineError", "it failed: try again", 1000.0)
REFUSED = ActionResult(
    "OpenTrunk", Outcome.REFUSED, reason=Reason(Cause.MOVING, "the car\nmoves at 50 km/h")
)


@pytest.fixture(autouse=True)
def _sixty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


def screen(output: str) -> list[str]:
    """What stands on the screen in the end."""
    lines = output.replace("\x1b[90m", "").replace("\x1b[0m", "").split("\n")
    return [re.split("\r\x1b\\[K", line)[-1] for line in lines]


def live(hint: str = "", *, in_colour: bool = False) -> LiveDisplay:
    return LiveDisplay(hint, in_colour=in_colour)


def test_the_text_grows_behind_the_meter(capsys: pytest.CaptureFixture[str]) -> None:
    display = live("speak")
    display.refresh(-60.0)
    assert screen(capsys.readouterr().out) == [f"[{' ' * 16}] -60 dBFS  speak"]
    display.show(PARTIAL)
    display.refresh(-30.0)
    assert screen(capsys.readouterr().out) == ["[########        ] -30 dBFS  turn"]
    display.refresh(0.0)
    assert screen(capsys.readouterr().out) == ["[################]   0 dBFS  turn"]
    display.refresh(-90.0)
    assert screen(capsys.readouterr().out) == [f"[{' ' * 16}] -90 dBFS  turn"]


def test_a_final_takes_the_place_of_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    display = live()
    display.show(PARTIAL)
    display.refresh(-60.0)
    display.show(FINAL)
    display.refresh(-60.0)
    assert screen(capsys.readouterr().out) == [
        "turn left  (0.62 s, en 98%, confidence 91%)",
        f"[{' ' * 16}] -60 dBFS  ",
    ]
    display.show(replace(FINAL, text="", language=None))
    display.close()
    assert screen(capsys.readouterr().out) == ["(nothing understood, 0.62 s)", ""]


def test_only_what_is_not_final_is_grey(capsys: pytest.CaptureFixture[str]) -> None:
    display = live(in_colour=True)
    display.show(PARTIAL)
    display.refresh(-60.0)
    assert "\x1b[90mturn\x1b[0m" in capsys.readouterr().out
    display.show(FINAL)
    assert "\x1b[Kturn left  \x1b[90m(" in capsys.readouterr().out
    plain = live()
    plain.show(FINAL)
    plain.refresh(-60.0)
    assert "\x1b[90m" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a" * 30, "a" * 30),
        ("a" * 30 + "b", "…" + "a" * 28 + "b"),
        ("東" * 20, "…" + "東" * 14),
        ("one\ntwo\x1b[2Jthree", "one two [2Jthree"),
    ],
)
def test_the_line_never_wraps(text: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    display = live()
    display.show(replace(PARTIAL, text=text))
    display.refresh(-60.0)
    (line,) = screen(capsys.readouterr().out)
    assert line.partition("dBFS  ")[2] == shown


def test_errors_and_log_lines_stand_above(capsys: pytest.CaptureFixture[str]) -> None:
    display = live()
    display.refresh(-60.0)
    display.show(FAULT)
    captured = capsys.readouterr()
    assert screen(captured.out) == [""]
    assert captured.err == "rtap: error: it failed: try again\n"
    log = io.StringIO()
    display.refresh(-60.0)
    NotesAbove(display, log).write("a warning\n")
    assert log.getvalue() == "a warning\n"
    assert screen(capsys.readouterr().out) == [""]


def test_without_a_terminal_a_line_for_each_final(capsys: pytest.CaptureFixture[str]) -> None:
    display: Display = LineDisplay()
    for event in (SpeechStarted("s", 1.0), PARTIAL, FINAL, replace(FINAL, text=""), FAULT):
        display.show(event)
        display.refresh(-20.0)
    display.close()
    captured = capsys.readouterr()
    assert captured.out == "turn left\n"
    assert captured.err == "rtap: error: it failed: try again\n"


def test_json_has_every_event(capsys: pytest.CaptureFixture[str]) -> None:
    display: Display = JsonDisplay()
    for event in (PARTIAL, FINAL, FAULT):
        display.show(event)
    display.refresh(-20.0)
    display.close()
    captured = capsys.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    assert [row["type"] for row in rows] == ["partial", "transcript", "error"]
    assert rows[1]["text"] == "turn left"
    assert captured.err == ""


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (INTENT, "  SetTemperature temperature=21 celsius"),
        (replace(INTENT, understanding=Understanding("Hm.", "de", None)), ""),
        (
            replace(INTENT, understanding=Understanding("Hm.", "de", None, (), "go home")),
            "  did you mean: go home",
        ),
        (ACTION, "  done: Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature is 21 celsius"),
        (ANSWER, "> Die Temperatur ist 21 Grad."),
        (replace(ACTION, result=REFUSED), "  refused: the car moves at 50 km/h"),
    ],
)
def test_what_comes_of_a_command(
    event: Event, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    LineDisplay().show(event)
    assert capsys.readouterr().out == (f"{line}\n" if line else "")
    terminal = live()
    terminal.show(event)
    assert screen(capsys.readouterr().out)[0] == line
