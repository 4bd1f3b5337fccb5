"""rtap doctor: what the command makes of findings."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from rtap.__main__ import build_parser, main
from rtap.cli import doctor
from rtap.config import Config
from rtap.doctor import packages
from rtap.doctor.checks import CHECKS
from rtap.doctor.finding import Check, Finding
from rtap.errors import ModelError
from tests.backend.doctor.made_machine import recognizer


def run(*arguments: str, **checks: Check) -> int:
    return doctor.run(build_parser().parse_args(["doctor", *arguments]), checks)


def finds(verdict: Any, message: str = "said", fix: str = "") -> Check:
    return lambda config: Finding(verdict, message, fix)


def fails(error: Exception) -> Check:
    def check(config: Config) -> Finding:
        raise error

    return check


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RTAP_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("RTAP_ENVIRONMENT", raising=False)
    return tmp_path


@pytest.mark.usefixtures("profiles")
def test_one_line_for_each_check(capsys: pytest.CaptureFixture[str]) -> None:
    checks = {"one": finds("ok", "well"), "two": finds("warning", "slow", "`hurry`")}
    assert run(**checks) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "ok       one            well",
        "warning  two            slow: `hurry`",
    ]
    assert run(**checks, three=finds("problem", "broken\nin two", "mend it")) == 2
    assert capsys.readouterr().out.endswith("problem  three          broken in two: mend it\n")


@pytest.mark.usefixtures("profiles")
def test_a_check_that_raises_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    status = run(
        fault=fails(ModelError("no model: choose one")),
        bug=fails(ZeroDivisionError("by zero")),
        fine=finds("ok"),
    )
    assert status == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "problem  fault          no model: choose one"
    assert "the check itself failed (ZeroDivisionError: by zero)" in lines[2]
    assert lines[3].startswith("ok")


@pytest.mark.usefixtures("profiles")
def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", two=finds("problem", "slow", "hurry")) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["problems"] == 1
    assert [row["check"] for row in document["checks"]] == ["configuration", "two"]
    assert document["checks"][1] == {
        "check": "two",
        "verdict": "problem",
        "message": "slow",
        "fix": "hurry",
    }


def test_a_configuration_that_will_not_do(
    profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (profiles / "default.yaml").write_text("vad:\n  threshold: 3\n")
    seen: list[Config] = []

    def check(config: Config) -> Finding:
        seen.append(config)
        return Finding("ok", "")

    assert run(fine=check) == 2
    line = capsys.readouterr().out.splitlines()[0]
    assert "vad.threshold is 3: it must be from 0 to 1" in line
    assert "`rtap config check`" in line
    assert seen == [Config()]


def test_the_profile_is_what_is_checked(profiles: Path) -> None:
    (profiles / "car.yaml").write_text("stt:\n  num_threads: 3\n")
    seen: list[int] = []

    def check(config: Config) -> Finding:
        seen.append(config.stt.num_threads)
        return Finding("ok", "")

    assert run("--profile", "car", fine=check) == 0
    assert seen == [3]


@pytest.mark.usefixtures("profiles")
def test_logs_are_hidden_and_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    def check(config: Config) -> Finding:
        assert not logging.getLogger("rtap").isEnabledFor(logging.CRITICAL)
        return Finding("ok", "")

    assert run(fine=check) == 0
    assert logging.getLogger("rtap").isEnabledFor(logging.CRITICAL)


def test_everything_here(
    profiles: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On this machine, whatever it is: every check answers, none fails by itself."""
    monkeypatch.setattr(packages, "_import_faults", lambda names: {})
    recognizer(monkeypatch, 0.1)
    monkeypatch.setenv("RTAP_AUDIO_MOCK", "true")
    assert main(["doctor", "--json"]) in (0, 2)
    rows = json.loads(capsys.readouterr().out)["checks"]
    assert [row["check"] for row in rows] == ["configuration", *CHECKS]
    assert not any("itself failed" in row["message"] for row in rows)
