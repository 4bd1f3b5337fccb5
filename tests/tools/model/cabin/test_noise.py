import numpy as np
import pytest

from rtap.audio.format import SAMPLE_RATE
from tools.model.cabin import noise

SIZE = 2 * SAMPLE_RATE


@pytest.mark.parametrize("kind", [*noise.GENERATORS, "cabin"])
def test_every_kind_is_loud_finite_and_different_each_time(kind: str) -> None:
    make = noise.GENERATORS.get(kind, noise.cabin)
    rng = np.random.default_rng(1)
    one, two = make(rng, SIZE), make(rng, SIZE)
    for sound in (one, two):
        assert sound.shape == (SIZE,)
        assert sound.dtype == np.float32
        assert np.isfinite(sound).all()
        assert np.sqrt(np.mean(np.square(sound))) == pytest.approx(1.0, rel=1e-3)
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("kind", noise.GENERATORS)
def test_the_same_seed_makes_the_same_noise(kind: str) -> None:
    one, two = (noise.GENERATORS[kind](np.random.default_rng(7), SIZE) for _ in range(2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(("slope", "octaves"), [(3.0, 3), (6.0, 2)])
def test_shaped_noise_falls_by_its_slope(slope: float, octaves: int) -> None:
    sound = noise.shaped(np.random.default_rng(2), 20 * SAMPLE_RATE, slope)
    power = np.square(np.abs(np.fft.rfft(sound)))
    hertz = np.fft.rfftfreq(sound.size, 1 / SAMPLE_RATE)

    def level(low: float) -> float:
        return float(10 * np.log10(power[(hertz >= low) & (hertz < 1.1 * low)].mean()))

    assert level(200) - level(200 * 2**octaves) == pytest.approx(slope * octaves, abs=1.0)


def test_road_noise_is_low() -> None:
    sound = noise.road(np.random.default_rng(3), SIZE)
    power = np.square(np.abs(np.fft.rfft(sound)))
    assert power[: SIZE // 16].sum() > 0.8 * power.sum()  # below 1 kHz


def test_babble_is_made_of_several_voices() -> None:
    voice = (np.sin(np.arange(SAMPLE_RATE) / 10) * 20000).astype(np.int16)
    silence = np.zeros(SAMPLE_RATE, dtype=np.int16)
    sound = noise.babble(np.random.default_rng(4), SIZE, [voice, silence])
    assert sound.shape == (SIZE,)
    assert np.isfinite(sound).all()


def test_the_bank_holds_every_kind_in_full() -> None:
    voice = (np.sin(np.arange(SAMPLE_RATE) / 10) * 20000).astype(np.int16)
    stock = noise.bank(np.random.default_rng(5), 1.0, 2, [voice])
    assert stock.keys() == noise.GENERATORS.keys() | {"cabin", "babble"}
    assert {sound.size for sound in stock.values()} == {2 * SAMPLE_RATE}
