"""rtap.answers.voice.engine: speech of what programs give."""

import numpy as np

from rtap.answers.voice.engine import pieces


def test_samples_that_are_cut_in_two():
    blocks = iter([b"\x00", b"\x40\x00\x80", b"", b"\xff\x7f\x00"])
    samples = np.concatenate([piece.samples for piece in pieces(blocks, 16_000)])
    assert samples.tolist() == [0.5, -1.0, 32767 / 32768]
