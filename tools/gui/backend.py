"""The real backend with the bundled model, to be started, killed and started again on the same ports."""

from __future__ import annotations

import http.client
import json
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import yaml

from tools.gui.gui_error import GuiError
from tools.process.child import Child
from tools.process.ports import free_ports

START_SECONDS: Final = 120.0


class Backend:
    """``rtap serve``, with a simulated car that knows the way home; stopped at the end of ``with``.

    Args:
        place: a directory for its profile, and for what the car keeps.
        audio: the profile's section; None: no microphone.
        models: directory of models beside the bundled one.
    """

    def __init__(
        self, place: Path, audio: dict[str, Any] | None = None, models: Path | None = None
    ) -> None:
        self._ports = free_ports()
        self._profile = place / "backend.yaml"
        self._car = place / "vehicle.json"
        self._process: Child | None = None
        places = place / "places.txt"
        places.write_text("home\n", encoding="utf-8")
        text = yaml.safe_dump(
            {
                "inherits": "default",
                "audio": audio or {"source": "none"},
                "stt": {"model_name": "cabin-en"},
                "intents": {"places": str(places)},
                "vehicle": {"state": str(self._car)},
                "models_dir": None if models is None else str(models),
                "output": self._ports,
            }
        )
        self._profile.write_text(text, encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.stop()

    @property
    def arguments(self) -> list[str]:
        """The GUI's arguments to find it."""
        return [
            *("--backend", f"http://127.0.0.1:{self._ports['http_port']}"),
            *("--events-port", str(self._ports["websocket_port"])),
        ]

    @property
    def car(self) -> dict[str, Any]:
        """What was set in the car, by the paths of its signals."""
        return dict(json.loads(self._car.read_text("utf-8"))) if self._car.exists() else {}

    def start(self) -> None:
        """Start it, and do not wait."""
        command = [sys.executable, "-P", "-m", "rtap", "serve", "--file", str(self._profile)]
        self._process = Child(command)

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process = None

    def wait_until_healthy(self) -> None:
        """Wait for its model.

        Raises:
            GuiError: it does not come.
        """
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while not self._is_healthy():
            if self._process.has_ended or time.monotonic() > deadline:
                raise GuiError(f"`rtap serve` did not start: {self._process.complaint()}")
            time.sleep(0.05)

    @property
    def model_name(self) -> str:
        """Of the model that is loaded."""
        with self._get("/model/info") as reply:
            return str(json.load(reply)["model_name"])

    def _is_healthy(self) -> bool:
        try:
            with self._get("/health") as reply:
                return bool(reply.status == http.client.OK)
        except OSError:  # nobody listens, or 503
            return False

    def _get(self, path: str) -> http.client.HTTPResponse:
        url = f"http://127.0.0.1:{self._ports['http_port']}{path}"
        reply: http.client.HTTPResponse = urllib.request.urlopen(url, timeout=1)
        return reply
