"""The page ``/try`` as tests use it, whatever they are about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Locator, Page, expect

from rtap.config import Config, IntentsConfig, VehicleConfig
from tests.backend.transports.serving import Server

NBSP: Final = "\u00a0"
"""Between a value and its unit."""


def quick(folder: Path, **sections: Any) -> Config:
    """Without the sentences of commands, which take a while to load, and with a car in this folder."""
    car = VehicleConfig(state=folder / "car.json")
    return replace(Config(intents=IntentsConfig(enabled=False), vehicle=car), **sections)


def page_of(server: Server) -> str:
    return f"http://{server.address}/try"


def state(page: Page, expected: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-state", expected)


def said(page: Page, *texts: str) -> None:
    """Wait for all that was understood, the newest first."""
    expect(page.locator("#finals .said")).to_have_text(list(texts))


def problem(page: Page, text: str) -> None:
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(text)
    expect(alert).to_be_visible()


def type_command(page: Page, text: str) -> None:
    page.get_by_label("Command", exact=True).fill(text)
    page.get_by_role("button", name="Send").click()


def step(page: Page, kind: str, text: str) -> None:
    """Wait for a step of the newest turn."""
    expect(page.locator(f"#finals > li:first-child .{kind}")).to_contain_text(text)


def shown(page: Page, label: str) -> Locator:
    """The values of a row of the car's signals."""
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=label, exact=True))
    return row.locator(".value")
