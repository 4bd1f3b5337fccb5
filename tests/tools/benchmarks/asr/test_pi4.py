"""The arithmetic of the estimate."""

from __future__ import annotations

import pytest

from tools.benchmarks.asr.pi4 import Cost, Shape, encoding, step, utterance

BASE = Shape(512, 6, 6, 80, 51_865)


def test_a_step_reads_the_decoder_once() -> None:
    # Whisper base's decoder has 52 M parameters, of which the positions' and the cross-attention's keys and
    # values are not read again.
    read = step(BASE, 0, 1).read
    assert read == 6 * 14 * 512**2 + 512 * 51_865
    assert step(BASE, 0, 4).read == 4 * read


def test_a_longer_context_costs_more_than_its_length_in_the_encoder() -> None:
    assert encoding(BASE, 30, 1).flops > 10 * encoding(BASE, 3, 1).flops
    assert encoding(BASE, 30, 1).read == encoding(BASE, 3, 1).read


def test_the_higher_ceiling_counts() -> None:
    assert Cost(48e9, 0).seconds == pytest.approx(1.0)
    assert Cost(0, 4e9).seconds == pytest.approx(1.0)
    assert Cost(48e9, 8e9).seconds == pytest.approx(2.0)


def test_an_utterance_is_its_encoder_and_its_steps() -> None:
    once = utterance(BASE, (3,), 1, 1)
    assert utterance(BASE, (3,), 11, 1) - once == pytest.approx(10 * step(BASE, 3, 1).seconds)
    assert 0.2 < utterance(BASE, (4,), 13, 1) < 0.5
    assert utterance(BASE, (30,), 13, 1) > 2


def test_what_is_encoded_again_costs_again() -> None:
    again = utterance(BASE, (3, 30), 13, 1) - utterance(BASE, (30,), 13, 1)
    assert again == pytest.approx(encoding(BASE, 3, 1).seconds)
