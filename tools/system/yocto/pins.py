"""Which commits of the layers are pinned: what kas files and their lock files say, and how a pin is moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rtap.errors import ConfigurationError
from tools.system.yocto.images import RELEASES


@dataclass(frozen=True, slots=True)
class Pin:
    """One repository on one release."""

    release: str
    name: str
    url: str
    branch: str
    commit: str
    lock: Path
    """The lock file that has the commit."""


def read_pins(kas: Path, release: str) -> list[Pin]:
    """Every repository that is fetched, in the order of the kas files.

    Args:
        kas: the folder of the kas files.

    Raises:
        ConfigurationError: a lock file has no commit of one.
    """
    overlay = RELEASES[release]
    repositories: dict[str, dict[str, str]] = {}
    commits: dict[str, tuple[str, Path]] = {}
    for name in ["base.yml", *([overlay] if overlay else [])]:
        for repository, stated in _document(kas / name).get("repos", {}).items():
            plain = {key: stated[key] for key in ("url", "branch") if key in (stated or {})}
            repositories.setdefault(repository, {}).update(plain)
        lock = (kas / name).with_suffix(".lock.yml")
        locked = _document(lock).get("overrides", {}).get("repos", {})
        commits |= {repository: (one["commit"], lock) for repository, one in locked.items()}
    fetched = {name: one for name, one in repositories.items() if "url" in one}
    missing = sorted(fetched.keys() - commits.keys())
    if missing:
        raise ConfigurationError(
            f"no lock file in {kas} pins a commit of {', '.join(missing)} on {release}: kas lock makes one"
        )
    return [
        Pin(release, name, one["url"], one["branch"], *commits[name])
        for name, one in fetched.items()
    ]


def move_pins(moved: Mapping[Pin, str]) -> list[Path]:
    """Write other commits into the lock files, and leave everything else in them as it is.

    Args:
        moved: the new commits.

    Returns:
        The files that were changed.
    """
    changed = []
    for lock in _once(pin.lock for pin in moved):
        text = before = lock.read_text(encoding="utf-8")
        for pin, commit in moved.items():
            if pin.lock == lock:
                text = text.replace(pin.commit, commit)
        if text != before:
            lock.write_text(text, encoding="utf-8")
            changed.append(lock)
    return changed


def _once(files: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(files))


def _document(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document
