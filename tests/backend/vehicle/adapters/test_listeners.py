"""rtap.vehicle.adapters.listeners: who is told of what."""

from rtap.intents.intent import Value
from rtap.vehicle.adapters.listeners import Listeners, tell


def test_each_hears_of_its_signals_until_it_has_enough() -> None:
    heard: list[tuple[str, Value]] = []
    listeners = Listeners()
    end = listeners.add(["A", "B"], lambda path, value: heard.append((path, value)))
    for path in ("A", "C", "B"):
        tell(listeners.present(), path, 1)
    end()
    end()
    tell(listeners.present(), "A", 2)
    assert heard == [("A", 1), ("B", 1)]


def test_who_comes_after_a_change_does_not_hear_of_it() -> None:
    heard: list[tuple[str, Value]] = []
    listeners = Listeners()
    before = listeners.present()
    listeners.add(["A"], lambda path, value: heard.append((path, value)))
    tell(before, "A", 1)
    assert heard == []
