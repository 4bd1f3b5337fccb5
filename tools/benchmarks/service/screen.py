"""How smoothly the touch screen's program draws, and what memory it takes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from rtap.errors import ConfigurationError
from tools.benchmarks.figures import distribution
from tools.benchmarks.result import Figure, Result
from tools.benchmarks.service.plan import Plan
from tools.gui import build, packages
from tools.gui.application import Application, Frames, Home
from tools.gui.backend import Backend
from tools.gui.virtual_display import virtual_display
from tools.root import ROOT

NAME: Final = "screen"
WHAT: Final = """\
`qt6-voice-assistant` on a virtual display, drawn by the processor, with the real service beside it: a finger
holds the button while the program plays a command in place of a microphone, so that the waveform and the
volume meter move and partial results come in. Frames are counted by the program, a second at a time; the
second in which the finger comes down is told apart. Memory is its proportional set size at the end."""

SIZES: Final = ((800, 480), (1280, 720))
FRAMES_PER_SECOND: Final = 60.0
MOST_MB: Final = 150.0
_SECONDS, _QUICK_SECONDS = 20, 4
_COMMAND: Final = ROOT / "tests/audio/set_the_temperature.wav"
_TOLERANCE: Final = 0.98
"""Of the goal: a second is counted by a timer of milliseconds."""
_MB: Final = 1e6


def measure(plan: Plan) -> Result:
    """At both sizes.

    Raises:
        ConfigurationError: Qt or the virtual display are not installed.
    """
    if advice := packages.advice():
        raise ConfigurationError(advice)
    program = build.application()
    seconds = plan.size(_SECONDS, _QUICK_SECONDS)
    figures = [
        figure for width, height in SIZES for figure in _at_size(program, width, height, seconds)
    ]
    return Result(NAME, WHAT, figures)


def _at_size(program: Path, width: int, height: int, seconds: int) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as place,
        virtual_display(width, height) as display,
        Backend(Path(place)) as backend,
    ):
        backend.start()
        arguments = [*backend.arguments, "--source-file", str(_COMMAND)]
        home = Home(Path(place) / "home")
        with Application(program, display, home, arguments, {}) as screen:
            screen.wait_for("service", lambda shown: shown.can_talk)
            screen.press_button()
            time.sleep(seconds)
            memory = screen.memory / _MB
            screen.release_button()
            return _figures(f"{width}x{height}", screen.frames, memory)


def _figures(size: str, seconds: list[Frames], memory: float) -> list[Figure]:
    moving = distribution([one.per_second for one in seconds[1:]])
    longest = distribution([one.longest_ms for one in seconds[1:]])
    if moving is None or longest is None:
        return [Figure(f"frames per second, {size}", None, "", reached=False)]
    is_smooth = moving.p50 >= _TOLERANCE * FRAMES_PER_SECOND
    return [
        Figure(f"frames per second, {size}, p50", moving.p50, "", ">= 60", is_smooth, moving),
        Figure(f"frames per second, {size}, in the first one", seconds[0].per_second, ""),
        Figure(f"longest frame of a second, {size}, p50", longest.p50, "ms", spread=longest),
        Figure(f"memory, {size}", memory, "MB", f"< {MOST_MB:g} MB", memory < MOST_MB),
    ]
