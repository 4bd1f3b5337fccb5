"""Checkpoints from Hugging Face's hub, kept in its own cache."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from rtap.errors import ModelError
from tools.model.conversion.checkpoint import WEIGHT_FILES, weight_shards
from tools.model.conversion.ctranslate2 import MODEL
from tools.model.conversion.staging import storage_errors

PROBE_SECONDS: Final = 4.0
"""After so long without an answer there is no hub."""

_TEXT_FILES = ["*.json", "*.txt"]
_WEIGHTS = (*WEIGHT_FILES, MODEL)


def download(name: str) -> Path:
    """Fetch a checkpoint from the hub, or take what an earlier download left in its cache."""
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
    )

    try:
        with storage_errors(Path(constants.HF_HUB_CACHE) / "models"):
            return _fetch(name)
    except GatedRepoError:
        raise ModelError(
            f"{name} is open to registered users only: accept its terms on the hub and log in there, "
            f"or copy the checkpoint here and give its directory"
        ) from None
    except (RepositoryNotFoundError, HFValidationError):
        raise ModelError(
            f"there is no directory and no hub model called {name!r}: try openai/whisper-base"
        ) from None
    except OSError as error:
        if found := kept(name):
            return found
        raise ModelError(
            f"{name} could not be downloaded ({error.__class__.__name__}): connect to the network, "
            f"or copy the checkpoint here and give its directory"
        ) from None


def kept(name: str) -> Path | None:
    """What an earlier download left in the hub's cache, if it has weights."""
    from huggingface_hub import snapshot_download

    with suppress(OSError, ValueError):
        cached = Path(snapshot_download(name, local_files_only=True))
        if any((cached / file).is_file() for file in _WEIGHTS):
            return cached
    return None


def answers(name: str, seconds: float = PROBE_SECONDS) -> bool:
    """Whether the hub has a model and can be reached, found out in a bounded time.

    Where there is no network, name resolution alone may take half a minute.
    """
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE:
        return False
    found: list[str] = []

    def ask() -> None:
        with suppress(Exception):  # whatever it is, there is no hub
            found.append(HfApi().model_info(name, timeout=seconds).id)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(found)


def _fetch(name: str) -> Path:
    """Get the small files and the first of the weight formats that the hub has."""
    from huggingface_hub import list_repo_files, snapshot_download

    offered = set(list_repo_files(name))
    weights = next((file for file in _WEIGHTS if file in offered), None)
    if weights is None:
        raise ModelError(
            f"{name} holds no weights that can be read, none of {', '.join(_WEIGHTS)}: "
            f"choose another model"
        )
    path = Path(snapshot_download(name, allow_patterns=[*_TEXT_FILES, weights]))
    snapshot_download(name, allow_patterns=weight_shards(path / weights))
    return path
