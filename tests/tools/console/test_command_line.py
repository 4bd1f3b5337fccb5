"""tools.console.command_line: how a tool ends, and what it says on the way."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from rtap.errors import ConfigurationError
from tools.console.command_line import report_step, run


def test_an_error_is_one_line_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(argv: Sequence[str]) -> int:
        raise ConfigurationError(f"no {argv[0]}: make it")

    monkeypatch.setattr(sys, "argv", ["tools/bake.py", "bread"])
    with pytest.raises(SystemExit) as ended:
        run(main)
    assert ended.value.code == ConfigurationError.exit_status
    assert capsys.readouterr().err == "bake: error: no bread: make it\n"


def test_steps_are_no_result(capsys: pytest.CaptureFixture[str]) -> None:
    report_step("bake", "the dough")
    assert capsys.readouterr() == ("", "bake: the dough ...\n")
