"""Bytes on their way through a shell."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tools.system.booting.shell_text import pieces

ALL = bytes(range(256)) * 3 + b"it's 100 % \\0041 `id` $(id) !! \\c end\n\n"


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_printf_turns_them_back(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed: apt-get install {shell}")
    lines = ["S="] + [f"S=$S'{piece}'" for piece in pieces(ALL)] + ["printf '%b' \"$S\""]
    command = [shell, "sh"] if shell == "busybox" else [shell]
    done = subprocess.run(command, input="\n".join(lines).encode(), capture_output=True, check=True)
    assert done.stdout == ALL


def test_pieces_are_short_and_printable() -> None:
    all_pieces = list(pieces(ALL * 20))
    assert max(map(len, all_pieces)) <= 480
    assert all(piece.isascii() and piece.isprintable() and "'" not in piece for piece in all_pieces)
    assert len(all_pieces) < len(ALL) * 20 * 4 / 400


def test_nothing_is_one_piece() -> None:
    assert list(pieces(b"")) == [""]
