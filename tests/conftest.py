"""What all tests share: the small models, made once by the project's own tools, and what takes too long."""

# ruff: noqa: PLC0415 (tests that need no model shall not wait for the conversion packages)

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

_ASKED_FOR: Final = {
    "container": "pytest -m container",
    "image": "make test-image",
    "power_cuts": "make test-power-cuts",
    "layer": "make image-check, or pytest -m layer",
}
"""Markers, and the command that runs their tests."""


@pytest.fixture(scope="session", autouse=True)
def _no_models_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whoever runs the tests may have chosen a model; a test that names none is to get the bundled one."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MODEL_NAME", raising=False)
        patch.delenv("MODELS_DIR", raising=False)
        for variable, usual in (("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", ".local/share")):
            present = Path(os.environ.get(variable) or Path.home() / usual)
            stand_in = home / variable
            stand_in.mkdir()
            # What other programs have there, such as pip its configuration, is still to be found; PulseAudio
            # wants a folder of its own, and no link to one.
            for one in present.iterdir() if present.is_dir() else ():
                if one.name not in ("rtap", "pulse"):
                    (stand_in / one.name).symlink_to(one)
            patch.setenv(variable, str(stand_in))
        yield


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


def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """What takes too long for every run waits until it is asked for."""
    asked_for = str(config.option.markexpr)
    for marker, command in _ASKED_FOR.items():
        if marker in asked_for:
            continue
        skip = pytest.mark.skip(reason=f"takes long: {command}")
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(skip)
