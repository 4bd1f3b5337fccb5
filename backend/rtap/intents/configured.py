"""Which grammars a configuration asks for."""

from __future__ import annotations

from pathlib import Path

from rtap.config import IntentsConfig
from rtap.home import expanded
from rtap.intents.names import NameFiles
from rtap.intents.sources import BUNDLED


def folders(config: IntentsConfig) -> tuple[Path, ...]:
    """This project's folder, then those of the configuration."""
    return (BUNDLED, *(expanded(Path(folder)) for folder in config.folders))


def name_files(config: IntentsConfig) -> NameFiles:
    """The files of contacts and places."""
    return NameFiles(config.contacts, config.places)
