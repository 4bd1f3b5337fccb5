"""What the GUI is made to do for its pictures, and when they are taken."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.gui.application import Application, Home, Shown
from tools.gui.backend import Backend
from tools.gui.virtual_display import VirtualDisplay, virtual_display
from tools.gui.virtual_microphone import VirtualMicrophone
from tools.process.child import Child
from tools.root import ROOT

_AUDIO: Final = ROOT / "tests/audio"
_EARLIER: Final = ("turn_on_the_heating.wav", "navigate_home.wav")
_COMMAND: Final = "set_the_temperature.wav"
_WAVEFORM_SECONDS: Final = 0.7
"""Of speech, before there is a partial."""
_DRAWING_SECONDS: Final = 0.3
"""From a change of what is shown until it can be seen."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One look of the screen.

    Args:
        suffix: of the pictures' names.
        settings: that the driver chose.
        scenes: that are kept.
    """

    width: int
    height: int
    suffix: str
    settings: Mapping[str, str]
    scenes: tuple[str, ...]


SCENES: Final = (
    *("starting", "idle", "listening", "partial"),
    *("card", "undone", "settings", "error"),
)
VARIANTS: Final = (
    Variant(800, 480, "800x480", {}, SCENES),
    Variant(1280, 720, "1280x720", {}, SCENES),
    Variant(800, 480, "800x480-day", {"screen/night_theme": "false"}, ("card", "settings")),
    Variant(
        800,
        480,
        "800x480-german",
        {"screen/language": "de"},
        ("idle", "card", "undone", "settings", "error"),
    ),
)


class Photographer:
    """Takes the pictures of one variant.

    Args:
        program: the GUI.
        folder: where the pictures go.
        microphone: None: the GUI plays the file itself.
    """

    def __init__(
        self, program: Path, folder: Path, variant: Variant, microphone: VirtualMicrophone | None
    ) -> None:
        self._program = program
        self._folder = folder
        self._variant = variant
        self._microphone = microphone
        self.pictures: list[Path] = []

    def take_all(self) -> None:
        """From the start to the backend's end.

        Raises:
            GuiError: the GUI does not do what it should.
        """
        size = (self._variant.width, self._variant.height)
        with tempfile.TemporaryDirectory(prefix="gui-") as place, virtual_display(*size) as display:
            home = Home(Path(place))
            home.store(self._variant.settings)
            with Backend(Path(place)) as backend:
                self._talk_earlier(display, home, backend)
                backend.kill()
                self._be_photographed(display, home, backend)

    def _talk_earlier(self, display: VirtualDisplay, home: Home, backend: Backend) -> None:
        backend.start()
        backend.wait_until_healthy()
        for number, name in enumerate(_EARLIER, start=1):
            with self._application(display, home, backend, name) as application:
                application.wait_for("ready screen", _is_ready)
                self._say(application, name, lambda: None)
                application.wait_for("history", lambda shown: shown.history == number)  # noqa: B023

    def _be_photographed(self, display: VirtualDisplay, home: Home, backend: Backend) -> None:
        with self._application(display, home, backend, _COMMAND) as application:
            application.wait_for("start", lambda shown: shown.history == len(_EARLIER))
            self._take(display, "starting")
            backend.start()
            application.wait_for("ready screen", _is_ready)
            self._take(display, "idle")
            self._say(application, _COMMAND, lambda: self._take_speech(display, application))
            application.wait_for("card", lambda shown: shown.card == "done")
            self._take(display, "card")
            application.tap_undo()
            application.wait_for("undone card", lambda shown: shown.card == "taken back")
            self._take(display, "undone")
            application.open_settings()
            self._take(display, "settings")
            application.close_settings()
            backend.kill()
            application.wait_for("lost backend", lambda shown: shown.backend == "lost")
            self._take(display, "error")

    def _take_speech(self, display: VirtualDisplay, application: Application) -> None:
        time.sleep(_WAVEFORM_SECONDS)
        self._take(display, "listening")
        application.wait_for("partial", lambda shown: len(shown.partial.split()) > 4)
        self._take(display, "partial")

    def _say(self, application: Application, name: str, meanwhile: Callable[[], None]) -> None:
        """Tap, speak, and wait for the final; a tap ends with what was said."""
        before = application.seen[-1].history
        application.tap_button()
        application.wait_for("listening screen", lambda shown: shown.state == "listening")
        player: Child | None = None
        if self._microphone is not None:
            player = self._microphone.play(_AUDIO / name)
        meanwhile()
        application.wait_for(
            "final", lambda shown: shown.history > before and shown.state == "idle"
        )
        if player is not None:
            player.stop()

    def _application(
        self, display: VirtualDisplay, home: Home, backend: Backend, name: str
    ) -> Application:
        sound: list[str] = []
        environment: Mapping[str, str] = {}
        if self._microphone is None:
            sound = ["--source-file", str(_AUDIO / name)]
        else:
            environment = self._microphone.environment
        arguments = [*backend.arguments, *sound]
        return Application(self._program, display, home, arguments, environment)

    def _take(self, display: VirtualDisplay, scene: str) -> None:
        if scene not in self._variant.scenes:
            return
        time.sleep(_DRAWING_SECONDS)
        file = self._folder / f"{scene}-{self._variant.suffix}.png"
        display.save(file)
        self.pictures.append(file)


def _is_ready(shown: Shown) -> bool:
    return shown.can_talk and shown.state == "idle"
