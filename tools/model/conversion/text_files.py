"""The JSON files beside the graphs: copied from the checkpoint, or made when an old checkpoint lacks them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from rtap.errors import ModelError
from rtap.whisper.model_settings import heads_are_inside
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.ctranslate2 import is_ctranslate2
from tools.model.conversion.tokenizer_from_ranks import tokenizer_from_vocabulary

_COPIED = ("config.json", "tokenizer_config.json", "special_tokens_map.json", "normalizer.json")

_GENERATION_KEYS = (
    "alignment_heads",
    "begin_suppress_tokens",
    "decoder_start_token_id",
    "eos_token_id",
    "is_multilingual",
    "lang_to_id",
    "max_initial_timestamp_index",
    "no_timestamps_token_id",
    "suppress_tokens",
    "task_to_id",
)


def write_text_files(checkpoint: Checkpoint, output: Path) -> None:
    """Write config, generation config, preprocessor config and tokenizer to ``output``."""
    for name in _COPIED:
        if name in checkpoint.made_documents:
            _write_json(output / name, checkpoint.read_json(name))
        elif (checkpoint.path / name).is_file():
            shutil.copyfile(checkpoint.path / name, output / name)
    _write_generation_config(checkpoint, output / "generation_config.json")
    _write_preprocessor_config(checkpoint, output / "preprocessor_config.json")
    _write_tokenizer(checkpoint, output / "tokenizer.json")


def has_foreign_heads(checkpoint: Checkpoint) -> bool:
    """Whether the checkpoint names alignment heads that its decoder does not have.

    Distilled checkpoints come with their teacher's list.
    """
    heads = _generation_config(checkpoint).get("alignment_heads") or ()
    config = checkpoint.config
    try:
        pairs = [(int(layer), int(head)) for layer, head in heads]
    except (TypeError, ValueError):
        return True
    return not heads_are_inside(pairs, config.decoder_layers, config.decoder_attention_heads)


def _generation_config(checkpoint: Checkpoint) -> dict[str, Any]:
    """Checkpoints from before transformers 4.26 keep these settings in config.json."""
    name = "generation_config.json"
    if name in checkpoint.made_documents or (checkpoint.path / name).is_file():
        return checkpoint.read_json(name)
    config = checkpoint.config_json
    return {key: config[key] for key in _GENERATION_KEYS if config.get(key) is not None}


def _write_generation_config(checkpoint: Checkpoint, path: Path) -> None:
    document = _generation_config(checkpoint)
    source = checkpoint.path / path.name
    if has_foreign_heads(checkpoint):
        del document["alignment_heads"]
    elif source.is_file() and path.name not in checkpoint.made_documents:
        shutil.copyfile(source, path)
        return
    _write_json(path, document)


def _write_preprocessor_config(checkpoint: Checkpoint, path: Path) -> None:
    source = checkpoint.path / path.name
    if source.is_file():
        # Older files carry the mel filterbank itself, two megabytes of numbers that we compute.
        document = checkpoint.read_json(path.name)
        document.pop("mel_filters", None)
    else:
        document = {
            "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": checkpoint.config.num_mel_bins,
            "sampling_rate": 16000,
            "n_fft": 400,
            "hop_length": 160,
            "chunk_length": checkpoint.config.max_source_positions // 50,
        }
    _write_json(path, document)


def _write_tokenizer(checkpoint: Checkpoint, path: Path) -> None:
    """Checkpoints without the fast tokenizer's file have vocab.json and merges.txt."""
    source = checkpoint.path / path.name
    if source.is_file():
        shutil.copyfile(source, path)
        return
    if is_ctranslate2(checkpoint.path):
        made = tokenizer_from_vocabulary(checkpoint.path)
        path.write_text(made.to_str(pretty=True), encoding="utf-8")
        return
    try:
        from transformers import WhisperTokenizerFast

        tokenizer = WhisperTokenizerFast.from_pretrained(checkpoint.path)
    except ImportError as error:
        raise ModelError(
            f"{checkpoint.path} has no tokenizer.json, and making one takes transformers: copy the "
            f"tokenizer.json of the same checkpoint there, or run `make setup`"
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"{checkpoint.path} has neither tokenizer.json nor vocab.json with merges.txt ({error}): "
            f"copy the tokenizer's files of the same checkpoint there"
        ) from error
    # Not its own save(): that has no OSError for a full disk.
    path.write_text(tokenizer.backend_tokenizer.to_str(pretty=True), encoding="utf-8")


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
