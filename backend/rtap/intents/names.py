"""Lists of names in files of their own, such as contacts and places: a line for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rtap.errors import ConfigurationError
from rtap.intents.yaml_file import read_text


@dataclass(frozen=True, slots=True)
class NameFiles:
    """Files of names that lists may ask for as ``file: contacts`` and ``file: places``."""

    contacts: Path | None = None
    """None: the list is empty, and sentences with it are never matched."""
    places: Path | None = None


def read_names(path: Path) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Names from a file in UTF-8.

    A line is a name, and after commas what else it is called: ``Anna Huber, Anna, my sister``. Lines that are
    empty or begin with # are left out.

    Yields:
        The name, what may be said for it, and FILE:LINE.

    Raises:
        ConfigurationError: the file is not there, or no text.
    """
    if not path.is_file():
        raise ConfigurationError(
            f"{path} is not there: write it, with a name on each line, or correct the path"
        )
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        said = tuple(part.strip() for part in line.split(",") if part.strip())
        if said and not said[0].startswith("#"):
            yield said[0], said, f"{path}:{number}"
