"""From profiles and environment variables to one checked :class:`rtap.config.Config`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from rtap.config import Config
from rtap.config.conflicts import conflicts
from rtap.config.file import UNREADABLE, Written, read_profile
from rtap.config.parameters import PARAMETERS, SECTIONS, Refused
from rtap.errors import ConfigurationError, ConfigurationFaults
from rtap.home import expanded

BUILT_IN: Final = "built-in default"
"""Origin of a value that nobody set."""
DEFAULT_PROFILE: Final = "default"
"""Profile that is used when none is named; if there is no such file, all values are built in."""
INSTALLED_PROFILES: Final = Path("/etc/rtap/profiles")
SOURCE_PROFILES: Final = Path(__file__).resolve().parents[3] / "conf" / "profiles"
"""There in a checkout, absent from an installed wheel."""

_PROFILE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "audio.device": ("AUDIO_DEVICE",),
        "stt.model_name": ("MODEL_NAME",),
        "stt.num_threads": ("ONNX_NUM_THREADS",),
        "output.api_key": ("RTAP_API_KEY",),
        "output.allowed_hosts": ("RTAP_ALLOWED_HOSTS",),
        "output.allowed_origins": ("RTAP_ALLOWED_ORIGINS",),
        "output.trusted_proxies": ("RTAP_TRUSTED_PROXIES",),
        "logging.level": ("RTAP_LOG_LEVEL", "LOG_LEVEL"),
        "models_dir": ("MODELS_DIR",),
        "cache_dir": ("CACHE_DIR",),
    }
)
"""Environment variables that come before the profile; of several, the first that is set."""
_LISTS: Final = frozenset(
    {"output.allowed_hosts", "output.allowed_origins", "output.trusted_proxies"}
)
"""Their variables hold several values, with commas between them."""
_MOCK_VARIABLE: Final = "RTAP_AUDIO_MOCK"
_SWITCH: Final[Mapping[str, bool]] = MappingProxyType(
    {"true": True, "1": True, "yes": True, "on": True}
    | {"false": False, "0": False, "no": False, "off": False}
)


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration and where it comes from."""

    config: Config
    files: tuple[Path, ...]
    """The profile, then those that it inherits; empty when everything is built in."""
    origins: Mapping[str, str]
    """By parameter such as vad.threshold: FILE:LINE, an environment variable, or BUILT_IN."""


@dataclass(frozen=True, slots=True)
class _Setting:
    value: Any
    origin: str
    usable: bool = True
    layer: int = 0
    """How near to the user it was set: 0 in the program, then the profiles, then the environment."""


@dataclass(frozen=True, slots=True)
class _Profile:
    path: Path
    entries: Mapping[str, Written]


class UnifiedConfigLoader:
    """Finds profiles, merges what they inherit, lets environment variables override, and checks all.

    Args:
        directories: where NAME.yaml is looked for; the first that has it counts. They need not exist.
        environment: for the choice of the profile, for ``${VARIABLE}`` in it, and for overrides.
            Variables that are empty count as not set.
    """

    def __init__(self, directories: Sequence[Path], environment: Mapping[str, str]) -> None:
        self.directories = tuple(directories)
        self._environment = environment

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> UnifiedConfigLoader:
        """Looks in RTAP_CONFIG_DIR alone, or else in /etc/rtap/profiles and the checkout's conf/profiles.

        Raises:
            ConfigurationError: RTAP_CONFIG_DIR is no directory.
        """
        if chosen := environment.get("RTAP_CONFIG_DIR"):
            directory = expanded(Path(chosen))
            if not directory.is_dir():
                raise ConfigurationError(
                    f"RTAP_CONFIG_DIR is {chosen}, which is no directory: correct it or unset it"
                )
            return cls((directory,), environment)
        return cls((INSTALLED_PROFILES, SOURCE_PROFILES), environment)

    def load(self, profile: str | None = None, file: Path | None = None) -> Config:
        """The configuration of a profile, checked in full.

        Args:
            profile: name; by default what RTAP_ENVIRONMENT says, or else ``default``.
            file: a profile outside the directories, instead of a name. What it inherits is looked for
                beside it first.

        Raises:
            ConfigurationError: there is no such profile; as ConfigurationFaults: all that is wrong in it.
        """
        return self.load_with_origins(profile, file).config

    def load_with_origins(
        self, profile: str | None = None, file: Path | None = None
    ) -> LoadedConfig:
        """As :meth:`load`, and where every value comes from."""
        faults: list[str] = []
        name, path = self._choose(profile, file)
        directories = self.directories if file is None else (file.parent, *self.directories)
        profiles = list(self._chain(path, directories, faults))
        settings = {
            parameter.name: _Setting(parameter.default, BUILT_IN)
            for parameter in PARAMETERS.values()
        }
        layers = [dict(_settings(profile, faults)) for profile in profiles][::-1]
        for number, layer in enumerate([*layers, dict(self._overrides(faults))], start=1):
            settings.update(_in_layer(number, layer, settings))
        config = _build(name, settings)
        faults += _conflicts(config, settings)
        if faults:
            raise ConfigurationFaults(faults)
        origins = {name: setting.origin for name, setting in settings.items()}
        return LoadedConfig(config, tuple(profile.path for profile in profiles), origins)

    def _choose(self, profile: str | None, file: Path | None) -> tuple[str, Path | None]:
        """The name and the file of the profile; None is the built-in one."""
        if file is not None:
            if profile is not None:
                raise ConfigurationError("a profile and a file were given: give one of the two")
            return file.stem, file
        chosen = self._environment.get("RTAP_ENVIRONMENT")
        name = profile or chosen or DEFAULT_PROFILE
        path = self._find(name, self.directories)
        if path is None and name != DEFAULT_PROFILE:
            why = " (RTAP_ENVIRONMENT says so)" if not profile else ""
            raise ConfigurationError(f"no profile {name}{why}: {_advice(name, self.directories)}")
        return name, path

    def _chain(
        self, path: Path | None, directories: Sequence[Path], faults: list[str]
    ) -> Iterator[_Profile]:
        """The profile and what it inherits, the nearest first."""
        names: dict[Path, str] = {}
        while path is not None:
            names[path.resolve()] = path.stem
            entries = read_profile(path, self._environment, faults)
            yield _Profile(path, entries)
            parent = entries.get("inherits")
            if parent is None or parent.value is UNREADABLE:
                return
            try:
                path = self._parent(parent, directories)
            except ConfigurationError as error:
                faults.append(f"{parent.place}: {error}")
                return
            if path is not None and path.resolve() in names:
                way = " -> ".join([*names.values(), path.stem])
                faults.append(
                    f"{parent.place}: profiles inherit in a circle ({way}): take one inherits out"
                )
                return

    def _parent(self, parent: Written, directories: Sequence[Path]) -> Path | None:
        name = parent.value
        if not isinstance(name, str):
            raise ConfigurationError(
                f"inherits is {parent.text or 'empty'}: it must be a profile's name"
            )
        path = self._find(name, directories)
        if path is None and name != DEFAULT_PROFILE:
            raise ConfigurationError(
                f"inherits is {name}, and there is no such profile: {_advice(name, directories)}"
            )
        return path

    def _find(self, name: str, directories: Iterable[Path]) -> Path | None:
        if not _PROFILE_NAME.fullmatch(name):
            return None
        for directory in directories:
            path = directory / f"{name}.yaml"
            try:
                if path.is_file():
                    return path
            except OSError as error:
                raise ConfigurationError(
                    f"{directory} cannot be read ({error.strerror}): check its permissions"
                ) from error
        return None

    def _overrides(self, faults: list[str]) -> Iterator[tuple[str, _Setting]]:
        for name, variables in _VARIABLES.items():
            variable = next((v for v in variables if self._environment.get(v)), None)
            if variable is not None:
                text = self._environment[variable].strip()
                written = Written(_variable_value(name, text, variable), text, "", (variable,))
                yield name, _accepted(name, written, variable, faults)
        mock = self._environment.get(_MOCK_VARIABLE, "").strip()
        if mock and mock.lower() not in _SWITCH:
            faults.append(f"{_MOCK_VARIABLE} is {mock}: it must be true or false")
        elif mock and _SWITCH[mock.lower()]:
            yield "audio.source", _Setting("mock", _MOCK_VARIABLE)


def _variable_value(name: str, text: str, variable: str) -> object:
    if name in _LISTS:
        items = (item.strip() for item in text.split(","))
        return tuple(Written(item, item, "", (variable,)) for item in items if item)
    return _whole_or_text(text.upper() if name == "logging.level" else text)


def _whole_or_text(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


def _advice(wanted: str, directories: Sequence[Path]) -> str:
    if "/" in wanted:
        return "write a name; a path goes with --file"
    names = sorted({path.stem for directory in directories for path in directory.glob("*.yaml")})
    if near := difflib.get_close_matches(wanted, names, n=3):
        return f"did you mean {' or '.join(near)}?"
    places = ", ".join(map(str, directories))
    return f"there are {', '.join(names)} in {places}" if names else f"put it in {places}"


def _settings(profile: _Profile, faults: list[str]) -> Iterator[tuple[str, _Setting]]:
    """What one profile sets; what is wrong with it is added to faults."""
    for key, written in profile.entries.items():
        if key == "inherits" or written.value is UNREADABLE:
            continue
        if key in SECTIONS:
            yield from _section(key, written, faults)
        elif key in PARAMETERS and "." not in key:
            yield key, _accepted(key, written, "", faults)
        else:
            faults.append(f"{written.place}: {key} is unknown: {_known_instead(key, '')}")


def _section(section: str, written: Written, faults: list[str]) -> Iterator[tuple[str, _Setting]]:
    if written.value is None:
        return  # all its lines are comments
    if not isinstance(written.value, dict):
        faults.append(
            f"{written.place}: {section} is {written.text}: it must be a section, with keys below it"
        )
        return
    for key, value in written.value.items():
        name = f"{section}.{key}"
        if name in PARAMETERS:
            yield name, _accepted(name, value, "", faults)
        else:
            faults.append(f"{value.place}: {name} is unknown: {_known_instead(key, section)}")


def _accepted(name: str, written: Written, subject: str, faults: list[str]) -> _Setting:
    origin = written.place or subject
    if written.place and written.variables:
        origin += f" ({', '.join(written.variables)})"
    try:
        return _Setting(PARAMETERS[name].accept(written, subject), origin)
    except Refused as refused:
        faults += refused.faults
        return _Setting(None, origin, usable=False)


def _known_instead(key: str, section: str) -> str:
    """Advice on an unknown key; section is empty at the top of a profile."""
    if key == "environment" and not section:
        return "it is the file's name, so leave it out"
    if key in PARAMETERS:
        owner, _, name = key.partition(".")
        return f"write {owner}: on a line, and {name}: indented below it"
    prefix = f"{section}." if section else ""
    here = [name.removeprefix(prefix) for name in PARAMETERS if name.startswith(prefix)]
    if not section:
        here = [*SECTIONS, *(name for name in here if "." not in name), "inherits"]
    wanted = key.lower().replace("-", "_")
    if near := difflib.get_close_matches(wanted, here, n=1):
        return f"did you mean {prefix}{near[0]}?"
    elsewhere = {name.rpartition(".")[2]: name for name in PARAMETERS}
    if near := difflib.get_close_matches(wanted, elsewhere, n=1, cutoff=0.8):
        return f"did you mean {elsewhere[near[0]]}?"
    return f"there are {', '.join(here)}"


def _in_layer(
    number: int, layer: Mapping[str, _Setting], below: Mapping[str, _Setting]
) -> Iterator[tuple[str, _Setting]]:
    """A layer's settings, numbered; one that cannot be used has the value that it would have replaced."""
    for name, setting in layer.items():
        value = setting.value if setting.usable else below[name].value
        yield name, replace(setting, value=value, layer=number)


def _build(name: str, settings: Mapping[str, _Setting]) -> Config:
    values: dict[str, Any] = {}
    sections: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for parameter, setting in settings.items():
        section, _, key = parameter.rpartition(".")
        (sections[section] if section else values)[key] = setting.value
    for section, keys in sections.items():
        values[section] = SECTIONS[section](**keys)
    return Config(environment=name, **values)


def _conflicts(config: Config, settings: Mapping[str, _Setting]) -> Iterator[str]:
    for conflict in conflicts(config):
        # A value that could not be used may be the one that would have prevented it.
        involved = [settings[name] for name in conflict.parameters]
        if all(setting.usable for setting in involved):
            nearest = max(involved, key=lambda setting: setting.layer)
            yield f"{nearest.origin}: {conflict.message}"
