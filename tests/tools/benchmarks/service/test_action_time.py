"""Commands that a real service does, in a simulated car and in one at a real broker."""

from __future__ import annotations

import pytest

from rtap.errors import PipelineError
from tests.operations.programs import require
from tools.benchmarks.service import action_time
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.service_process import ServiceSettings
from tools.benchmarks.service.speech import phrases

pytestmark = pytest.mark.slow


def test_commands_are_done_in_both_cars() -> None:
    require("mosquitto")
    result = action_time.measure(Plan(is_quick=True))
    assert result.failure is None
    assert result.notes == ()
    names = [figure.name for figure in result.figures if figure.name.endswith("p95")]
    assert names == ["final to action, simulated, p95", "final to action, mosquitto, p95"]
    assert all(figure.value is not None and figure.value > 0 for figure in result.figures)


def test_what_is_not_done_is_no_figure() -> None:
    settings = ServiceSettings(vehicle={"adapter": "none"})
    spoken = [one for one in phrases() if one.text == "turn on the heating"]
    with pytest.raises(PipelineError, match=r"'turn on the heating' was not done: .*no car"):
        action_time._delays(settings, spoken, 1)
