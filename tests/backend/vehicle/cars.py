"""Cars for tests: the bundled table, intents, and vehicles that only answer when they are told to."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from functools import cache

from rtap.intents.intent import Intent, Slot, Value
from rtap.intents.sources import BUNDLED
from rtap.vehicle.case_reader import Vocabulary
from rtap.vehicle.loader import load_table
from rtap.vehicle.places import Steering
from rtap.vehicle.protocol import Listener, Values
from rtap.vehicle.table import Table
from rtap.vehicle.vocabulary import vocabulary


@cache
def words() -> Vocabulary:
    return vocabulary([BUNDLED])


@cache
def table(steering: Steering = "left") -> Table:
    return load_table(vocabulary=words(), steering=steering)


def intent(name: str, unit: str | None = None, **slots: Value) -> Intent:
    """An intent; the unit is that of its numbers."""
    return Intent(
        name,
        tuple(
            Slot(slot, value, unit if type(value) in (int, float) else None, str(value))
            for slot, value in sorted(slots.items())
        ),
        confidence=1,
        matching=1,
    )


class Clock:
    """Seconds that go by when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class ScriptedVehicle:
    """A car that answers what it was given, or never; what was asked of it is kept."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.values: dict[str, Value | None] = {}
        self.error: Exception | None = None
        """What setting fails with."""
        self.answers_reading = True
        self.answers_setting = True
        self.read: list[set[str]] = []
        self.written: list[dict[str, Value]] = []
        self.unanswered: list[Future[Values]] = []

    def get(self, paths: Collection[str]) -> Future[Values]:
        self.read.append(set(paths))
        if not self.answers_reading:
            return self._never()
        return answered({path: self.values[path] for path in paths if path in self.values})

    def set(self, values: Mapping[str, Value]) -> Future[Values]:
        self.written.append(dict(values))
        if not self.answers_setting:
            return self._never()
        if self.error is not None:
            failed: Future[Values] = Future()
            failed.set_exception(self.error)
            return failed
        return answered(self.hold(values))

    def hold(self, values: Mapping[str, Value]) -> Values:
        """What becomes of values that are set."""
        self.values |= values
        return {path: self.values[path] for path in values}

    def subscribe(self, paths: Collection[str], listener: Listener) -> Callable[[], None]:
        return lambda: None

    def close(self) -> None:
        pass

    def _never(self) -> Future[Values]:
        """An answer that does not come; the time that one waits for it goes by at once."""
        self.clock.now += 60
        self.unanswered.append(Future())
        return self.unanswered[-1]


def answered(values: Values) -> Future[Values]:
    answer: Future[Values] = Future()
    answer.set_result(values)
    return answer
