"""rtap.audio.native_stderr: silence for libraries while it is wanted, and for nobody else."""

import os
import sys

from rtap.audio.native_stderr import decoder_notes_hidden


def test_what_libraries_write_is_hidden_until_the_end(capfd):
    os.write(2, b"before ")
    with decoder_notes_hidden():
        os.write(2, b"a note of libmpg123 ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


def test_without_standard_error_there_is_nothing_to_hide(monkeypatch):
    def closed(_descriptor: int) -> int:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(os, "dup", closed)
    ran = []
    with decoder_notes_hidden():
        ran.append(sys.stderr)
    assert ran
