"""How a command talks to the terminal: results on standard output, all else in lines on standard error."""

from __future__ import annotations

import contextlib
import json
import os
import sys

from rtap.errors import StorageError

INTERRUPTED_STATUS = 130
BROKEN_PIPE_STATUS = 141
"""What a shell reports for a program that SIGINT or SIGPIPE ended."""


def write_result(text: str) -> None:
    """Write to standard output, at once.

    Raises:
        StorageError: standard output is closed or its disk is full.
        BrokenPipeError: nobody reads it any more.
    """
    if sys.stdout is None:
        raise StorageError("standard output is closed: send it to a file or a terminal")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_output()
        raise
    except OSError as error:
        abandon_output()
        raise StorageError(
            f"standard output cannot be written ({error.strerror}): make room or send it elsewhere"
        ) from error


def write_json(document: object) -> None:
    """Write a document as indented JSON to standard output; see :func:`write_result`."""
    write_result(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def abandon_output() -> None:
    """Drop what standard output still holds, lest the interpreter complain of it at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def report(kind: str, message: object, program: str = "rtap") -> None:
    """Write one line, ``<program>: <kind>: <message>``, to standard error."""
    line = f"{program}: {kind}: {' '.join(str(message).splitlines())}"
    with contextlib.suppress(OSError, AttributeError):  # a closed standard error is nobody's loss
        print(line, file=sys.stderr, flush=True)
