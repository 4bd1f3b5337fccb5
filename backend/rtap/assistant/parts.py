"""What an assistant works with, and the loading of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rtap import logs
from rtap.config import VehicleConfig
from rtap.errors import ConfigurationError
from rtap.events import ErrorOccurred, Event
from rtap.intents.configured import spoken_languages
from rtap.intents.dialogue import Understands
from rtap.intents.understander import Understander
from rtap.vehicle.actor import Actor
from rtap.vehicle.configured import make_actor, make_table, make_vehicle

if TYPE_CHECKING:
    from rtap.config import Config

_log = logs.get("assistant")

Report = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What understands, and what acts."""

    understander: Understands
    languages: frozenset[str]
    """Codes of those whose commands are understood."""
    actor: Actor
    close: Callable[[], None] = lambda: None
    """Lets go of the car."""


def load_parts(config: Config, report: Report) -> Parts:
    """Load the sentences of every language that may be spoken, and connect the car.

    What is wrong with sentences or tables is reported and left out, as a car must start with a fault in one
    language: its commands are not understood, or no car is connected. ``rtap intents check`` and ``rtap
    vehicle show`` say the same before.
    """
    understander = Understander(config.intents)
    usable = set()
    for language in spoken_languages(config):
        try:
            understander.load(language)
        except ConfigurationError as error:
            _tell(report, "intents", error)
        else:
            usable.add(language)
    try:
        table = make_table(config)
    except ConfigurationError as error:
        _tell(report, "vehicle", error)
        config = replace(
            config,
            vehicle=VehicleConfig(adapter="none"),
            intents=replace(config.intents, folders=()),
        )
        table = make_table(config)
    vehicle = make_vehicle(config, table)
    return Parts(understander, frozenset(usable), make_actor(config, vehicle, table), vehicle.close)


def _tell(report: Report, stage: str, error: ConfigurationError) -> None:
    _log.error("left out", what=stage, error=str(error))
    report(ErrorOccurred(stage, type(error).__name__, str(error), time.time()))
