"""A spoken command, from the sound card to the screen, on a device without a network.

The guest's clock counts instructions here: by it the emulated processor is always quick enough for a
microphone, however busy this machine is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.device import LOOPBACK, SCREEN, Booted, Device, Figures
from tests.image.speech import (
    AUDIO,
    COMMANDS,
    a_person,
    after_the_wake_word,
    bring,
    say_until_seen,
)
from tools.booting.machine import Settings

pytestmark = pytest.mark.image

RECORDING = "/tmp/recording.wav"


@pytest.fixture(scope="module")
def listening(device: Device) -> Iterator[Booted]:
    with device.boot(Settings(network=False, append=LOOPBACK, even_time=True)) as booted:
        booted.wait_healthy()
        yield booted


def test_it_reaches_the_screen(listening: Booted, pictures: Path, figures: Figures) -> None:
    bring(listening, after_the_wake_word(AUDIO / "turn_on_the_heating.wav"), "/tmp/command.wav")
    sentence = COMMANDS["turn_on_the_heating.wav"]
    attempts = say_until_seen(listening, "/tmp/command.wav", sentence, pictures)
    figures.note("wake word: times spoken until it was heard", attempts)


def test_screen_and_service_share_the_microphone(listening: Booted) -> None:
    user = f"systemd-run --quiet --pipe --wait --uid {listening.property(SCREEN, 'User')}"
    record = f"arecord -q -D default -f S16_LE -r 16000 -c 1 -d 1 {RECORDING}"
    done = listening.attempt(f"{user} {record} && stat -c %s {RECORDING}", 120)
    # One second of 16 bit, after a header.
    assert (done.status, done.output.strip()) == (0, str(44 + 2 * 16000))


def test_a_device_without_a_network_has_all_it_needs(listening: Booted) -> None:
    assert not listening.run("systemctl --failed --plain --no-legend")


def test_a_person_is_understood(listening: Booted, pictures: Path, figures: Figures) -> None:
    sentence = "front center"
    bring(listening, after_the_wake_word(a_person(sentence)), "/tmp/person.wav")
    listening.use_model(listening.default_model())
    # Half a minute of the emulator for a second of speech, and partial results before it.
    attempts = say_until_seen(listening, "/tmp/person.wav", sentence, pictures, seconds=300)
    figures.note("wake word: times a person spoke until it was understood", attempts)
