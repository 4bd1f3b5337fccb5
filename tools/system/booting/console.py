"""The serial console of a machine: wait for a text, log in, run commands and get their status.

What is sent asks nothing of the guest but a POSIX shell with ``printf``: busybox as Yocto builds it has no
base64.
"""

from __future__ import annotations

import re
import secrets
import shlex
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pexpect

from tools.system.booting.boot_error import BootError
from tools.system.booting.serial_feed import READ_BYTES, SerialFeed
from tools.system.booting.shell_text import pieces

_LINES_SHOWN: Final = 30
_LOGIN: Final = r"(?<!Last )login: "
_TROUBLE: Final = (
    r"(Kernel panic - not syncing[^\r\n]*|You are in (?:emergency|rescue) mode|"
    r"(?:Give root password|Press Enter) for maintenance|VFS: Unable to mount root[^\r\n]*)"
)
_ASKS: Final = r"[Pp]assword: ?"
_REFUSED: Final = r"[Ll]ogin incorrect|[Ll]ogin timed out"
_SHELL: Final = r"[#$] "
_PROMPT: Final = "@ready@ "
_ATTEMPTS: Final = 4
_ATTEMPT_SECONDS: Final = 20.0
_END_SEARCH: Final = 2 * READ_BYTES
"""How far back the end of an output is looked for, so that long outputs stay quick."""

_SETTLE: Final = f"""\
set +o emacs +o vi 2>/dev/null
unset PROMPT_COMMAND; stty cols 200 rows 50 -echo
export TERM=dumb PAGER=cat SYSTEMD_PAGER=cat SYSTEMD_COLORS=0 NO_COLOR=1 LC_ALL=C; PS2=; PS1='{_PROMPT}'
dmesg -n 1; [ -d /run/systemd/system ] && kill -55 1
"""
"""No echo, no pages, no colours; nothing from the kernel, and from systemd (SIGRTMIN+21) no progress.

The first line stands alone, as a shell that knows no such option drops the rest of its line."""


class ConsoleError(BootError):
    """Something did not come, or a command could not be run; ends with what the console showed last."""

    def __init__(self, summary: str, lines: Sequence[str]) -> None:
        """Args: summary: one line. lines: the console's last."""
        shown = "\n".join(f"  {line}" for line in lines) or "  (nothing)"
        super().__init__(f"{summary}; the console's last lines:\n{shown}")
        self.summary = summary
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did."""

    status: int
    output: str
    """Standard output and standard error."""


class Console:
    """A serial console.

    Args:
        line: connected to the serial port.
        log: gets all that the guest writes.
        started: ``time.monotonic()`` at power-on.
        diagnosis: says why nothing more may come, such as that the machine has ended; empty: unknown.
    """

    def __init__(
        self,
        line: socket.socket,
        log: Path,
        started: float,
        diagnosis: Callable[[], str] = lambda: "",
    ) -> None:
        self._line = line
        self._feed = SerialFeed(line, log, started)
        self._diagnosis = diagnosis
        self.is_logged_in = False

    def expect(self, pattern: str, seconds: float) -> re.Match[str]:
        """Wait until the guest writes something.

        Raises:
            ConsoleError: it does not.
        """
        self._wait([pattern], time.monotonic() + seconds, f"waiting for {pattern!r}")
        match = self._feed.match
        assert isinstance(match, re.Match)
        return match

    def seconds_of_match(self) -> float:
        """Seconds from power-on to the arrival of what was last waited for."""
        return self._feed.seconds_of_match()

    def send(self, data: bytes) -> None:
        """Type.

        Raises:
            ConsoleError: the machine has ended.
        """
        try:
            self._line.sendall(data)
        except OSError as error:
            raise self._error("nothing can be typed", "the line is closed") from error

    def send_line(self, text: str) -> None:
        """Type a line."""
        self.send(text.encode() + b"\n")

    def mirror(self, on_bytes: Callable[[bytes], None]) -> None:
        """Call this with what came in last, and then, in a thread, with all that comes."""
        self._feed.mirror(on_bytes)

    def last_lines(self, count: int = _LINES_SHOWN) -> list[str]:
        """What the console showed last."""
        return self._feed.last_lines(count)

    def close(self) -> None:
        """Wait until the log is complete; the other end must be closed already."""
        self._feed.join()
        self._line.close()

    def wait_for_login(self, seconds: float) -> float:
        """Wait until somebody may log in.

        Returns:
            Seconds from power-on.

        Raises:
            ConsoleError: nobody may; at once when the system says that it cannot start.
        """
        doing = "waiting for `login:`"
        if self._wait([_LOGIN, _TROUBLE], time.monotonic() + seconds, doing):
            raise self._error(doing, f"the system says {self._matched()!r}")
        return self.seconds_of_match()

    def login(self, user: str = "root", password: str | None = None, seconds: float = 300) -> float:
        """Wait for ``login:``, log in, and make the shell fit for :meth:`run`.

        Returns:
            Seconds from power-on to ``login:``.

        Raises:
            ConsoleError: it did not work.
        """
        deadline = time.monotonic() + seconds
        reached = self.wait_for_login(seconds)
        self.send_line(user)
        doing = f"logging in as {user}"
        answers = [_SHELL, _REFUSED, _ASKS]
        answer = self._wait(answers, deadline, doing)
        if answer == 2:
            if password is None:
                raise self._error(doing, "a password is wanted")
            self.send_line(password)
            answer = self._wait(answers[:2], deadline, doing)
        if answer == 1:
            raise self._error(doing, f"{user} was refused")
        self._settle(deadline, doing)
        self.is_logged_in = True
        return reached

    def run(self, command: str, seconds: float = 60) -> Result:
        """Run a command, or a script of many lines, in a shell of its own, without input.

        Raises:
            ConsoleError: it takes longer; it is interrupted then.
        """
        deadline = time.monotonic() + seconds
        doing = f"running {_first_line(command)!r}"
        self._upload(command.encode(), deadline, doing)
        script = 'sh -c "$(printf \'%b\' "$RTAP_SENT")" </dev/null'
        return self._finish(script, deadline, doing)

    def write_file(self, path: str, content: bytes) -> None:
        """Write a small file.

        Raises:
            ConsoleError: it cannot be written.
        """
        deadline = time.monotonic() + 60 + len(content) / 1000
        doing = f"writing {path}"
        self._upload(content, deadline, doing)
        done = self._finish(f"printf '%b' \"$RTAP_SENT\" >{shlex.quote(path)}", deadline, doing)
        if done.status:
            raise self._error(doing, done.output.strip() or f"status {done.status}")

    def read_file(self, path: str) -> bytes:
        """Read a small file.

        Raises:
            ConsoleError: it cannot be read.
        """
        name = shlex.quote(path)
        done = self.run(f"test -r {name} || cat {name} || exit; od -An -v -tx1 {name}", 120)
        if done.status:
            raise self._error(f"reading {path}", done.output.strip() or f"status {done.status}")
        return bytes.fromhex(done.output)

    def _settle(self, deadline: float, doing: str) -> None:
        """The shell may drop what is typed while it starts, so ask until it answers."""
        for attempt in range(_ATTEMPTS):
            nonce = secrets.token_hex(4)
            self.send_line(f"{_SETTLE}printf '\\n%s%s\\n' settled- {nonce}")
            is_last = attempt == _ATTEMPTS - 1
            until = deadline if is_last else min(deadline, time.monotonic() + _ATTEMPT_SECONDS)
            if not self._wait([f"settled-{nonce}", pexpect.TIMEOUT], until, doing):
                return
        raise AssertionError("the last attempt raises")

    def _upload(self, content: bytes, deadline: float, doing: str) -> None:
        """Put it into the shell's variable RTAP_SENT, as ``printf %b`` reads it.

        In short lines, each waited for, as a serial line without flow control drops the rest of a long one.
        """
        self.send_line("RTAP_SENT=")
        sent = 0
        for piece in pieces(content):
            sent += len(piece)
            nonce = secrets.token_hex(4)
            self.send_line(
                f"RTAP_SENT=$RTAP_SENT'{piece}'; printf '\\n%s%s:%d:\\n' sent- {nonce} ${{#RTAP_SENT}}"
            )
            self._wait([rf"sent-{nonce}:(\d+):"], deadline, doing)
            if int(self._matched(1)) != sent:
                raise self._error(doing, "the serial line lost characters on the way to the guest")

    def _finish(self, script: str, deadline: float, doing: str) -> Result:
        """Run a line of shell between two marks that the typed line itself does not contain."""
        nonce = secrets.token_hex(8)
        self.send_line(
            f"printf '\\n%s%s\\n' begin- {nonce}; {script}; printf '%s%s:%d:\\n' end- {nonce} $?"
        )
        self._wait([rf"begin-{nonce}\r?\n"], deadline, doing)
        try:
            self._wait([rf"end-{nonce}:(\d+):\r?\n"], deadline, doing, _END_SEARCH)
        except ConsoleError:
            self._interrupt()
            raise
        output = self._feed.before
        assert output is not None
        return Result(int(self._matched(1)), output.replace("\r\n", "\n"))

    def _interrupt(self) -> None:
        """Ctrl-C, so that the next command finds the shell waiting."""
        if not self._diagnosis():
            self.send(b"\x03")

    def _wait(
        self,
        patterns: Sequence[str | type[pexpect.TIMEOUT]],
        deadline: float,
        doing: str,
        reach: int | None = None,
    ) -> int:
        """The index of the pattern that comes first."""
        began = time.monotonic()
        seconds = max(0.0, deadline - began)
        try:
            return self._feed.expect(list(patterns), timeout=seconds, searchwindowsize=reach)
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            raise self._error(doing, "the line is closed") from None
        raise self._error(doing, f"nothing came within {seconds:.3g} s")

    def _matched(self, group: int = 0) -> str:
        match = self._feed.match
        assert isinstance(match, re.Match)
        return str(match[group])

    def _error(self, doing: str, why: str) -> ConsoleError:
        return ConsoleError(f"{doing}: {self._diagnosis() or why}", self.last_lines())


def _first_line(command: str) -> str:
    lines = command.strip().splitlines() or [""]
    return lines[0][:60] + ("..." if len(lines) > 1 or len(lines[0]) > 60 else "")
