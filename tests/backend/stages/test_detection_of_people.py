"""Beginnings of what people say, and noise: through cleaner, detector and segmenter as in the service."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE, VAD_CHUNK
from rtap.config import VadConfig
from rtap.stages.denoise import Denoiser
from rtap.stages.segment import Segmenter, SpeechEnded
from rtap.stages.vad import Vad
from rtap.whisper.windows import CERTAIN, Window, WindowCutter

SPEECH = Path(os.environ.get("RTAP_SPEECH", Path(__file__).parents[4] / "shared/speech")) / "dev"
pytestmark = pytest.mark.skipif(
    not SPEECH.is_dir(), reason=f"no recordings of people in {SPEECH}: set RTAP_SPEECH"
)

BEGINNINGS = {"009.flac": 0.65, "010.flac": 0.70, "012.flac": 0.70}
"""When somebody says "add", "turn on" and "turn off", in seconds, softly, and after a chime."""


def read(path: Path) -> NDArray[np.float32]:
    audio, rate = soundfile.read(path, frames=15 * SAMPLE_RATE, dtype="float32")
    assert rate == SAMPLE_RATE
    return np.asarray(audio, dtype=np.float32)


def windows(audio: NDArray[np.float32]) -> list[Window]:
    cutter = WindowCutter()
    return cutter.push(audio, Vad().probabilities(audio)) + cutter.flush()


def utterances(audio: NDArray[np.float32]) -> list[SpeechEnded]:
    cleaner, vad, segmenter = Denoiser(2, 3), Vad(), Segmenter(VadConfig())
    clean = np.concatenate([cleaner.clean(audio), cleaner.flush()])
    chunks = clean[: clean.size // VAD_CHUNK * VAD_CHUNK].reshape(-1, VAD_CHUNK)
    events = [
        event for chunk in chunks for event in segmenter.push(chunk, vad.speech_probability(chunk))
    ]
    return [event for event in [*events, *segmenter.flush()] if isinstance(event, SpeechEnded)]


@pytest.mark.parametrize("name", BEGINNINGS)
def test_soft_beginnings(name: str) -> None:
    audio = read(SPEECH / "ohf_home_commands_en" / name)
    assert windows(audio)[0].start < BEGINNINGS[name]
    assert utterances(audio)[0].start_sample / SAMPLE_RATE < BEGINNINGS[name]


@pytest.mark.parametrize("folder", ["noise_background", "noise_car_and_road"])
def test_what_passes_of_noise_is_doubtful(folder: str) -> None:
    certain = {
        path.name: found
        for path in sorted((SPEECH / folder).glob("*.flac"))
        if (found := [one.certainty for one in utterances(read(path)) if one.certainty >= CERTAIN])
    }
    assert certain == {}
