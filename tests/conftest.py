"""The one small model that tests of several parts share: made once, by the project's own tools."""

# ruff: noqa: PLC0415 (tests that need no model shall not wait for the conversion packages)

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random checkpoint with Whisper's vocabulary; never change it."""
    from tools.export.tokenizer_from_ranks import byte_tokenizer
    from tools.random_checkpoint import SIZES, make_checkpoint

    path = tmp_path_factory.mktemp("checkpoint") / "whisper-mini"
    make_checkpoint(path, SIZES["mini"], seed=0, tokenizer=byte_tokenizer())
    return path


@pytest.fixture(scope="session")
def converted(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint's fp32 graphs; never change them."""
    from tools.convert_whisper import convert
    from tools.export.checkpoint import Checkpoint

    path = tmp_path_factory.mktemp("converted") / "mini"
    convert(Checkpoint.open(str(checkpoint)), path, verify=False)
    return path


@pytest.fixture(scope="session")
def quantized(converted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The int8 model that the device would run; never change it."""
    from rtap.whisper.model_directory import ModelDirectory
    from tools.quantize import quantize

    path = tmp_path_factory.mktemp("quantized") / "mini-int8"
    quantize(ModelDirectory.open(converted), path, "int8")
    return path
