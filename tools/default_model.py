"""The model that understands people, for what is built and shown with it: installed where it is missing."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from rtap import atomic_file
from rtap.errors import ModelError
from rtap.model_store import BUNDLED_MODEL, DEFAULT_MODEL, ModelStore
from rtap.whisper.model_directory import ModelDirectory

ROOT: Final = Path(__file__).resolve().parent.parent
CHECKPOINT: Final = "openai/whisper-base"
NONE: Final = "none"
"""In the place of a model's name: the one in the container will do."""
_PRECISION: Final = "int8"

Install = Callable[[], str]
"""Installs the default model; returns what went wrong, empty where nothing did."""


def find_default_model(program: str, install: Install | None = None) -> ModelDirectory | None:
    """The default model, which is fetched and converted where it is missing.

    Args:
        program: says on standard error what it waits for, and why there is no model.
        install: in the place of ``make model``.

    Returns:
        None, and one line on standard error, where it cannot be had.
    """
    store = ModelStore.from_environment(os.environ)
    if directory := _installed(store):
        return directory
    _say(program, f"{DEFAULT_MODEL} is fetched and converted, which takes a minute or two ...")
    with _choice_kept(store):
        problem = (install or _make_model)()
    if directory := _installed(store):
        return directory
    _say(
        program,
        f"{BUNDLED_MODEL} is taken instead of {DEFAULT_MODEL}: it does not understand people "
        f"reliably, and the other cannot be had ({problem or 'make model left none'})",
    )
    return None


def chosen_model(name: str | None, program: str) -> Path | None:
    """The folder of the model that a command line names; by default that of the default model.

    Args:
        name: a name, a folder, or NONE.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    if name == NONE:
        return None
    if name is None:
        found = find_default_model(program)
    else:
        found = ModelStore.from_environment(os.environ).resolve(name)
    return None if found is None else found.path.resolve()


def _installed(store: ModelStore) -> ModelDirectory | None:
    try:
        return store.resolve(DEFAULT_MODEL)
    except ModelError:
        return None


@contextlib.contextmanager
def _choice_kept(store: ModelStore) -> Iterator[None]:
    """``make model`` also makes its model the chosen one; here nobody has asked for that."""
    try:
        chosen = store.choice_file.read_text(encoding="utf-8")
    except OSError:
        chosen = ""
    try:
        yield
    finally:
        if chosen:
            atomic_file.write_text(store.choice_file, chosen)


def _make_model() -> str:
    done = subprocess.run(
        [ROOT / "tools/install_model.sh", CHECKPOINT, _PRECISION],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    lines = done.stderr.strip().splitlines()
    return (lines[-1] if lines else f"status {done.returncode}") if done.returncode else ""


def _say(program: str, what: str) -> None:
    print(f"{program}: {what}", file=sys.stderr, flush=True)
