"""Progress where no terminal is, and where one is."""

from __future__ import annotations

import re
import sys

import pytest

from tools.console.progress import progress


def test_a_line_for_each_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("writing", 1000, "tool") as advance:
        for _ in range(100):
            advance(10)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "tool: writing ..."
    shares = [int(share) for line in lines[1:] for share in re.findall(r"(\d+) %", line)]
    assert shares == list(range(10, 101, 10))
    assert all(re.fullmatch(r"tool: writing: \d+ %, .*/s \.\.\.", line) for line in lines[1:])


def test_large_steps_are_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("writing", 1000) as advance:
        for count in (950, 45, 5):
            advance(count)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [
        "flash: writing: 90 %",
        "flash: writing: 100 %",
    ]


def test_without_a_total_no_share(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("writing", None) as advance:
        advance(10**8)
    assert "%" not in capsys.readouterr().err


def test_bar_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress("writing", 10**6) as advance:
        advance(10**6)
    text = capsys.readouterr().err
    assert "writing: 100%" in text
    assert "1.00M/1.00M" in text
