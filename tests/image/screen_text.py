"""What is written on the device's screen, read by Tesseract."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.image.device import LOGIN_SECONDS, Booted


def text_of(picture: Path) -> str:
    """The words on a picture, in lower case, with single spaces."""
    command = ["tesseract", str(picture), "stdout", "--psm", "11"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return re.sub(r"\s+", " ", done.stdout).strip().lower()


def seen(booted: Booted, pictures: Path, words: str, seconds: float = LOGIN_SECONDS) -> float:
    """Wait until the screen shows some words; its picture is kept.

    Returns:
        When it was seen, in seconds since power-on.
    """
    if shutil.which("tesseract") is None:
        pytest.skip("no tesseract: tools/setup/install_packages.sh @tools/setup/packages/boot.txt")
    picture = pictures / f"{words.replace(' ', '_')}.png"
    deadline = time.monotonic() + seconds
    while True:
        taken = booted.machine.seconds()
        booted.machine.screenshot(picture)
        text = text_of(picture)
        # One model writes "Front, center.", another one "front center".
        if words in re.sub(r"[^\w\s]", "", text):
            return taken
        assert time.monotonic() < deadline, f"the screen does not show '{words}' but: {text}"
        time.sleep(1)
