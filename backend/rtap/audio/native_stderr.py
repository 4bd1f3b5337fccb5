"""Keeps what sound libraries write on standard error, past Python, off the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def decoder_notes_hidden() -> Iterator[None]:
    """Keep libmpg123 off standard error: it writes notes on damaged MP3 there, past Python.

    Acts on the whole process, so hold it only around a read, and not in a service.
    """
    try:
        saved = os.dup(2)
    except OSError:
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        sys.stderr.flush()
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
