"""How the takeovers are judged; the real thing is in tests/backend/test_standby_service.py."""

from __future__ import annotations

import shutil

import pytest

from rtap.errors import ConfigurationError
from rtap.standby.rules import Span
from tools.benchmarks.service import standby
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.standby_rig import Heard, Said

FIRST = Said("call anna", Span(100.0, 102.0))
SECOND = Said("go home", Span(104.0, 105.0))
TOLD = Heard("primary", "call anna", Span(100.1, 101.8))


def figures(outcome: standby.Outcome) -> dict[str, tuple[float | None, bool | None]]:
    return {one.name: (one.value, one.reached) for one in standby.described(outcome).figures}


def test_all_is_well() -> None:
    also = Heard("standby", "go home", Span(104.0, 104.9))
    found = figures(standby.Outcome([FIRST, SECOND], [TOLD, also], [0.4, 0.5], [103.0]))
    assert found["takeover, longest"] == (500.0, True)
    assert found["kills"] == (2, None)
    assert found["commands spoken"] == (2, None)
    assert found["told twice"] == (0, True)
    assert found["lost, in flight at a change"] == (0, None)
    assert found["lost, otherwise"] == (0, True)


def test_told_twice() -> None:
    again = Heard("standby", "call anna", Span(100.0, 101.9))
    outcome = standby.Outcome([FIRST], [TOLD, again], [0.4], [])
    assert outcome.doubled == [(TOLD, again)]
    assert figures(outcome)["told twice"] == (1, False)


@pytest.mark.parametrize(("turn", "in_flight"), [(104.5, 1), (106.0, 1), (103.9, 0), (107.0, 0)])
def test_lost(turn: float, in_flight: int) -> None:
    found = figures(standby.Outcome([FIRST, SECOND], [TOLD], [0.4], [turn]))
    assert found["lost, in flight at a change"] == (in_flight, None)
    assert found["lost, otherwise"] == (1 - in_flight, in_flight == 1)


def test_too_slow() -> None:
    assert figures(standby.Outcome([], [], [0.4, 1.1], []))["takeover, longest"][1] is False


def test_without_a_sound_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ConfigurationError, match="apt-get install pulseaudio"):
        standby.measure(Plan())
