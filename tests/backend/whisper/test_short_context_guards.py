"""The bundled model, made to hear badly in short contexts only, and whether the guards notice.

Its 12 s context stays as it is. In shorter ones it gets what stock Whisper weights make of them: the ending
is lost, the decoder loses count and repeats itself, or what comes out is no sentence at all. All decoding is
real; tests/backend/whisper/test_window_decoder.py has the rules one by one.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
from numpy.typing import NDArray
from onnx import numpy_helper

from rtap.whisper import window_decoder
from rtap.whisper.load_model import load_model
from rtap.whisper.model import EncodedAudio, SpeechModel
from rtap.whisper.model_directory import MANIFEST_NAME, Elastic, ModelDirectory, file_sha256
from rtap.whisper.transcribe import TranscribeOptions, Transcriber
from rtap.whisper.window_decoder import DecodingOptions, WindowDecoder

pytestmark = pytest.mark.slow

Array = NDArray[np.float32]
Damage = Callable[[Array], Array]

ROOT = Path(__file__).resolve().parents[3]
BUNDLED = ROOT / "backend/rtap/models/cabin-en"
AUDIO = ROOT / "tests/audio"
SENTENCES = {
    "turn on the heating": ("turn_on_the_heating",),
    "navigate home": ("navigate_home",),
    "set the temperature to twenty one degrees": ("set_the_temperature",),
    "turn on the heating navigate home": ("turn_on_the_heating", "navigate_home"),
    "navigate home turn on the heating": ("navigate_home", "turn_on_the_heating"),
}
SPEEDS = (0.9, 1.0, 1.12)


def spoken(names: Sequence[str], speed: float) -> Array:
    audio = np.concatenate(
        [soundfile.read(AUDIO / f"{name}.wav", dtype="float32")[0] for name in names]
    )
    places = np.arange(0, audio.size - 1, speed)
    faster: Array = np.interp(places, np.arange(audio.size), audio).astype(np.float32)
    return faster


UTTERANCES = [(text, spoken(names, speed)) for text, names in SENTENCES.items() for speed in SPEEDS]


def whole(mel: Array) -> Array:
    return mel


def without_ending(mel: Array) -> Array:
    """Silence from the middle of what is there."""
    silence = mel.min()
    heard = int(np.flatnonzero((mel > silence).any(axis=0)).max()) + 1
    cut = mel.copy()
    cut[:, heard // 2 :] = silence
    return cut


def backwards(mel: Array) -> Array:
    return np.ascontiguousarray(mel[:, ::-1])


class ShortSighted:
    """Implements :class:`rtap.whisper.model.SpeechModel` with one model for 12 s and one for all else."""

    def __init__(self, full: SpeechModel, short: SpeechModel, damage: Damage) -> None:
        self._full, self._short, self._damage = full, short, damage
        self._last = full
        self.elastic: Elastic = "guarded"
        self.frames: list[int] = []
        for name in ("directory", "dimensions", "tokenizer", "rules", "log_mel", "threads"):
            setattr(self, name, getattr(full, name))

    def __getattr__(self, name: str) -> Any:
        """What is asked about audio goes to the model that encoded it."""
        return getattr(self._last, name)

    def encode(self, mel: Array) -> EncodedAudio:
        self.frames.append(mel.shape[1])
        if mel.shape[1] == self._full.dimensions.max_frames:
            self._last = self._full
            return self._full.encode(mel)
        self._last = self._short
        return self._short.encode(self._damage(mel))


@dataclass
class Tally:
    """What became of the utterances."""

    right: int = 0
    retried: int = 0
    """Of the right ones: 12 s were encoded for nothing."""
    failed: int = 0
    """Heard otherwise than in 12 s."""
    caught: int = 0
    """Of those, heard as in 12 s in the end."""


def tally(model: Any, utterances: Sequence[tuple[str, Array]] = UTTERANCES) -> Tally:
    result = Tally()
    decoder = WindowDecoder(model, DecodingOptions(beams=1, temperatures=(0.0,), timestamps=False))
    sot = model.tokenizer.sot_sequence("en")

    def hear(audio: Array, context: Elastic, trust: Elastic) -> str:
        model.elastic = context
        encoded, frames = decoder.encode(audio)
        model.elastic = trust
        return decoder.decode(audio, encoded, frames, sot, ()).text

    for _, audio in utterances:
        padded = hear(audio, "no", "no")
        unguarded = hear(audio, "guarded", "native")
        model.frames.clear()
        guarded = hear(audio, "guarded", "guarded")
        retried = len(model.frames) == 2
        if unguarded == padded:
            result.right += 1
            result.retried += retried
        else:
            result.failed += 1
            result.caught += guarded == padded
    return result


@pytest.fixture(scope="module")
def model() -> SpeechModel:
    return load_model(ModelDirectory.open(BUNDLED), threads=1)


@pytest.fixture(scope="module")
def loses_count(tmp_path_factory: pytest.TempPathFactory) -> SpeechModel:
    """A decoder for which all positions after the first word are the same."""
    place = Path(shutil.copytree(BUNDLED, tmp_path_factory.mktemp("model") / "loses-count"))
    graph = onnx.load(place / "decoder.onnx")
    (positions,) = (
        one for one in graph.graph.initializer if one.name == "decoder.embed_positions.weight"
    )
    values = numpy_helper.to_array(positions).copy()
    values[5:] = values[5]
    positions.CopyFrom(numpy_helper.from_array(values, positions.name))
    onnx.save(graph, place / "decoder.onnx")
    manifest = json.loads((place / MANIFEST_NAME).read_text())
    for name, record in manifest["files"].items():
        file = place / name
        record |= {"bytes": file.stat().st_size, "sha256": file_sha256(file)}
    (place / MANIFEST_NAME).write_text(json.dumps(manifest))
    return load_model(ModelDirectory.open(place), threads=1)


def test_good_answers_are_kept(model: SpeechModel) -> None:
    found = tally(ShortSighted(model, model, whole))
    assert found.right >= 14
    assert found.retried <= 2
    assert found.caught == found.failed


def test_lost_endings(model: SpeechModel) -> None:
    found = tally(ShortSighted(model, model, without_ending))
    assert found.failed >= 14
    assert found.caught >= 0.8 * found.failed


def test_lost_endings_do_not_show_in_the_text(
    model: SpeechModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason for looking at where the decoder looked."""
    monkeypatch.setattr(window_decoder, "MAX_UNHEARD_SECONDS", np.inf)
    found = tally(ShortSighted(model, model, without_ending))
    assert found.caught <= 0.2 * found.failed


def test_repetition(
    model: SpeechModel, loses_count: SpeechModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is repeated, some is too short for a loop."""
    found = tally(ShortSighted(model, loses_count, whole))
    assert found.failed >= 14
    assert found.caught >= 0.7 * found.failed
    monkeypatch.setattr(window_decoder, "SUSPECT_REPEATS", 1000)
    assert tally(ShortSighted(model, loses_count, whole)).caught < found.caught


def test_nonsense(model: SpeechModel) -> None:
    """Half of it: a small model believes in some nonsense."""
    found = tally(ShortSighted(model, model, backwards))
    assert found.failed >= 14
    assert found.caught >= 0.4 * found.failed


@pytest.mark.parametrize("text", [text for text in SENTENCES if len(text.split()) > 4])
def test_the_engine_hears_the_whole_sentence(model: SpeechModel, text: str) -> None:
    """From the outside, as the service calls it."""
    short_sighted = ShortSighted(model, model, without_ending)
    engine = Transcriber(short_sighted, None)
    heard = engine.transcribe([spoken(SENTENCES[text], 1.0)], TranscribeOptions(language="en"))
    assert heard.text == text
    assert short_sighted.frames[-1] == model.dimensions.max_frames
