"""rtap.transports.wyoming.wake: real detectors, one client each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtap.audio.format import Samples
from rtap.config import WakeWordConfig
from rtap.errors import ConfigurationError
from rtap.transports.wyoming.package import AudioChunk, AudioStart, AudioStop, Detect, Detection
from rtap.transports.wyoming.wake import chosen_words, wake_words
from tests.backend.transports.scripted_service import tone
from tests.backend.transports.wyoming.wyoming_serving import (
    CONFIG,
    chunks,
    error_of,
    receive,
    run,
    say,
    send,
    serving,
    until,
)

AUDIO = Path(__file__).parents[3] / "audio" / "wake_word"
WORDS = ["hey_mycroft", "alexa", "hey_jarvis", "okay_nabu"]


@pytest.fixture(scope="module")
def call() -> Samples:
    samples, rate = soundfile.read(AUDIO / "hey_mycroft.wav", dtype="float32")
    assert rate == 16_000
    return np.asarray(samples)


def test_it_is_told_as_soon_as_it_is_heard(call: Samples) -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await say(client, call, Detect(names=["hey_mycroft"]), end=False)
            detection = Detection.from_event(await receive(client))
            assert detection.name == "hey_mycroft"
            assert detection.timestamp is not None
            assert 0 < detection.timestamp <= 1_000 * call.size // 16_000
            assert served.metric('rtap_streams_open{transport="wyoming"} 1.0')
            # What was heard once is not told again, nor is it said that there was nothing.
            await send(client, AudioStop(), Detect(names=["alexa"]))
            await say(client, tone(0.2), Detect())
            assert (await receive(client)).type == "not-detected"

    run(test)


def test_the_client_s_clock_counts(call: Samples) -> None:
    async def test(own: int | None) -> int | None:
        async with serving() as served, served.client() as client:
            await send(client, Detect(), AudioStart(16_000, 2, 1, timestamp=5_000))
            for number, chunk in enumerate(chunks(call)):
                timestamp = None if own is None else own + number
                await send(client, replace(chunk, timestamp=timestamp))
            return Detection.from_event(await receive(client)).timestamp

    begun = run(lambda: test(None))
    assert begun is not None
    assert 5_000 < begun <= 5_000 + 1_000 * call.size // 16_000
    own = run(lambda: test(9_000_000))
    assert own is not None
    assert 9_000_000 < own < 9_000_000 + len(chunks(call))


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (None, "detection"),
        ([], "detection"),
        (["Hey Mycroft"], "detection"),
        (["alexa", "hey-mycroft"], "detection"),
        (["alexa"], "not-detected"),
    ],
)
def test_names(call: Samples, names: list[str] | None, kind: str) -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await say(client, call, Detect(names=names))
            event = await receive(client)
            assert event.type == kind
            if kind == "detection":
                assert event.data["name"] == "hey_mycroft"

    run(test)


def test_several_rounds_on_one_connection(call: Samples) -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            for _ in range(3):
                await say(client, call, Detect())
                assert (await receive(client)).type == "detection"
            # The request stays in force for the next sound.
            await send(client, AudioStart(16_000, 2, 1), *chunks(tone(0.5)), AudioStop())
            assert (await receive(client)).type == "not-detected"
            await until(lambda: served.metric('rtap_streams_open{transport="wyoming"} 0.0'))

    run(test)


def test_sound_at_another_rate(call: Samples) -> None:
    # Every sample thrice: 48 kHz, though not by a good filter.
    fast = np.repeat(call, 3)
    payload = np.stack([fast, fast], axis=1).reshape(-1)
    pcm = (payload * 32_767).astype("<i2").tobytes()

    async def test() -> None:
        async with serving() as served, served.client() as client:
            await send(client, Detect(), AudioStart(48_000, 2, 2))
            for begin in range(0, len(pcm), 9_600):
                await send(client, AudioChunk(48_000, 2, 2, pcm[begin : begin + 9_600]))
            assert (await receive(client)).type == "detection"

    run(test)


def test_an_unknown_word_is_refused_and_another_may_follow(call: Samples) -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await say(client, call, Detect(names=["hey_mycroft", "computer"]))
            error = await error_of(client)
            assert error.code == "bad_option"
            assert error.text == (
                f"there is no wake word 'computer': detect one of {', '.join(WORDS)}"
            )
            await say(client, call, Detect(names=["hey_mycroft"]))
            assert (await receive(client)).type == "detection"

    run(test)


def test_several_clients_do_not_hear_each_other(call: Samples) -> None:
    async def test() -> None:
        async with serving() as served, served.client() as one, served.client() as other:
            half = call.size // 2
            await say(one, call[:half], Detect(), end=False)
            await say(other, tone(1.0), Detect(), end=False)
            await send(other, *chunks(call[half:]), AudioStop())
            assert (await receive(other)).type == "not-detected"
            await send(one, *chunks(call[half:]), AudioStop())
            assert (await receive(one)).type == "detection"

    run(test)


def test_the_configured_word_comes_first() -> None:
    assert wake_words(WakeWordConfig()) == WORDS
    assert wake_words(WakeWordConfig(keyword="Okay Nabu"))[0] == "okay_nabu"
    assert wake_words(WakeWordConfig(enabled=False)) == WORDS
    assert wake_words(WakeWordConfig(keyword="not known yet"))[0] == "alexa"


def test_porcupine_knows_the_configured_word_alone() -> None:
    config = WakeWordConfig(engine="porcupine", keyword="Hey Google", access_key="key")
    assert wake_words(config) == ["Hey Google"]
    assert chosen_words(config, ["hey_google"]) == ("Hey Google",)
    with pytest.raises(ConfigurationError, match="one of Hey Google"):
        chosen_words(config, ["alexa"])
    assert chosen_words(replace(config, enabled=False), ["alexa"]) == ("alexa",)


def test_an_engine_that_cannot_be_had_is_told() -> None:
    wakeword = WakeWordConfig(engine="porcupine", keyword="alexa", access_key="key")

    async def test() -> None:
        async with (
            serving(replace(CONFIG, wakeword=wakeword)) as served,
            served.client() as client,
        ):
            await say(client, tone(0.5), Detect())
            error = await error_of(client)
            assert error.code == "bad_option"
            assert "pvporcupine" in error.text

    run(test)


def test_a_word_is_listened_for_once() -> None:
    assert chosen_words(WakeWordConfig(), ["alexa", "Alexa", "ALEXA"]) == ("alexa",)
    assert chosen_words(WakeWordConfig(), []) == tuple(WORDS)
    assert chosen_words(replace(WakeWordConfig(), keyword="alexa"), [])[0] == "alexa"
