"""The model that understands people, for what is built and shown with it: made where it is missing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from rtap.errors import ModelError, RTAPException
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.model_store import BUNDLED_MODEL, DEFAULT_MODEL, ModelStore

NONE = "none"
"""In the place of a model's name: the one in the container will do."""

Progress = Callable[[str], None]
Ensure = Callable[[Progress], Path]
"""The default model's folder, which is made unless it is there; raises where it cannot be had."""


def find_default_model(program: str, ensure: Ensure | None = None) -> ModelDirectory | None:
    """The default model, as ``make model`` makes it; nobody's choice of a model changes by it.

    Args:
        program: says on standard error what it waits for, and why there is no model.
        ensure: in the place of :func:`tools.model.conversion.installed_model.ensure_model`.

    Returns:
        None, and one line on standard error, where it cannot be had.
    """

    def say(what: object) -> None:
        print(f"{program}: {what}", file=sys.stderr, flush=True)

    try:
        path = (ensure or _ensure)(lambda step: say(f"{DEFAULT_MODEL}: {step} ..."))
    except RTAPException as error:
        if present := _installed():
            say(f"{DEFAULT_MODEL} stays as it is, as it cannot be made anew: {error}")
        else:
            say(
                f"{BUNDLED_MODEL} takes the place of {DEFAULT_MODEL} and does not understand people "
                f"reliably: {error}"
            )
        return present
    return ModelDirectory.open(path)


def chosen_model(name: str | None, program: str) -> Path | None:
    """The folder of the model that a command line names; by default that of the default model.

    Args:
        name: a name, a folder, or NONE.
        program: as for :func:`find_default_model`.

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


def _ensure(on_progress: Progress) -> Path:
    # Takes seconds to import, which a model that is named shall not wait for.
    from tools.model.conversion.installed_model import ensure_model

    return ensure_model(on_progress=on_progress)


def _installed() -> ModelDirectory | None:
    try:
        return ModelStore.from_environment(os.environ).resolve(DEFAULT_MODEL)
    except ModelError:
        return None
