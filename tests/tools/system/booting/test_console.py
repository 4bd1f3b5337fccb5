"""The console, with a shell of this machine as the guest."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tools.system.booting.shell_guest import ShellGuest
from tools.system.booting.console import Console, ConsoleError, Result


@contextmanager
def connected(guest: ShellGuest, folder: Path) -> Iterator[Console]:
    with guest:
        console = Console(guest.line, folder / "console.log", time.monotonic())
        yield console
        guest.power_off()
        console.close()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    with connected(ShellGuest(tmp_path), tmp_path) as made:
        assert 0 <= made.login(seconds=60) < 60
        yield made


def test_login_tells_when_it_could(tmp_path: Path) -> None:
    with connected(ShellGuest(tmp_path), tmp_path) as console:
        reached = console.wait_for_login(60)
        assert 0 < reached < 60
        assert not console.is_logged_in


def test_login_with_a_password(tmp_path: Path) -> None:
    with connected(ShellGuest(tmp_path, password="secret"), tmp_path) as console:
        console.login("voice", "secret", seconds=60)
        assert console.is_logged_in
        assert console.run("echo ok") == Result(0, "ok\n")


@pytest.mark.parametrize(("given", "why"), [(None, "a password is wanted"), ("wrong", "refused")])
def test_login_without_the_right_password(tmp_path: Path, given: str | None, why: str) -> None:
    with (
        connected(ShellGuest(tmp_path, password="secret"), tmp_path) as console,
        pytest.raises(ConsoleError, match=why),
    ):
        console.login("root", given, seconds=60)


@pytest.mark.parametrize(
    "words", ["Kernel panic - not syncing: no init", "You are in emergency mode"]
)
def test_a_system_that_cannot_start_is_known_at_once(tmp_path: Path, words: str) -> None:
    guest = ShellGuest(tmp_path, f"echo '{words}'; exec sleep 1000")
    with connected(guest, tmp_path) as console, pytest.raises(ConsoleError, match=words):
        console.login(seconds=200)


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ("true", Result(0, "")),
        ("exit 3", Result(3, "")),
        ("printf 'no newline'; false", Result(1, "no newline")),
        ("echo out; echo err >&2", Result(0, "out\nerr\n")),
        ("echo 'voice login: # $ '", Result(0, "voice login: # $ \n")),
        (
            "for i in 1 2; do\n\techo \"$i ä 'q' \\\\ !!\"\ndone",
            Result(0, "1 ä 'q' \\ !!\n2 ä 'q' \\ !!\n"),
        ),
        ("cat; echo read", Result(0, "read\n")),
        ("no-such-command 2>/dev/null", Result(127, "")),
    ],
)
def test_run(console: Console, command: str, result: Result) -> None:
    assert console.run(command) == result


@pytest.mark.parametrize(("command", "status"), [("if", 2), ("kill -9 $$", 137)])
def test_command_that_does_not_end_well(console: Console, command: str, status: int) -> None:
    assert console.run(command).status == status
    assert console.run("echo next") == Result(0, "next\n")


def test_each_command_has_a_shell_of_its_own(console: Console) -> None:
    console.run("cd /; VALUE=1")
    assert console.run("echo $VALUE; test $PWD = /").status == 1


def test_long_script(console: Console) -> None:
    script = "\n".join(f"echo 'line {number} of it'" for number in range(600))
    assert len(script) > 3 * 4096
    done = console.run(script)
    assert done.output.splitlines() == [f"line {number} of it" for number in range(600)]


def test_long_output(console: Console) -> None:
    assert console.run("seq 30000").output.split() == [str(number) for number in range(1, 30001)]


def test_output_that_comes_in_bits(tmp_path: Path) -> None:
    with connected(ShellGuest(tmp_path, step=1), tmp_path) as console:
        console.login(seconds=60)
        assert console.run("seq 20; exit 4") == Result(4, "".join(f"{n}\n" for n in range(1, 21)))


def test_kernel_messages_between(tmp_path: Path) -> None:
    guest = ShellGuest(tmp_path)
    with connected(guest, tmp_path) as console:
        console.login(seconds=60)
        for _ in range(5):
            guest.say(b"\r\n[ 12.3] Internal error: # $ login: Password: \r\n")
            assert console.run("exit 7").status == 7


def test_command_in_the_background_is_not_waited_for(console: Console) -> None:
    assert console.run("sleep 1000 & echo $!").status == 0
    assert console.run("echo next") == Result(0, "next\n")


def test_command_that_takes_too_long(console: Console) -> None:
    with pytest.raises(ConsoleError) as caught:
        console.run("echo began; sleep 1000", 2)
    assert "running 'echo began; sleep 1000': nothing came within" in caught.value.summary
    assert "began" in caught.value.lines
    assert str(caught.value).endswith("began")
    assert console.run("echo next") == Result(0, "next\n")


def test_files(console: Console, tmp_path: Path) -> None:
    content = bytes(range(256)) * 8
    console.write_file("a file's", content)
    assert (tmp_path / "a file's").read_bytes() == content
    assert console.read_file("a file's") == content
    console.write_file("a file's", b"")
    assert console.read_file("a file's") == b""


def test_files_that_cannot_be(console: Console) -> None:
    with pytest.raises(ConsoleError, match=r"reading /nowhere: .*No such file"):
        console.read_file("/nowhere")
    with pytest.raises(ConsoleError, match=r"writing /nowhere/file: .*[Nn]o such file"):
        console.write_file("/nowhere/file", b"content")
    assert console.run("echo next") == Result(0, "next\n")


def test_lost_characters_are_noticed(tmp_path: Path) -> None:
    def lossy(data: bytes) -> bytes:
        return data.replace(b"precious", b"prcious")

    with connected(ShellGuest(tmp_path, on_input=lossy), tmp_path) as console:
        console.login(seconds=60)
        with pytest.raises(ConsoleError, match="lost characters"):
            console.run("echo precious")


def test_expect(console: Console) -> None:
    console.send_line("echo number $((6 * 7))")
    assert console.expect(r"number (\d+)", 20)[1] == "42"
    with pytest.raises(ConsoleError, match="waiting for 'never'") as caught:
        console.expect("never", 0.1)
    assert "@ready@ number 42" in caught.value.lines


def test_machine_that_ends(tmp_path: Path) -> None:
    with ShellGuest(tmp_path) as guest:
        diagnoses = [""]
        console = Console(guest.line, tmp_path / "log", time.monotonic(), lambda: diagnoses[0])
        console.login(seconds=60)
        diagnoses[0] = "QEMU has ended (on fire)"
        ender = threading.Thread(target=guest.power_off)
        ender.start()
        with pytest.raises(ConsoleError, match="QEMU has ended"):
            console.expect("never", 60)
        ender.join()
        console.close()


def test_error_without_any_output(tmp_path: Path) -> None:
    guest = ShellGuest(tmp_path, "exec sleep 1000")
    with connected(guest, tmp_path) as console, pytest.raises(ConsoleError, match=r"\(nothing\)"):
        console.login(seconds=0.2)
