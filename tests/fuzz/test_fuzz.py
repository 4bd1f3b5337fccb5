"""Broken input of every kind, the same in every run. `make fuzz` searches on, by what it reaches."""

from __future__ import annotations

import resource
import time
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import Change, changed, changes
from tests.fuzz.targets import TARGETS, inputs

EXAMPLES: Final = 400
"""A minute for all targets together."""
SECONDS: Final = 10.0
"""Of processor, for one input of 64 kB at most."""
MEGABYTES: Final = 300
"""By which one target may let the process grow."""


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept(name: str) -> None:
    """What once was a fault, and what the search reached by it."""
    for data in inputs(name):
        _read(name, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_broken_input(name: str) -> None:
    before = _peak()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(inputs(name)), changes(TARGETS[name].words))
    def search(data: bytes, made: list[Change]) -> None:
        _read(name, changed(data, made))

    search()
    assert _peak() - before < MEGABYTES


def _read(name: str, data: bytes) -> None:
    began = time.process_time()
    TARGETS[name].read(data)
    assert time.process_time() - began < SECONDS


def _peak() -> float:
    """Largest resident size so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
