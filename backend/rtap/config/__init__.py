"""What can be configured, and how it is read: sections, files, environment variables and their checks.

The sections are values without behaviour, which the whole program imports from here. Reading and checking are
in :mod:`rtap.config.loader` and the modules that it uses; only commands and tests import these. What the
configuration has to know of others without loading them is here as well: the wake word engines, and who
listens on which port. Nothing here imports a stage, a model or a transport.
"""

from __future__ import annotations

from rtap.config.sections import (
    AnswersConfig,
    AudioConfig,
    Config,
    Filled,
    IntentsConfig,
    Language,
    LanguageConfig,
    LimitsConfig,
    LoggingConfig,
    OneOf,
    OutputConfig,
    PreprocessConfig,
    Range,
    StandbyConfig,
    SttConfig,
    VadConfig,
    VehicleConfig,
    WakeWordConfig,
)

__all__ = [
    "AnswersConfig",
    "AudioConfig",
    "Config",
    "Filled",
    "IntentsConfig",
    "Language",
    "LanguageConfig",
    "LimitsConfig",
    "LoggingConfig",
    "OneOf",
    "OutputConfig",
    "PreprocessConfig",
    "Range",
    "StandbyConfig",
    "SttConfig",
    "VadConfig",
    "VehicleConfig",
    "WakeWordConfig",
]
