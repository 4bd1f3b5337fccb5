"""The answerer that a configuration asks for."""

from __future__ import annotations

from pathlib import Path

from rtap.answers.answerer import FALLBACK, Answerer
from rtap.answers.layers import BUNDLED, languages
from rtap.answers.reader import read_phrases
from rtap.config import Config
from rtap.errors import ConfigurationFaults
from rtap.home import expanded
from rtap.intents.configured import folders as intent_folders
from rtap.vehicle.vocabulary import vocabulary


def make_answerer(config: Config) -> Answerer:
    """What answers, in all languages that there are sentences for.

    Raises:
        ConfigurationError: a file of sentences cannot be read; as ConfigurationFaults: all that is wrong in
            them.
    """
    known = vocabulary(intent_folders(config.intents))
    there = folders(config)
    phrases = {}
    faults: list[str] = []
    for language in {FALLBACK, *languages(there)}:
        try:
            phrases[language] = read_phrases(language, there, known)
        except ConfigurationFaults as error:
            faults += error.faults
    if faults:
        raise ConfigurationFaults(faults)
    return Answerer(phrases)


def folders(config: Config) -> tuple[Path, ...]:
    """This project's folder, then those of the configuration."""
    return (BUNDLED, *(expanded(Path(folder)) for folder in config.answers.folders))
