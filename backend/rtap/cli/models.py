"""``rtap models list | info | use``: what models there are, whether they are whole, which one is used."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rtap.cli.terminal import report, write_json, write_result
from rtap.errors import ConfigurationError, ModelError
from rtap.whisper.model_directory import Manifest, ModelDirectory
from rtap.whisper.model_store import AUTO, ModelStore, StoredModel

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[Any]  # noqa: SLF001 (it has no public name)


def add_parser(commands: Subparsers) -> None:
    """Add ``models`` and what is under it to the command line."""
    parser = commands.add_parser(
        "models",
        help="list, check and choose models",
        description="List, check and choose models. They live in MODELS_DIR, by default "
        "~/.local/share/rtap/models, and in the program itself.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    listing = actions.add_parser("list", help="all models; * marks the one in use")
    listing.add_argument("--json", action="store_true", help="a JSON list")
    listing.set_defaults(run=run_list)

    info = actions.add_parser("info", help="one model in detail; checks the SHA-256 of its files")
    info.add_argument("model", nargs="?", metavar="NAME|DIR", help="default: the one in use")
    info.add_argument("--json", action="store_true", help="a JSON object")
    info.set_defaults(run=run_info)

    use = actions.add_parser(
        "use", help="choose the model for commands and profiles that name none"
    )
    use.add_argument("model", metavar="NAME|DIR")
    use.set_defaults(run=run_use)


def run_list(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Print all models."""
    store = ModelStore.from_environment(environment)
    models = store.list_models()
    in_use = _path_in_use(store)
    if arguments.json:
        rows = [_entry(model, in_use=in_use == model.path) for model in models]
        write_json(rows)
        return 0
    if not models:
        report(
            "note",
            f"no models in {store.models_dir}: `make model` adds one",
        )
    elif warning := _warning(store):
        report("note", warning)
    width = max((len(model.name) for model in models), default=0)
    write_result(
        "".join(_line(model, width, in_use=in_use == model.path) + "\n" for model in models)
    )
    return 0


def _warning(store: ModelStore) -> str:
    try:
        return store.choose().warning
    except ModelError:
        return ""


def _path_in_use(store: ModelStore) -> object:
    try:
        return store.resolve().path
    except ModelError:
        return None


def _entry(model: StoredModel, *, in_use: bool) -> dict[str, Any]:
    manifest = model.directory.manifest if model.directory else None
    return {
        "name": model.name,
        "path": str(model.path),
        "in_use": in_use,
        "bundled": model.bundled,
        "source": manifest.source if manifest else None,
        "precision": manifest.precision if manifest else None,
        "parameters": manifest.parameters if manifest else None,
        "bytes": manifest.bytes if manifest else None,
        "problem": model.problem or None,
    }


def _line(model: StoredModel, width: int, *, in_use: bool) -> str:
    mark = "*" if in_use else " "
    if model.directory is None:
        return f"{mark} {model.name:{width}}  damaged: {model.problem}"
    manifest = model.directory.manifest
    origin = "bundled" if model.bundled else manifest.source
    return (
        f"{mark} {model.name:{width}}  {manifest.precision:5} {_size(manifest.bytes):>9}  {origin}"
    )


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def run_info(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Print one model's manifest after checking every file against it."""
    directory = ModelStore.from_environment(environment).resolve(arguments.model)
    directory.verify()
    if arguments.json:
        document = json.loads(directory.manifest.to_json())
        document |= {"path": str(directory.path), "verified": True}
        write_json(document)
    else:
        write_result(_description(directory))
    return 0


def _description(directory: ModelDirectory) -> str:
    manifest = directory.manifest
    rows = {
        "name": manifest.name,
        "path": str(directory.path),
        "source": manifest.source,
        "parameters": f"{manifest.parameters / 1e6:.1f} million",
        "precision": manifest.precision,
        "layout": f"{manifest.layout}, opset {manifest.opset}",
        "elastic": _elastic(manifest),
        "made by": manifest.created_by,
        "size": f"{_size(manifest.bytes)} in {len(manifest.files)} files, SHA-256 correct",
    }
    lines = [f"{label + ':':12}{value}" for label, value in rows.items()]
    lines += [
        f"  {name} ({_size(record.bytes)})" for name, record in sorted(manifest.files.items())
    ]
    for title, figures in (("parity", manifest.parity), ("quantised", manifest.quantization)):
        lines += [f"{title}:"] * bool(figures) + list(_figures(figures, "  "))
    return "\n".join(lines) + "\n"


def _elastic(manifest: Manifest) -> str:
    if not manifest.adapter:
        return manifest.elastic
    name, margin = manifest.adapter.get("name"), manifest.margin_seconds
    return f"{manifest.elastic}, by the adapter {name}, {margin:g} s after the audio"


def _figures(figures: Mapping[str, Any], indent: str) -> list[str]:
    lines = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{name}:", *_figures(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {value}")
    return lines


def run_use(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Store the choice of a model."""
    store = ModelStore.from_environment(environment)
    directory = store.use(arguments.model)
    write_result(f"using {directory.manifest.name} ({directory.path})\n")
    if store.environment_choice:
        report(
            "note", f"MODEL_NAME is set to {store.environment_choice} and comes before this choice"
        )
    elif named := _named_in_profile(environment):
        report("note", f"{named}, which comes before this choice in `rtap serve`")
    return 0


def _named_in_profile(environment: Mapping[str, str]) -> str:
    """Where the profile names a model, in words; empty where it leaves the choice open, or will not do."""
    from rtap.config.loader import UnifiedConfigLoader

    try:
        loaded = UnifiedConfigLoader.from_environment(environment).load_with_origins()
    except ConfigurationError:
        return ""  # not what was asked
    model = loaded.config.stt.model_name
    return "" if model == AUTO else f"{loaded.origins['stt.model_name']} names {model}"
