"""The model that is measured."""

from __future__ import annotations

import os

from rtap.config import Config
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.model_store import BUNDLED_MODEL, ModelStore
from tools.benchmarks.service.service_process import ServiceSettings


def find_model(settings: ServiceSettings) -> ModelDirectory:
    """Where the service finds it.

    Raises:
        ModelError: it is not there, or damaged.
    """
    return ModelStore.from_environment(os.environ).resolve(settings.model or BUNDLED_MODEL)


def described(settings: ServiceSettings) -> str:
    """The model and how it is run, for a report."""
    manifest = find_model(settings).manifest
    threads = settings.threads or Config().stt.num_threads
    return (
        f"Model {manifest.name}: {manifest.precision}, {manifest.parameters / 1e6:.1f} M parameters; "
        f"{threads} threads for an inference; all else as in the default profile"
    )
