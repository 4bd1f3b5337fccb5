"""Commands as sound files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from tools.model.cabin import synthesis
from tools.model.cabin.synthesis import Request
from tools.model.cabin.voices import Role, Voice
from tools.model.evaluation.data import Utterance, load_data
from tools.model.evaluation.meaning import Meaning
from tools.model.speaking.commands import Command
from tools.model.speaking.recordings import plan, write
from tools.model.speaking.voices import VOICES

LOW, HIGH = (Voice("tone", name, Role.NEVER_USED, 1.0) for name in ("low", "high"))
COMMANDS = [
    Command(f"fan to {level}", Meaning("SetFan", (("level", level),))) for level in range(5)
]


def tones(requests: Sequence[Request]) -> list[NDArray[np.int16]]:
    """Speaks each in the loudness of its number, a second long."""
    return [np.full(SAMPLE_RATE, 1_000 * int(one.text[-1]), np.int16) for one in requests]


def test_plan() -> None:
    tasks = plan(COMMANDS, [LOW, HIGH], Random(1))
    assert [one.command for one in tasks] == COMMANDS
    assert [one.request.text for one in tasks] == [one.text for one in COMMANDS]
    assert [one.request.voice for one in tasks] == [LOW, HIGH, LOW, HIGH, LOW]
    assert len({one.request.rate for one in tasks}) == len(COMMANDS)
    assert all(0.8 < one.request.rate < 1.3 for one in tasks)
    assert plan(COMMANDS, [LOW, HIGH], Random(1)) == tasks


def test_what_is_written_can_be_evaluated(tmp_path: Path) -> None:
    folder = tmp_path / "spoken"
    write(plan(COMMANDS, [LOW, HIGH], Random(1)), folder, "en", 1, tones)
    found = load_data([folder])
    assert found[0] == Utterance(
        folder / "tone-low-000.wav",
        "fan to 0",
        "spoken",
        "tone-low",
        language="en",
        meant=Meaning("SetFan", (("level", 0),)),
    )
    levels = {}
    for one in found:
        audio, rate = soundfile.read(one.audio, dtype="int16")
        assert (rate, audio.ndim) == (SAMPLE_RATE, 1)
        assert 1.5 < audio.size / rate < 2
        assert 0 < np.abs(audio[: rate // 10]).max() < 100
        levels[one.text] = round(float(np.median(np.sort(np.abs(audio))[-rate:])) / 1_000)
    assert levels == {f"fan to {level}": level for level in range(5)}
    assert [one.audio.name for one in found if one.speaker == "tone-high"] == [
        "tone-high-000.wav",
        "tone-high-001.wav",
    ]


def test_the_same_with_the_same_seed(tmp_path: Path) -> None:
    files = []
    for name, seed in {"a": 1, "b": 1, "c": 2}.items():
        write(plan(COMMANDS, [LOW], Random(seed)), tmp_path / name, "en", seed, tones)
        files.append((tmp_path / name / "tone-low-003.wav").read_bytes())
    assert files[0] == files[1] != files[2]


@pytest.mark.parametrize("voice", VOICES["de"], ids=lambda voice: voice.speaker)
def test_real_voices(voice: Voice, tmp_path: Path) -> None:
    if voice.synthesiser in synthesis.PACKAGES and shutil.which(voice.synthesiser) is None:
        pytest.skip(f"apt-get install {synthesis.PACKAGES[voice.synthesiser]}")
    if voice.synthesiser == "pico":
        pytest.importorskip("py_nanotts")
    command = Command("stell die temperatur auf 21 grad", Meaning("SetTemperature"))
    write(plan([command], [voice], Random(1)), tmp_path / "de", "de", 1)
    (one,) = load_data([tmp_path / "de"])
    audio, rate = soundfile.read(one.audio, dtype="int16")
    assert 1.5 < audio.size / rate < 5
    assert np.abs(audio).max() == pytest.approx(0.7 * 32767, rel=0.01)
