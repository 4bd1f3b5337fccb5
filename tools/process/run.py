"""Starts a program, keeps what it says in a file, and ends it with all its children when we end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtap.errors import RTAPException

_ERRORS: Final = ("e:", "error:", "fatal:")
"""How lines begin that name an error; the first is apt's."""


class ProgramError(RTAPException):
    """A program failed, or took too long."""


@dataclass(frozen=True, slots=True)
class Done:
    """A program that has ended."""

    name: str
    status: int
    text: str
    """Standard output and standard error, in the order of writing."""
    log: Path

    def require_success(self) -> Done:
        """Raises: ProgramError: it failed; the message has its first complaint and the log's place."""
        if self.status:
            said = complaint(self.text)
            raise ProgramError(
                f"{self.name} failed with status {self.status}: {said}; all of it is in {self.log}"
            )
        return self


def complaint(text: str, *, is_last: bool = False) -> str:
    """The line of a program's output that says best what went wrong: an error, otherwise the last.

    Args:
        is_last: whether of several errors the last explains the others; by default the first does.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(_ERRORS)]
    return (errors or lines[-1:] or ["no message"])[-1 if is_last else 0]


def run(
    arguments: Sequence[str | Path],
    log: Path,
    *,
    name: str | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> Done:
    """Run a program to its end, with low priority.

    Args:
        log: gets what it says.
        name: of the program, for messages; None: the command's first word.
        environment: all of it; None: this process's own.
        seconds: how long it may take.

    Raises:
        ProgramError: it is not installed, or took too long.
    """
    command = [str(argument) for argument in arguments]
    name = name or Path(command[0]).name
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                ["nice", "-n", "10", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramError(f"{name} could not be started ({error.strerror})") from error
        with _ended_with_us(process):
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired as error:
                raise ProgramError(
                    f"{name} took longer than {seconds:.0f} s; what it said is in {log}"
                ) from error
    return Done(name, status, log.read_text(errors="replace"), log)


def end_children_when_terminated() -> None:
    """Let SIGTERM do what Ctrl-C does; by itself it would leave what we have started running."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextlib.contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()
