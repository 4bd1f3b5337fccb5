"""Where models live, and which of them is used."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtap import atomic_file
from rtap.errors import ConfigurationError, ModelError
from rtap.home import expanded, home
from rtap.whisper.model_directory import MANIFEST_NAME, Manifest, ModelDirectory

DEFAULT_MODEL = "whisper-base-int8"
"""What ``make model`` installs, and what is used where nothing else was chosen. It understands people."""
BUNDLED_MODEL = "cabin-en"
"""Comes with the program, and is used where there is no other model."""
BUNDLED_WARNING = (
    f"{BUNDLED_MODEL} is in use: it knows 600 words and does not understand people reliably: "
    "`make model` installs a model that does"
)
AUTO = "auto"
"""Stands in the place of a name where none is meant."""

_CONVERT = "`make model` gets one"


_PRECISIONS: Final[Mapping[str, str | None]] = {
    "auto": None,
    "int8": "int8",
    "float16": "fp16",
    "float32": "fp32",
}
"""Precisions of models by the names of ``stt.compute_dtype``; None: any."""


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One entry of the list of models."""

    name: str
    path: Path
    bundled: bool
    """It came with the program."""
    directory: ModelDirectory | None
    """None if it is damaged."""
    problem: str = ""
    """What is damaged."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model is to be taken, whether it is there or not."""

    model: str
    """Name or directory."""
    reason: str
    """Who says so; empty where it was asked for."""
    warning: str = ""
    """What the user should know of a model that was nobody's choice."""


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The directories that are searched for models by name, and the user's choice among them."""

    models_dir: Path
    bundled_dir: Path
    choice_file: Path
    environment_choice: str = ""
    """What MODEL_NAME says, if it names a model."""

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], models_dir: Path | None = None
    ) -> ModelStore:
        """MODELS_DIR, MODEL_NAME and the XDG directories; variables that are empty count as not set.

        Args:
            models_dir: taken instead of MODELS_DIR, where a configuration names one.
        """
        named = models_dir or environment.get("MODELS_DIR")
        data = _base_directory(environment, "XDG_DATA_HOME", ".local/share")
        config = _base_directory(environment, "XDG_CONFIG_HOME", ".config")
        wanted = environment.get("MODEL_NAME", "").strip()
        return cls(
            models_dir=expanded(Path(named)) if named else data / "rtap" / "models",
            bundled_dir=Path(__file__).parents[1] / "models",
            choice_file=config / "rtap" / "model.json",
            environment_choice="" if wanted == AUTO else wanted,
        )

    def list_models(self) -> list[StoredModel]:
        """All models by name, the user's before the bundled; damaged ones are listed with the problem."""
        found: dict[str, StoredModel] = {}
        for parent, bundled in ((self.models_dir, False), (self.bundled_dir, True)):
            for path in _model_directories(parent):
                if path.name not in found:
                    found[path.name] = _look_at(path, bundled=bundled)
        return sorted(found.values(), key=lambda model: (model.bundled, model.name))

    def resolve(self, name_or_path: str | None = None) -> ModelDirectory:
        """The model that :meth:`choose` says.

        Raises:
            ModelError: there is no such model, or it is damaged.
        """
        choice = self.choose(name_or_path)
        return self._open(choice.model, f" ({choice.reason})" if choice.reason else "")

    def choose(self, name_or_path: str | None = None) -> Choice:
        """The model asked for; for none or AUTO: MODEL_NAME, the stored choice, the default, the bundled.

        Raises:
            ModelError: nothing was chosen, and there is no default; or the stored choice cannot be read.
        """
        if name_or_path and name_or_path != AUTO:
            return Choice(name_or_path, "")
        if self.environment_choice:
            return Choice(self.environment_choice, "MODEL_NAME says so")
        if stored := self._stored_choice():
            return Choice(stored, "`rtap models use` chose it")
        if self._find_by_name(DEFAULT_MODEL):
            return Choice(DEFAULT_MODEL, "the default")
        if self._find_by_name(BUNDLED_MODEL):
            reason = f"there is no {DEFAULT_MODEL} in {self.models_dir}"
            return Choice(BUNDLED_MODEL, reason, BUNDLED_WARNING)
        if names := self._names():
            raise ModelError(f"no model chosen: run `rtap models use NAME` with one of {names}")
        raise ModelError(f"there is no model in {self.models_dir}: {_CONVERT}")

    def use(self, name_or_path: str) -> ModelDirectory:
        """Remember a model for the times when none is named.

        Raises:
            ModelError: there is no such model, or it is damaged.
            StorageError: the choice cannot be written.
        """
        directory = self._open(name_or_path, "")
        named = self._find_by_name(directory.path.name)
        choice = str(directory.path.resolve())
        if named and named.resolve() == directory.path.resolve():
            choice = named.name
        atomic_file.write_text(self.choice_file, json.dumps({"model": choice}) + "\n")
        return directory

    def _stored_choice(self) -> str:
        try:
            document = json.loads(self.choice_file.read_text(encoding="utf-8"))
            return str(document["model"])
        except FileNotFoundError:
            return ""
        except PermissionError as error:
            if _is_somebody_elses(self.choice_file.parent):
                return ""
            raise ModelError(
                f"{self.choice_file} may not be read: `chown` it to {os.geteuid()}"
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{self.choice_file} cannot be read ({error}): run `rtap models use NAME` again"
            ) from error

    def _open(self, name_or_path: str, why: str) -> ModelDirectory:
        path = self._find(name_or_path)
        if path is None:
            raise ModelError(f"no model {name_or_path}{why}: {self._advice(name_or_path)}")
        return ModelDirectory.open(path)

    def _find(self, name_or_path: str) -> Path | None:
        path = expanded(Path(name_or_path))
        return self._find_by_name(name_or_path) or (path if _is_directory(path) else None)

    def _find_by_name(self, name: str) -> Path | None:
        if Path(name).name != name or name in ("", ".."):
            return None
        paths = (self.models_dir / name, self.bundled_dir / name)
        return next((path for path in paths if _is_directory(path)), None)

    def _advice(self, wanted: str) -> str:
        owner, slash, name = wanted.partition("/")
        if slash and owner.isidentifier() and name and "/" not in name:
            return f"if it is a checkpoint on the hub, `make model MODEL={wanted}` converts it"
        models = [model.name for model in self.list_models()]
        if near := difflib.get_close_matches(wanted, models, n=3):
            return f"did you mean {' or '.join(near)}?"
        return f"there are {', '.join(models)}" if models else f"there are none yet, {_CONVERT}"

    def _names(self) -> str:
        return ", ".join(model.name for model in self.list_models())


def require_precision(manifest: Manifest, compute_dtype: str) -> None:
    """Check that a model has the precision that the configuration asks for.

    Raises:
        ConfigurationError: it has another.
    """
    wanted = _PRECISIONS[compute_dtype]
    if wanted is not None and manifest.precision != wanted:
        raise ConfigurationError(
            f"stt.compute_dtype is {compute_dtype}, but {manifest.name} is {manifest.precision}: "
            f"set auto, or convert the model again with PRECISION={wanted}"
        )


def _base_directory(environment: Mapping[str, str], variable: str, default: str) -> Path:
    # The XDG specification wants relative paths ignored.
    path = Path(environment.get(variable, ""))
    return path if path.is_absolute() else home() / default


def _is_somebody_elses(directory: Path) -> bool:
    """Whether it may not even be entered: HOME is another user's, as for a number without a name."""
    return not os.access(directory, os.X_OK)


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # in a directory that may not be entered
        return False


def _model_directories(parent: Path) -> list[Path]:
    # Hidden directories are conversions under way; those without a manifest are not models.
    try:
        return [
            path
            for path in parent.iterdir()
            if not path.name.startswith(".") and (path / MANIFEST_NAME).is_file()
        ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ModelError(f"{parent} cannot be read ({error.strerror}): check MODELS_DIR") from error


def _look_at(path: Path, *, bundled: bool) -> StoredModel:
    try:
        return StoredModel(path.name, path, bundled, ModelDirectory.open(path))
    except ModelError as error:
        return StoredModel(path.name, path, bundled, None, str(error))
