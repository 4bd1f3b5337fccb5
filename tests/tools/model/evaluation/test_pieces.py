"""Pieces of recordings: how many, how long, and from where."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError
from tools.model.evaluation.data import Utterance
from tools.model.evaluation.pieces import SECONDS, Recording, cut, open_others

SPEECH = Recording(Utterance(Path("a.wav"), "turn left", "street"), 8.0)
NOISE = Recording(Utterance(Path("b.wav"), "", "noise"), 60.0)
SHORT = Recording(Utterance(Path("c.wav"), "yes", "street"), 0.5)


def test_their_length_and_place() -> None:
    pieces = cut([SPEECH, NOISE, SHORT], 0.5, (None, 10.0), seed=1)
    lengths: dict[str, list[float]] = {name: [] for name in ("a.wav", "b.wav", "c.wav")}
    for piece in pieces:
        assert piece.cut is not None
        begin, end = piece.cut
        lengths[piece.audio.name].append(end - begin)
        assert 0 <= begin < end <= {"a.wav": 8.01, "b.wav": 60.01, "c.wav": 0.51}[piece.audio.name]
    total = sum(map(sum, lengths.values()))
    assert 1_800 <= total < 1_800 + SECONDS[1]
    assert max(map(len, lengths.values())) - min(map(len, lengths.values())) <= 1
    longest = [*lengths["a.wav"], *lengths["b.wav"]]
    assert min(longest) < SECONDS[0] + 1 < SECONDS[1] - 1 < max(longest) <= SECONDS[1] + 0.01
    assert max(lengths["c.wav"]) <= 0.5


def test_the_same_with_the_same_seed() -> None:
    recordings = [SPEECH, NOISE]
    assert cut(recordings, 0.1, (None,), 1) == cut(recordings, 0.1, (None,), 1)
    assert cut(recordings, 0.1, (None,), 1) != cut(recordings, 0.1, (None,), 2)


def test_speech_is_heard_at_all_levels_and_noise_as_it_is() -> None:
    pieces = cut([SPEECH, NOISE], 0.5, (None, 10.0, 5.0), seed=1)
    levels = Counter((one.audio.name, one.snr, one.noise) for one in pieces)
    assert {key for key in levels if key[0] == "b.wav"} == {("b.wav", None, "clean")}
    speech = [levels["a.wav", level, name] for level, name in
              ((None, "clean"), (10.0, "10 dB"), (5.0, "5 dB"))]  # fmt: skip
    assert min(speech) > sum(speech) / 5


def test_commands_and_what_is_no_sound_are_left_out(tmp_path: Path) -> None:
    utterances = []
    for name, seconds in {"a": 2.0, "b": 3.0, "c": 0.01}.items():
        file = tmp_path / f"{name}.wav"
        soundfile.write(file, np.zeros(int(seconds * SAMPLE_RATE)), SAMPLE_RATE)
        utterances.append(Utterance(file, name, "car"))
    found = open_others(utterances, lambda one: one.text == "a")
    assert found == [Recording(utterances[1], 3.0)]
    with pytest.raises(ConfigurationError, match="all of the data are commands"):
        open_others(utterances, lambda one: one.text != "c")
