"""``rtap vehicle show | do``: the car that commands act on."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtap.cli.serve import add_configuration
from rtap.cli.terminal import report, write_json, write_result

if TYPE_CHECKING:
    from rtap.config import Config
    from rtap.intents.intent import Understanding, Value
    from rtap.vehicle.history import History
    from rtap.vehicle.protocol import Vehicle
    from rtap.vehicle.result import ActionResult
    from rtap.vehicle.table import Table


def add_parser(commands: Any) -> None:
    """Add ``vehicle`` and what is under it to the command line."""
    parser = commands.add_parser(
        "vehicle",
        help="show the car, and try commands on it",
        description="Show the car that commands act on, and try commands on it. With vehicle.adapter "
        "simulated it is a car in memory, which a file keeps; a running service has a car of its own, and "
        "does not see what is done here. With mqtt and kuksa it is the car itself.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    show = actions.add_parser("show", help="the car's signals and their values")
    show.add_argument(
        "part", nargs="?", default="", metavar="PART", help="only paths with this in them"
    )
    show.add_argument("--json", action="store_true", help="a JSON object")
    add_configuration(show)
    show.set_defaults(run=run_show)

    act = actions.add_parser(
        "do",
        help='understand a command, such as "open the window", and do it',
        description="Understand a command and do it. Exit status: 0 done, 1 not understood, refused or timed "
        'out, 2 something is wrong with the configuration. "undo" takes the last one back.',
    )
    act.add_argument("text", metavar="TEXT")
    act.add_argument("--language", metavar="CODE", help="default: that of stt.language, or en")
    act.add_argument("--json", action="store_true", help="a JSON object")
    add_configuration(act)
    act.set_defaults(run=run_do)


def run_show(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Print the signals.

    Raises:
        ConfigurationError: something is wrong with the table.
        VehicleError: there is no car, or no way to it.
    """
    from rtap.vehicle.instruments import Instruments

    _, table, vehicle = _car(arguments, environment)
    try:
        instruments = Instruments(vehicle, table.signals)
        values = instruments.read(arguments.part)
    finally:
        vehicle.close()
    if arguments.json:
        write_json(values)
        return 0
    for path in instruments.paths(arguments.part):
        if path in values:
            write_result(_line(path, values[path], table.signals[path].unit))
        else:
            write_result(f"{path}: the car does not have it\n")
    return 0


def run_do(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Act on a text and print what came of it.

    Raises:
        ConfigurationError: something is wrong with the table or the sentences, or the language has none.
    """
    from rtap.vehicle.configured import make_actor
    from rtap.vehicle.result import Outcome

    config, table, vehicle = _car(arguments, environment)
    try:
        understanding = _understood(arguments.text, arguments.language, config)
        result = None
        if understanding.intent is not None:
            history = _history(config)
            result = make_actor(config, vehicle, table, history).execute(understanding.intent)
            _keep(history, config)
    finally:
        vehicle.close()
    if arguments.json:
        write_json({"understanding": asdict(understanding), "result": result and asdict(result)})
    else:
        write_result("".join(_told(understanding, result)))
    return 0 if result is not None and result.outcome is Outcome.DONE else 1


def _car(
    arguments: argparse.Namespace, environment: Mapping[str, str]
) -> tuple[Config, Table, Vehicle]:
    from rtap.config.loader import UnifiedConfigLoader
    from rtap.vehicle.adapters.simulated import SimulatedVehicle
    from rtap.vehicle.configured import make_table, make_vehicle

    loader = UnifiedConfigLoader.from_environment(environment)
    config = loader.load(arguments.profile, arguments.file)
    table = make_table(config)
    vehicle = make_vehicle(config, table)
    if isinstance(vehicle, SimulatedVehicle):
        for fault in vehicle.faults:
            report("warning", fault)
    return config, table, vehicle


def _understood(text: str, language: str | None, config: Config) -> Understanding:
    from rtap.intents.configured import grammar, language_of
    from rtap.intents.matcher import Matcher

    return Matcher(grammar(config.intents, language_of(config, language))).understand(text)


def _history_file(config: Config) -> Path | None:
    """What keeps the actions of earlier commands, beside the simulated car's own file."""
    from rtap.vehicle.configured import state_file

    state, adapter = state_file(config), config.vehicle.adapter
    kind = "" if adapter == "simulated" else f".{adapter}"
    return None if state is None else state.with_suffix(f"{kind}.undo.json")


def _history(config: Config) -> History:
    from rtap.vehicle.history import History

    history = History()
    file = _history_file(config)
    if file is not None and file.exists():
        try:
            history.restore(json.loads(file.read_bytes()))
        except (OSError, ValueError, RecursionError):
            report("warning", f"{file} cannot be read: what was done before cannot be undone")
    return history


def _keep(history: History, config: Config) -> None:
    from rtap import atomic_file
    from rtap.errors import StorageError

    file = _history_file(config)
    if file is None:
        return
    try:
        atomic_file.write_text(file, json.dumps(history.plain()) + "\n")
    except StorageError as error:
        report("warning", error)


def _told(understanding: Understanding, result: ActionResult | None) -> Iterator[str]:
    if result is None:
        yield "not understood\n"
        if understanding.did_you_mean:
            yield f"did you mean: {understanding.did_you_mean}\n"
        return
    outcome = result.outcome.replace("_", " ")
    yield f"{result.intent}: {outcome}{f': {result.reason.text}' if result.reason else ''}\n"
    for held in result.held:
        yield f"  {_line(held.path, held.value, held.unit)}"


def _line(path: str, value: Value | None, unit: str | None) -> str:
    shown = "unknown" if value is None else json.dumps(value, ensure_ascii=False)
    return f"{path} = {shown}{f' {unit}' if unit and value is not None else ''}\n"
