"""rtap.model_loader: what is chosen, and what is loaded where the choice cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import rtap
from rtap.config import SttConfig
from rtap.errors import ConfigurationError, ModelError, RTAPException
from rtap.model_loader import ModelLoader
from rtap.telemetry import Telemetry
from rtap.whisper.model_store import ModelStore

BUNDLED = Path(rtap.__file__).parent / "models" / "cabin-en"


class Loading:
    """A loader over a copy of the bundled model, and two that cannot be loaded."""

    def __init__(self, path: Path, stt: SttConfig) -> None:
        for name in ("copy", "damaged"):
            shutil.copytree(BUNDLED, path / name)
        data = path / "damaged" / "decoder.onnx"
        data.write_bytes(bytes(data.stat().st_size))
        (path / "empty").mkdir()
        (path / "empty" / "manifest.json").write_text("no manifest")
        self.refused: list[RTAPException] = []
        store = ModelStore(path, BUNDLED.parent, path / "choice.json", "")
        self.loader = ModelLoader(stt, store, Telemetry(), self.refused.append)

    def load(self) -> str:
        """The folder of the model that was loaded."""
        self.loader.load("cpu")
        assert self.loader.facts is not None
        return Path(self.loader.facts.path).name


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    return Loading(tmp_path, SttConfig(model_name="cabin-en", num_threads=1))


def test_the_configured_model_is_loaded(loading: Loading) -> None:
    assert loading.loader.facts is None
    assert loading.load() == "cabin-en"
    assert loading.refused == []


def test_another_one_when_it_was_chosen(loading: Loading) -> None:
    loading.load()
    loading.loader.choose("copy")
    assert loading.load() == "copy"


def test_the_last_that_could_be_loaded_takes_the_place_of_a_damaged_one(loading: Loading) -> None:
    loading.loader.choose("copy")
    loading.load()
    loading.loader.choose("damaged")
    assert loading.load() == "copy"
    (error,) = loading.refused
    assert "damaged" in str(error)
    assert loading.load() == "copy"  # the choice itself went back
    assert loading.refused == [error]


def test_the_first_that_cannot_be_loaded_is_an_error(loading: Loading) -> None:
    loading.loader.choose("damaged")
    with pytest.raises(RTAPException, match="damaged"):
        loading.load()
    assert (loading.refused, loading.loader.facts) == ([], None)


@pytest.mark.parametrize("name", ["nothing", "../copy", ""])
def test_only_names_can_be_chosen(loading: Loading, name: str) -> None:
    with pytest.raises(ModelError, match="there are copy, damaged"):
        loading.loader.choose(name)
    assert loading.load() == "cabin-en"


def test_what_is_known_to_be_damaged_cannot_be_chosen(loading: Loading) -> None:
    with pytest.raises(ModelError, match="empty"):
        loading.loader.choose("empty")


def test_another_precision_than_the_configured_one_is_refused(tmp_path: Path) -> None:
    loading = Loading(tmp_path, SttConfig(model_name="cabin-en", compute_dtype="float32"))
    with pytest.raises((ConfigurationError, ModelError), match="int8"):
        loading.load()
