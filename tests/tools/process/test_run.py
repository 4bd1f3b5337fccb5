"""tools.process.run: programs, what they say and how they end."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tools.process.run import ProgramError, complaint, run


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


def test_of_several_errors_either_the_first_or_the_last() -> None:
    said = "ERROR: first\nE: second\nbye\n"
    assert complaint(said) == "ERROR: first"
    assert complaint(said, is_last=True) == "E: second"


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > {tmp_path / 'child'}; echo started; wait"
    with pytest.raises(ProgramError, match="sh took longer than 1 s"):
        run(["sh", "-c", script], tmp_path / "log", seconds=1)
    child = int((tmp_path / "child").read_text())
    # The signal is only sent: a busy machine takes a moment to carry it out.
    for _ in range(200):
        if _ended(child):
            return
        time.sleep(0.05)
    pytest.fail(f"process {child} still runs")


def _ended(process: int) -> bool:
    """Whether it is gone, or a zombie: whoever adopts it may not have reaped it yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_the_environment_is_the_one_given(tmp_path: Path) -> None:
    done = run(["/usr/bin/env"], tmp_path / "log", environment={"ONLY": "this"})
    assert done.text == "ONLY=this\n"


def test_it_runs_with_low_priority(tmp_path: Path) -> None:
    done = run(["nice"], tmp_path / "log")
    assert int(done.text) == min(os.nice(0) + 10, 19)
