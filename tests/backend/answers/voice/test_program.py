"""rtap.answers.voice.program: what is done with a program that makes sound, whatever it does."""

import threading
from itertools import count
from pathlib import Path

import pytest

from rtap.answers.voice import program
from rtap.answers.voice.program import Program
from rtap.errors import SpeakerError
from tests.backend.vehicle.cars import Clock


def never() -> threading.Event:
    return threading.Event()


def shell(script: str) -> Program:
    return Program(("sh", "-c", script))


def test_a_text_goes_in_and_sound_comes_out():
    assert b"".join(shell("cat").sound("Grüß\nGott", never())) == "Grüß Gott\n".encode()


def test_a_text_is_in_no_argument(tmp_path: Path):
    arguments = b"".join(
        shell("tr '\\0' ' ' </proc/$$/cmdline; cat >/dev/null").sound("secret", never())
    )
    assert b"secret" not in arguments


def test_a_long_text_is_cut():
    spoken = b"".join(shell("cat").sound("a" * 5_000_000, never()))
    assert len(spoken) == program.LONGEST_TEXT + 1


def test_sound_without_end_is_cut(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(program, "LONGEST_BYTES", 100_000)
    endless = shell("exec yes")
    total = sum(map(len, endless.sound("text", never())))
    assert 100_000 <= total < 200_000
    assert not endless.is_running


def test_it_is_ended_when_nobody_listens_any_more():
    stop = never()
    endless = shell("exec yes")
    sound = endless.sound("text", stop)
    next(sound)
    stop.set()
    assert list(sound) == []
    assert not endless.is_running


def test_it_is_ended_while_it_thinks():
    stop = never()
    silent = shell("echo a; exec sleep 1000")
    sound = silent.sound("text", stop)
    assert next(sound) == b"a\n"
    threading.Timer(0.05, stop.set).start()
    assert list(sound) == []
    assert not silent.is_running


def test_it_is_ended_when_the_listener_goes_away():
    endless = shell("exec yes")
    sound = endless.sound("text", never())
    next(sound)
    sound.close()
    assert not endless.is_running
    endless.end()


def test_a_program_that_gives_nothing():
    clock = count(0, 3)
    silent = Program(("sh", "-c", "exec sleep 1000"), lambda: next(clock))
    with pytest.raises(SpeakerError, match=r"sh gave no sound for 10 s: try it"):
        list(silent.sound("text", never()))
    assert not silent.is_running


def test_a_slow_listener_is_no_silent_program():
    clock = Clock()
    sound = Program(("sh", "-c", "echo a; exec cat"), clock).sound("text", never())
    first = next(sound)
    clock.now += 60
    assert first + b"".join(sound) == b"a\ntext\n"


def test_a_program_that_fails_says_why():
    with pytest.raises(SpeakerError, match=r"sh ended with status 3 \(no such voice\): try it"):
        list(shell("cat >/dev/null; echo no such voice >&2; exit 3").sound("text", never()))
    with pytest.raises(SpeakerError, match=r"status 3 \(no message\)"):
        list(shell("exit 3").sound("text", never()))


def test_much_to_say_about_a_fault_does_not_stop_it():
    talks = "yes 'a line that is long enough to fill a pipe' | head -3000 >&2"
    assert b"".join(shell(f"{talks}; echo sound").sound("text", never())) == b"sound\n"


def test_a_program_that_is_not_there():
    with pytest.raises(SpeakerError, match=r"nowhere cannot be started .*: install it"):
        Program(("/nowhere/nowhere",))
