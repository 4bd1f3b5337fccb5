"""The GUI as a process on a display, and what it reports about itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psutil

from tools.gui.gui_error import GuiError
from tools.gui.virtual_display import VirtualDisplay
from tools.process.child import Child

_PREFIX: Final = "screen: "
WAIT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What the screen shows.

    Args:
        state: idle, listening, thinking or error.
        backend: starting, ready, lost or failed.
        answer: what the assistant says to the final; empty: nothing.
        earcon: how that went: done, failed, heard or question; empty without an answer.
        card: state of the newest command: doing, done, taken back, told, refused, timed out, asking or
            dropped; empty: there is no card.
        title: what it is about.
        before: what held before it; empty: not known.
        value: what holds now; empty: nothing that could be written so.
        can_undo: whether there is a button that takes it back.
        history: number of its entries.
    """

    state: str
    backend: str
    can_talk: bool
    partial: str
    final: str
    answer: str
    earcon: str
    card: str
    title: str
    before: str
    value: str
    can_undo: bool
    error: str
    history: int


@dataclass(frozen=True, slots=True)
class Frames:
    """About a second while the waveform moved.

    Args:
        frames: drawn in it.
        ms: its length.
        longest_ms: from one frame to the next.
    """

    frames: int
    ms: float
    longest_ms: float

    @property
    def per_second(self) -> float:
        """Frames per second."""
        return 1000 * self.frames / self.ms


@dataclass(frozen=True, slots=True)
class Home:
    """A directory of its own for what the GUI stores.

    Args:
        path: empty at first.
    """

    path: Path

    def store(self, settings: Mapping[str, str]) -> None:
        """What a driver has chosen, by names such as ``screen/language``."""
        groups: dict[str, list[str]] = {}
        for name, value in settings.items():
            group, _, key = name.partition("/")
            groups.setdefault(group, []).append(f"{key}={value}")
        lines = [line for group, keys in groups.items() for line in (f"[{group}]", *keys)]
        file = self.path / "config/voice-assistant/qt6-voice-assistant.ini"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def history(self) -> list[dict[str, Any]]:
        """The stored history, oldest first."""
        file = self.path / "data/voice-assistant/qt6-voice-assistant/history.jsonl"
        if not file.exists():
            return []
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()]

    @property
    def environment(self) -> dict[str, str]:
        """For the GUI."""
        return {
            "XDG_CONFIG_HOME": str(self.path / "config"),
            "XDG_DATA_HOME": str(self.path / "data"),
            "XDG_CACHE_HOME": str(self.path / "cache"),
        }


class Application:
    """Fills its display; ended at the end of ``with``.

    Args:
        program: the executable.
        display: with nothing else on it.
        home: where it stores.
        arguments: such as the backend's address.
        environment: such as the microphone's.
    """

    def __init__(
        self,
        program: Path,
        display: VirtualDisplay,
        home: Home,
        arguments: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self._display = display
        self._changed = threading.Condition()
        self._shown: list[Shown] = []
        self.frames: list[Frames] = []
        self.complaints: list[str] = []
        """All that it wrote besides."""
        self._process = Child(
            [str(program), "--fullscreen", "--report", *arguments],
            {"LC_ALL": "C.UTF-8", "QT_FORCE_STDERR_LOGGING": "1"}
            | display.environment
            | home.environment
            | dict(environment),
            on_line=self._read,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stop()

    @property
    def seen(self) -> list[Shown]:
        """All that it has shown so far."""
        with self._changed:
            return list(self._shown)

    @property
    def memory(self) -> int:
        """Bytes that are its own, and its share of what it uses with others."""
        return int(psutil.Process(self._process.pid).memory_full_info().pss)

    def wait_for(
        self, what: str, condition: Callable[[Shown], bool], seconds: float = WAIT_SECONDS
    ) -> Shown:
        """Wait until the screen shows something.

        Args:
            what: for the error's message.
            condition: true for it.
            seconds: no longer than this.

        Raises:
            GuiError: it did not come.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: bool(self._shown) and condition(self._shown[-1]), seconds
            ):
                last = self._shown[-1] if self._shown else "nothing"
                raise GuiError(
                    f"no {what} within {seconds:.0f} s, the screen shows {last}: {self._process.complaint()}"
                )
            return self._shown[-1]

    # TalkPage.qml and CardView.qml keep these places: the button in a column at the end, the settings above
    # it, the card in the column at the beginning, its way back at the end of its last line.

    def press_button(self) -> None:
        """Hold the microphone button."""
        self._display.press(
            self._display.width - 0.246 * self._display.height, self._display.height / 2
        )

    def release_button(self) -> None:
        """Let it go."""
        self._display.release()

    def tap_button(self) -> None:
        """Tap the microphone button."""
        self.press_button()
        self.release_button()

    def tap_undo(self) -> None:
        """Take back what a command did, with the button on its card."""
        height = self._display.height
        self._display.tap(self._display.width - 0.66 * height, 0.515 * height)

    def open_settings(self) -> None:
        """Tap the button at the end of the status bar."""
        height = self._display.height
        self._display.tap(self._display.width - 0.095 * height, 0.082 * height)

    def close_settings(self) -> None:
        """Tap the way back at their beginning."""
        self._display.tap(0.1 * self._display.height, 0.1 * self._display.height)

    def _read(self, line: str) -> None:
        if not line.startswith(_PREFIX):
            self.complaints.append(line.rstrip())
            return
        fields = json.loads(line.removeprefix(_PREFIX))
        with self._changed:
            if "frames" in fields:
                self.frames.append(Frames(**fields))
            else:
                self._shown.append(Shown(**fields))
            self._changed.notify_all()
