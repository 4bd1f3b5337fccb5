"""rtap.transports.wyoming.audio: any format becomes mono at 16 kHz."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from rtap.errors import AudioError
from rtap.transports.wyoming.audio import AudioHeader, IncomingAudio
from tests.backend.transports.scripted_service import tone


def header(rate: int = 16_000, width: Any = 2, channels: int = 1, **more: Any) -> AudioHeader:
    return AudioHeader.model_validate({"rate": rate, "width": width, "channels": channels, **more})


def pcm(samples: NDArray[np.float32], width: int) -> bytes:
    if width == 1:
        return np.rint(samples * 127 + 128).astype(np.uint8).tobytes()
    scale = {2: 32_767, 4: 2_147_483_647}[width]
    return np.rint(samples.astype(np.float64) * scale).astype(f"<i{width}").tobytes()


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 192_000])
@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_tone_stays_the_same(rate: int, width: int, channels: int) -> None:
    head = header(rate, width, channels)
    sent = np.repeat(tone(0.5, rate=rate)[:, np.newaxis], channels, axis=1)
    audio = IncomingAudio(head)
    third = sent.shape[0] // 3
    parts = [
        audio.push(head, pcm(sent[:third].reshape(-1), width)),
        audio.push(head, pcm(sent[third:].reshape(-1), width)),
        audio.flush(),
    ]
    heard = np.concatenate(parts)
    assert heard.dtype == np.float32
    assert heard.size == pytest.approx(8_000, abs=2)
    expected = tone(0.5)[: heard.size]
    # Away from the ends, where the filter swings in; a byte has steps of 1/128.
    inner = slice(400, -400)
    assert np.abs(heard[: expected.size] - expected)[inner].max() < (0.01 if width == 1 else 2e-3)


def test_channels_are_mixed() -> None:
    frames = np.array([[0.5, -0.5], [0.5, 0.25]], np.float32)
    heard = IncomingAudio(header(channels=2)).push(header(channels=2), pcm(frames.reshape(-1), 2))
    assert heard == pytest.approx([0.0, 0.375], abs=1e-4)


def test_full_scale() -> None:
    lowest = np.array([-32_768], "<i2").tobytes()
    assert IncomingAudio(header()).push(header(), lowest).tolist() == [-1.0]
    assert IncomingAudio(header(width=1)).push(header(width=1), b"\0\x80").tolist() == [-1.0, 0.0]


def test_nothing_is_nothing() -> None:
    assert IncomingAudio(header()).push(header(timestamp=3), b"").size == 0


def test_part_of_a_sample() -> None:
    audio = IncomingAudio(header(channels=2))
    with pytest.raises(
        AudioError, match="has 6 bytes: send whole samples of all channels, 4 bytes"
    ):
        audio.push(header(channels=2), b"123456")


def test_another_format_than_before() -> None:
    audio = IncomingAudio(header())
    with pytest.raises(AudioError, match="another format"):
        audio.push(header(rate=48_000), b"12")


@pytest.mark.parametrize(
    "fields",
    [
        {"rate": 0},
        {"rate": 7_999},
        {"rate": 192_001},
        {"rate": float("nan")},
        {"rate": "16000"},
        {"rate": True},
        {"width": 3},
        {"width": 2.5},
        {"channels": 0},
        {"channels": 9},
        {"timestamp": "now"},
        {"timestamp": 1 << 80},
    ],
)
def test_formats_that_nobody_can_mean(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AudioHeader.model_validate({"rate": 16_000, "width": 2, "channels": 1, **fields})


@pytest.mark.parametrize("missing", ["rate", "width", "channels"])
def test_fields_that_must_be_there(missing: str) -> None:
    fields = {"rate": 16_000, "width": 2, "channels": 1}
    del fields[missing]
    with pytest.raises(ValidationError, match=missing):
        AudioHeader.model_validate(fields)
