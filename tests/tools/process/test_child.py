"""A program that runs beside this one."""

from __future__ import annotations

import sys
import threading

import pytest

from tests.deadlines import SOON
from tools.process.child import Child

HELLO = "import os; print(os.environ['GREETING'], flush=True)"
FOREVER = "import signal; print('there', flush=True); signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {FOREVER}"


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_lines_and_environment() -> None:
    lines: list[str] = []
    with Child(python(HELLO), {"GREETING": "hello"}, on_line=lines.append) as child:
        assert child.wait(SOON) == 0
    assert lines == ["hello\n"]
    assert child.complaint() == "hello"


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_ends(ending: str) -> None:
    there = threading.Event()
    with Child(python(FOREVER), on_line=lambda _: there.set()) as child:
        assert there.wait(SOON)
        assert not child.has_ended
        getattr(child, ending)()
        assert child.has_ended


def test_ends_with_the_block() -> None:
    with Child(python(FOREVER)) as child:
        assert not child.has_ended
    assert child.has_ended


def test_stubborn_one_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.process.child._STOP_SECONDS", 0.2)
    there = threading.Event()
    with Child(python(STUBBORN), on_line=lambda _: there.set()) as child:
        assert there.wait(SOON)
        child.stop()
        assert child.has_ended
