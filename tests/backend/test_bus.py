"""rtap.bus: who gets levels, and when."""

from __future__ import annotations

from rtap.bus import EventBus
from tests.backend.transports.sample_events import LEVEL, STARTED, STOPPED


def test_levels_are_for_who_wants_them() -> None:
    bus = EventBus()
    with bus.subscribe() as without:
        assert not bus.wants_levels
        with bus.subscribe(levels=True) as with_levels:
            assert bus.wants_levels
            bus.publish(LEVEL)
            assert with_levels.take() == [LEVEL]
        assert without.take() == []
    assert not bus.wants_levels


def test_a_level_takes_no_other_events_place() -> None:
    bus = EventBus()
    with bus.subscribe(capacity=2, levels=True) as slow:
        for event in (STARTED, LEVEL, STOPPED, LEVEL):
            bus.publish(event)
        assert slow.take() == [STARTED, STOPPED]
        assert slow.dropped == 0
