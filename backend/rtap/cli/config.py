"""``rtap config check | show``: whether a configuration will do, and what it comes to."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtap.cli.terminal import report, write_json, write_result

if TYPE_CHECKING:
    from rtap.config.loader import LoadedConfig

    Subparsers = argparse._SubParsersAction[Any]  # noqa: SLF001 (it has no public name)


def add_parser(commands: Subparsers) -> None:
    """Add ``config`` and what is under it to the command line."""
    parser = commands.add_parser(
        "config",
        help="check and show the configuration",
        description="Check and show the configuration. Profiles are NAME.yaml in RTAP_CONFIG_DIR, by "
        "default /etc/rtap/profiles; conf/profiles/default.yaml explains every parameter.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    check = actions.add_parser(
        "check",
        help="list everything that is wrong with it, and look for the model",
        description="List everything that is wrong with a configuration; where nothing is, look whether its "
        "model is there, undamaged and of the precision that it asks for. Exit status: 0, or 2.",
    )
    _add_choice(check)
    check.set_defaults(run=run_check)

    show = actions.add_parser("show", help="every value, and where it comes from")
    _add_choice(show)
    show.add_argument("--json", action="store_true", help="a JSON object")
    show.set_defaults(run=run_show)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--profile", metavar="NAME", help="default: what RTAP_ENVIRONMENT says, or else default"
    )
    choice.add_argument("--file", type=Path, metavar="FILE", help="a profile outside the directory")


def run_check(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Print that all is well, or every fault on a line of its own.

    Raises:
        ModelError: the model is not there, or damaged.
        ConfigurationError: the model is of another precision.
    """
    from rtap.errors import ConfigurationFaults

    try:
        loaded = _load(arguments, environment)
    except ConfigurationFaults as error:
        for fault in error.faults:
            report("error", fault)
        return error.exit_status
    files = ", ".join(map(str, loaded.files)) or "built in"
    model = _check_model(loaded, environment)
    write_result(f"ok: profile {loaded.config.environment} ({files})\nok: model {model}\n")
    return 0


def _check_model(loaded: LoadedConfig, environment: Mapping[str, str]) -> str:
    """Name and precision of the model that the service would load.

    Raises:
        ModelError: it is not there, or damaged.
        ConfigurationError: it has another precision than stt.compute_dtype says.
    """
    from rtap.whisper.model_store import ModelStore, require_precision

    stt = loaded.config.stt
    store = ModelStore.from_environment(environment, loaded.config.models_dir)
    directory = store.resolve(stt.model_name)
    require_precision(directory.manifest, stt.compute_dtype)
    directory.verify()
    if warning := store.choose(stt.model_name).warning:
        report("note", warning)
    return f"{directory.manifest.name} ({directory.manifest.precision}, {directory.path})"


def run_show(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Print the configuration that the service would run with; secrets are masked."""
    loaded = _load(arguments, environment)
    if arguments.json:
        document = {
            "profile": loaded.config.environment,
            "files": [str(path) for path in loaded.files],
            "config": _shown_values(loaded),
            "origins": _origins(loaded, environment),
        }
        write_json(document)
    else:
        write_result(_as_yaml(loaded, _origins(loaded, environment)))
    return 0


def _load(arguments: argparse.Namespace, environment: Mapping[str, str]) -> LoadedConfig:
    from rtap.config.loader import UnifiedConfigLoader

    loader = UnifiedConfigLoader.from_environment(environment)
    return loader.load_with_origins(arguments.profile, arguments.file)


def _shown_values(loaded: LoadedConfig) -> dict[str, Any]:
    """The values by section, as JSON has them."""
    from rtap.config.parameters import PARAMETERS, SECRET

    values: dict[str, Any] = {}
    for parameter in PARAMETERS.values():
        section, _, key = parameter.name.rpartition(".")
        owner = getattr(loaded.config, section) if section else loaded.config
        value = getattr(owner, key)
        if parameter.secret and value:
            value = SECRET
        shown = str(value) if isinstance(value, Path) else value
        (values.setdefault(section, {}) if section else values)[key] = shown
    return values


def _origins(loaded: LoadedConfig, environment: Mapping[str, str]) -> dict[str, str]:
    """Where each value comes from, and which model auto is."""
    from rtap.errors import ModelError
    from rtap.whisper.model_store import AUTO, ModelStore

    origins = dict(loaded.origins)
    if loaded.config.stt.model_name == AUTO:
        store = ModelStore.from_environment(environment, loaded.config.models_dir)
        try:
            choice = store.choose()
            model = f"{choice.model} ({choice.reason})"
        except ModelError as error:
            model = str(error)
        origins["stt.model_name"] += f"; auto is {model}"
    return origins


def _as_yaml(loaded: LoadedConfig, origins: Mapping[str, str]) -> str:
    """What could be a profile again (JSON's values are YAML's), with the origins as comments."""
    rows: list[tuple[str, str]] = [(f"# profile {loaded.config.environment}", "")]
    for name, value in _shown_values(loaded).items():
        if isinstance(value, dict):
            rows.append((f"{name}:", ""))
            rows += [
                (f"  {key}: {_text(item)}", origins[f"{name}.{key}"]) for key, item in value.items()
            ]
        else:
            rows.append((f"{name}: {_text(value)}", origins[name]))
    width = max(len(text) for text, _ in rows)
    return "".join(
        f"{text:{width}}  # {origin}\n" if origin else f"{text}\n" for text, origin in rows
    )


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
