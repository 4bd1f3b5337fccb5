"""A spoken command, from the sound card to the screen, on a device without a network.

The guest's clock counts instructions here: by it the emulated processor is always quick enough for a
microphone, however busy this machine is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.device import BACKEND, LOOPBACK, MICROPHONE, SCREEN, Booted, Device, Figures
from tests.image.speech import (
    AUDIO,
    COMMANDS,
    a_person,
    after_the_wake_word,
    bring,
    say_until_seen,
)
from tools.system.booting.machine import Settings

pytestmark = pytest.mark.image

RECORDING = "/tmp/recording.wav"


@pytest.fixture(scope="module")
def listening(device: Device) -> Iterator[Booted]:
    with device.boot(Settings(network=False, even_time=True)) as booted:
        booted.wait_healthy()
        # The microphone comes after all that listens to it, as one that is plugged in while driving.
        assert booted.attempt(f"test -L {MICROPHONE}").status != 0
        booted.run(LOOPBACK)
        booted.wait_until("the microphone is linked", lambda: has_microphone(booted), 60)
        yield booted


def has_microphone(booted: Booted) -> bool:
    card = f"/sys/class/sound/$(basename $(readlink -f {MICROPHONE}))/device/id"
    return booted.attempt(f"cat {card}").output.strip() == "Loopback"


def test_it_reaches_the_screen(listening: Booted, pictures: Path, figures: Figures) -> None:
    bring(listening, after_the_wake_word(AUDIO / "turn_on_the_heating.wav"), "/tmp/command.wav")
    sentence = COMMANDS["turn_on_the_heating.wav"]
    attempts = say_until_seen(listening, "/tmp/command.wav", sentence, pictures)
    figures.note("wake word: times spoken until it was heard", attempts)


def test_nothing_was_started_anew_for_the_microphone(listening: Booted) -> None:
    for unit in (SCREEN, BACKEND):
        assert listening.property(unit, "NRestarts") == "0"
        assert "Stopping" not in listening.journal(unit)


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
