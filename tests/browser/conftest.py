"""Debian's Chromium, with a microphone that plays a file, and the service that its pages come from."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import soundfile
import soxr
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from rtap.audio.format import Samples
from tests.backend.transports.serving import wait_until
from tests.deadlines import SOON
from tests.running_service import AUDIO, Running, service

ELSEWHERE: Final = "car.test"
"""A name for this machine that browsers take for another's."""
_MICROPHONE_RATE: Final = 48_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    place = tmp_path_factory.mktemp("service")
    contacts = place / "contacts.txt"
    contacts.write_text("Anna Schmidt\nAnna Berg\n", encoding="utf-8")
    output = {"allowed_hosts": [ELSEWHERE]}
    with service(place, output=output, intents={"contacts": str(contacts)}) as one:
        one.wait_until_healthy()
        # Until the sentences are loaded the car is not known, and the page has commands only understood.
        wait_until(lambda: httpx.get(one.url("/vehicle"), timeout=SOON).status_code == 200)
        yield one


# ---- the browser


@dataclass
class Visit:
    """A page, and what a developer would see of it in the browser's tools."""

    page: Page
    console: list[str] = field(default_factory=list)
    """Errors and warnings."""
    exceptions: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
    """Addresses."""
    sockets: list[str] = field(default_factory=list)

    def open(self, url: str) -> None:
        page = self.page
        page.on("console", lambda one: self._heard(one.type, one.text))
        page.on("pageerror", lambda error: self.exceptions.append(str(error)))
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("websocket", lambda socket: self.sockets.append(socket.url))
        page.goto(url)

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.console.append(text)

    def hosts(self) -> set[str]:
        """Where the page asked for anything."""
        return {urlsplit(url).netloc for url in self.requested + self.sockets}


Browse = Callable[..., Visit]


@pytest.fixture(scope="module")
def chromium() -> str:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("apt-get install chromium")
    return path


# While it lives, an event loop runs in this thread: no test of another file could have its own.
@pytest.fixture(scope="module")
def playwright(chromium: str) -> Iterator[Playwright]:
    expect.set_options(timeout=1000 * SOON)
    with sync_playwright() as one:
        yield one


@pytest.fixture
def browse(playwright: Playwright, chromium: str) -> Iterator[Browse]:
    """Open a page. Whatever it does, it throws no exception.

    Arguments: `microphone`, a file that is spoken into it, None for no microphone at all; `allowed`, whether
    the user lets the page hear it; `script`, run in the page before its own; others are of the context.
    """
    visits: list[Visit] = []
    with ExitStack() as stack:

        def make(
            url: str,
            microphone: Path | None = None,
            *,
            allowed: bool = True,
            script: str = "",
            **settings: Any,
        ) -> Visit:
            browser = _launch(playwright, chromium, microphone, allowed=allowed)
            stack.callback(browser.close)
            visit = Visit(browser.new_context(**settings).new_page())
            visit.page.set_default_timeout(1000 * SOON)
            if script:
                visit.page.add_init_script(script)
            visits.append(visit)
            visit.open(url)
            return visit

        yield make
        assert not [error for visit in visits for error in visit.exceptions]


def _launch(
    playwright: Playwright, chromium: str, microphone: Path | None, *, allowed: bool
) -> Browser:
    arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"]
    if microphone is not None:
        arguments += [
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={microphone}%noloop",
        ]
    if allowed:
        arguments.append("--use-fake-ui-for-media-stream")
    return playwright.chromium.launch(executable_path=chromium, args=arguments, timeout=1000 * SOON)


def write_microphone(path: Path, *parts: Samples | float) -> Path:
    """A file for the browser's microphone: sound at 16 kHz, and seconds of silence."""
    sound = [
        np.zeros(round(part * 16_000), np.float32) if isinstance(part, float | int) else part
        for part in parts
    ]
    samples = soxr.resample(np.concatenate(sound), 16_000, _MICROPHONE_RATE)
    soundfile.write(path, samples, _MICROPHONE_RATE, subtype="PCM_16")
    return path


def spoken(name: str) -> Samples:
    samples: Samples = soundfile.read(AUDIO / f"{name}.wav", dtype="float32")[0]
    return samples
