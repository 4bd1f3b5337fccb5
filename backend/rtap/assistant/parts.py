"""What an assistant works with, and the loading of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rtap import logs
from rtap.answers.configured import make_answerer
from rtap.config import VehicleConfig
from rtap.errors import ConfigurationError
from rtap.events import ErrorOccurred, Event
from rtap.intents.configured import spoken_languages
from rtap.intents.dialogue import Understands
from rtap.intents.understander import Understander
from rtap.vehicle.actor import Actor
from rtap.vehicle.configured import make_actor, make_table, make_vehicle

if TYPE_CHECKING:
    from rtap.answers.answerer import Answerer
    from rtap.config import Config
    from rtap.intents.expected_sentences import IntentPreference
    from rtap.vehicle.table import Table

_log = logs.get("assistant")

Report = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What understands, and what acts."""

    understander: Understands
    languages: frozenset[str]
    """Codes of those whose commands are understood."""
    actor: Actor
    answerer: Answerer | None
    """None: nothing is answered."""
    is_called: bool
    """Whether the microphone is for those who said the wake word. Where there is none, other speech is
    neither answered nor asked about."""
    close: Callable[[], None] = lambda: None
    """Lets go of the car."""
    examples: Callable[[str], Mapping[str, str]] = lambda _language: {}
    """A sentence for each command of a language, as :class:`rtap.intents.understander.Understander` gives."""


def load_parts(config: Config, report: Report, preference: IntentPreference | None = None) -> Parts:
    """Load the sentences of every language that may be spoken, and connect the car.

    What is wrong with sentences or tables is reported and left out, as a car must start with a fault in one
    language: its commands are not understood, no car is connected, or the answers are those of this project.
    ``rtap intents check``, ``rtap vehicle show`` and ``rtap answers check`` say the same before.

    Args:
        preference: gets the sentences that are understood, so that the decoder expects them.
    """
    understander = Understander(config.intents)
    languages = frozenset(_load_sentences(understander, config, report, preference))
    answerer = _load_answerer(config, report)
    config, table = _load_table(config, report)
    vehicle = make_vehicle(config, table)
    actor = make_actor(config, vehicle, table)
    return Parts(
        understander,
        languages,
        actor,
        answerer,
        config.wakeword.enabled,
        vehicle.close,
        understander.examples,
    )


def _load_sentences(
    understander: Understander,
    config: Config,
    report: Report,
    preference: IntentPreference | None,
) -> Iterator[str]:
    """The languages that have no faults."""
    for language in spoken_languages(config):
        try:
            matcher = understander.load(language)
        except ConfigurationError as error:
            _tell(report, "intents", error)
        else:
            if preference is not None:
                preference.add(matcher)
            yield language


def _load_answerer(config: Config, report: Report) -> Answerer | None:
    if not config.answers.enabled:
        return None
    try:
        return make_answerer(config)
    except ConfigurationError as error:
        _tell(report, "answers", error)
        own = replace(config.answers, folders=())
        return make_answerer(
            replace(config, answers=own, intents=replace(config.intents, folders=()))
        )


def _load_table(config: Config, report: Report) -> tuple[Config, Table]:
    """The table, and the configuration that it is good for."""
    try:
        return config, make_table(config)
    except ConfigurationError as error:
        _tell(report, "vehicle", error)
        without_faults = replace(
            config,
            vehicle=VehicleConfig(adapter="none"),
            intents=replace(config.intents, folders=()),
        )
        return without_faults, make_table(without_faults)


def _tell(report: Report, stage: str, error: ConfigurationError) -> None:
    _log.error("left out", what=stage, error=str(error))
    report(ErrorOccurred(stage, type(error).__name__, str(error), time.time()))
