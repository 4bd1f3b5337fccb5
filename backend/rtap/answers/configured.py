"""The answerer that a configuration asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rtap.answers.answerer import Answerer
from rtap.answers.layers import BUNDLED, languages
from rtap.answers.reader import read_phrases
from rtap.config import Config
from rtap.errors import ConfigurationFaults
from rtap.home import expanded
from rtap.intents.configured import folders as intent_folders
from rtap.vehicle.vocabulary import vocabulary

if TYPE_CHECKING:
    from rtap.answers.phrases import Phrases


def make_answerer(config: Config) -> Answerer:
    """What answers, in all languages that there are sentences for.

    Raises:
        ConfigurationError: a file of sentences cannot be read; as ConfigurationFaults: all that is wrong in
            them.
    """
    phrases = {}
    faults: list[str] = []
    for language in languages(folders(config)):
        try:
            phrases[language] = read(config, language)
        except ConfigurationFaults as error:
            faults += error.faults
    if faults:
        raise ConfigurationFaults(faults)
    return Answerer(phrases)


def read(config: Config, language: str, more: Sequence[Path] = ()) -> Phrases:
    """The sentences of one language.

    Args:
        more: folders beyond those of the configuration.

    Raises:
        ConfigurationError: see :func:`rtap.answers.reader.read_phrases`.
    """
    known = vocabulary(intent_folders(config.intents))
    return read_phrases(language, (*folders(config), *more), known)


def folders(config: Config) -> tuple[Path, ...]:
    """This project's folder, then those of the configuration."""
    return (BUNDLED, *(expanded(Path(folder)) for folder in config.answers.folders))
