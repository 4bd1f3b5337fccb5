"""The check over units: what systemd itself takes and a driver would suffer from."""

from __future__ import annotations

import pytest

from tools.root import ROOT
from tools.system.image_checks.units import refused_by_libinput

UNIT = ROOT / "meta-userapp/recipes-gui/qt6-voice-assistant/files/voice-assistant.service"


@pytest.mark.parametrize("rule", ["char-input r", "char-input", "char-input w"])
def test_touch_needs_devices_for_reading_and_writing(rule: str) -> None:
    told = refused_by_libinput(f"[Service]\nDevicePolicy=closed\nDeviceAllow={rule}\n")
    assert told.startswith(f"DeviceAllow={rule} leaves touch screens and keyboards dead")


@pytest.mark.parametrize("rule", ["char-input rw", "char-input rwm", "char-alsa r"])
def test_other_rules_are_taken(rule: str) -> None:
    assert refused_by_libinput(f"[Service]\nDeviceAllow={rule}\n") == ""


def test_our_screen_can_be_touched() -> None:
    unit = UNIT.read_text()
    assert "DeviceAllow=char-input" in unit
    assert refused_by_libinput(unit) == ""
