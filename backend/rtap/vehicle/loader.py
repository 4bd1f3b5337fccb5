"""Reads the tables that say what intents do, and checks them in full before anything is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rtap.errors import ConfigurationFaults
from rtap.intents.faults import noted
from rtap.vehicle import layers, safety_reader, signal_reader
from rtap.vehicle.case_reader import CaseReader, Vocabulary
from rtap.vehicle.places import Steering
from rtap.vehicle.table import Table

BUNDLED: Final = Path(__file__).parent / "tables"
"""What this project brings."""
_FILES: Final = ("signals.yaml", "vss.yaml", "safety.yaml")


def load_table(
    more: Sequence[Path] = (), *, vocabulary: Vocabulary, steering: Steering = "left"
) -> Table:
    """The table of this project, with an integrator's files over it.

    Args:
        more: files of the integrator; later ones replace entries of the earlier.
        vocabulary: the intents that the table may name.
        steering: on which side the driver sits.

    Raises:
        ConfigurationError: a file cannot be read; as ConfigurationFaults: all that is wrong.
    """
    collected = layers.collect((*(BUNDLED / name for name in _FILES), *more))
    faults = collected.faults
    places = signal_reader.read_places(collected.places, steering, faults)
    signals = signal_reader.read_signals(collected.signals, places, faults)
    cases = CaseReader(signals, places, vocabulary, faults)
    intents = {name: cases.read(name, node) for name, node in collected.intents.items()}
    elsewhere: dict[str, str] = {}
    for name, node in collected.elsewhere.items():
        cases.check_name(name, node)
        with noted(faults):
            elsewhere[name] = node.text(f"elsewhere {name}")
    safety = safety_reader.read_rules(collected.safety, signals, faults)
    if faults:
        raise ConfigurationFaults(faults)
    return Table(
        MappingProxyType(signals),
        MappingProxyType(intents),
        MappingProxyType(elsewhere),
        safety,
        steering,
    )
