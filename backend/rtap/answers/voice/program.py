"""A program that gets a text and gives sound: bounded in time and bytes, and ended when nobody listens."""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final

from rtap.errors import SpeakerError

LONGEST_TEXT: Final = 1_000
"""Characters that are spoken of one answer: a minute."""
LONGEST_BYTES: Final = 8_000_000
"""Of sound for one text: 90 s at 44.1 kHz and 16 bits."""
SILENT_SECONDS: Final = 10.0
"""A program that gives nothing for so long is ended; loading a voice of Piper takes seconds."""
_LOOK_SECONDS: Final = 0.05
"""How soon it is noticed that nobody listens any more."""
_BLOCK: Final = 16_384
_LONGEST_MESSAGE: Final = 200


class Program:
    """One run of a program, which reads a text from standard input and writes sound to standard output.

    Args:
        command: the program and its arguments; the text is in none of them.
        clock: seconds, never going back.

    Raises:
        SpeakerError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._name = command[0].rpartition("/")[2]
        # In memory: a container may have no folder for temporary files.
        self._messages = open(os.memfd_create("messages"), "w+b")  # noqa: PTH123, SIM115 (no path; closed in end)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._messages,
                bufsize=0,
            )
        except OSError as error:
            self._messages.close()
            raise SpeakerError(
                f"{self._name} cannot be started ({error.strerror}): install it, or set answers.voice to none"
            ) from error

    @property
    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process.poll() is None

    def sound(self, text: str, stop: threading.Event) -> Generator[bytes, None, None]:
        """What it gives for a text, as it comes.

        Args:
            text: one text; what is beyond LONGEST_TEXT is left out.
            stop: ends it.

        Raises:
            SpeakerError: the program failed, or gave nothing for SILENT_SECONDS.
        """
        try:
            self._write(" ".join(text[:LONGEST_TEXT].split()))
            yield from self._read(stop)
        finally:
            self.end()

    def end(self) -> None:
        """End the program, whatever it does; once is enough."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._messages):
            if stream is not None:
                stream.close()

    def _write(self, text: str) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            # It fits into the pipe, so that this does not wait.
            stdin.write(f"{text}\n".encode())
            stdin.close()
        except BrokenPipeError:
            return  # it has ended, which reading tells

    def _read(self, stop: threading.Event) -> Iterator[bytes]:
        stdout = self._process.stdout
        assert stdout is not None
        total = 0
        heard_at = self._clock()
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while not stop.is_set() and total < LONGEST_BYTES:
                if not selector.select(_LOOK_SECONDS):
                    if self._clock() - heard_at > SILENT_SECONDS:
                        raise SpeakerError(
                            f"{self._name} gave no sound for {SILENT_SECONDS:g} s: try it in a terminal"
                        )
                    continue
                block = os.read(stdout.fileno(), _BLOCK)
                if not block:
                    self._check_end()
                    return
                total += len(block)
                yield block
                heard_at = self._clock()

    def _check_end(self) -> None:
        try:
            status = self._process.wait(SILENT_SECONDS)
        except subprocess.TimeoutExpired:
            return  # it gave all its sound
        if status:
            self._messages.seek(0)
            lines = self._messages.read(_BLOCK).decode("utf-8", "replace").split("\n")
            said = next((line for line in reversed(lines) if line.strip()), "")[:_LONGEST_MESSAGE]
            raise SpeakerError(
                f"{self._name} ended with status {status} ({said.strip() or 'no message'}): try it in a "
                "terminal, or set answers.voice to none"
            )
