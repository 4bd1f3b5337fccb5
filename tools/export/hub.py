"""Checkpoints from Hugging Face's hub, kept in its own cache."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from rtap.errors import ModelError
from tools.export.checkpoint import WEIGHT_FILES, weight_shards
from tools.export.staging import storage_errors

_TEXT_FILES = ["*.json", "*.txt"]


def download(name: str) -> Path:
    """Fetch a checkpoint from the hub, or take what an earlier download left in its cache."""
    from huggingface_hub import constants, snapshot_download
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
        with suppress(OSError):
            cached = Path(snapshot_download(name, local_files_only=True))
            if any((cached / file).is_file() for file in WEIGHT_FILES):
                return cached
        raise ModelError(
            f"{name} could not be downloaded ({error.__class__.__name__}): connect to the network, "
            f"or copy the checkpoint here and give its directory"
        ) from None


def _fetch(name: str) -> Path:
    """Get the small files and the first of the weight formats that the hub has."""
    from huggingface_hub import list_repo_files, snapshot_download

    offered = set(list_repo_files(name))
    weights = next((file for file in WEIGHT_FILES if file in offered), None)
    if weights is None:
        raise ModelError(
            f"{name} holds no weights that can be read, none of {', '.join(WEIGHT_FILES)}: "
            f"choose another model"
        )
    path = Path(snapshot_download(name, allow_patterns=[*_TEXT_FILES, weights]))
    snapshot_download(name, allow_patterns=weight_shards(path / weights))
    return path
