"""tools.yocto.process: programs, what they say and how they end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.yocto.process import ProgramError, complaint, run


def test_output_is_kept_and_returned_in_order(tmp_path: Path) -> None:
    log = tmp_path / "logs/one.log"
    done = run(["sh", "-c", "echo one; echo two >&2; echo three"], log)
    assert (done.status, done.text) == (0, "one\ntwo\nthree\n")
    assert log.read_text() == done.text


def test_a_failure_is_told_with_its_first_error_and_the_log(tmp_path: Path) -> None:
    script = "echo 'NOTE: begins'; echo 'ERROR: no room'; echo 'ERROR: another'; exit 3"
    done = run(["sh", "-c", script], tmp_path / "log", name="bitbake")
    with pytest.raises(ProgramError, match=r"bitbake failed with status 3: ERROR: no room; .*log"):
        done.require_success()


def test_without_an_error_line_the_last_one_is_the_complaint() -> None:
    assert complaint("one\n two \n\n") == "two"
    assert complaint("") == "no message"


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > {tmp_path / 'child'}; echo started; wait"
    with pytest.raises(ProgramError, match="sh took longer than 1 s"):
        run(["sh", "-c", script], tmp_path / "log", seconds=1)
    child = int((tmp_path / "child").read_text())
    status = Path(f"/proc/{child}/stat")
    # Whoever adopts it may not have reaped it yet.
    assert not status.exists() or status.read_text().split()[2] == "Z"


def test_the_environment_is_the_one_given(tmp_path: Path) -> None:
    done = run(["/usr/bin/env"], tmp_path / "log", environment={"ONLY": "this"})
    assert done.text == "ONLY=this\n"


def test_it_runs_with_low_priority(tmp_path: Path) -> None:
    done = run(["nice"], tmp_path / "log")
    assert int(done.text) == min(os.nice(0) + 10, 19)
