"""Debugging information goes, the library stays usable."""

from __future__ import annotations

import importlib.util
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tools.system.container.debug_symbols import cut_debug_symbols

LOADED = b"\x90" * 100
DEBUG = b"d" * 500
AT = 64 + 56


def library(*, debug: bytes = DEBUG) -> bytes:
    """One loaded segment, debugging information, and a table of three sections behind them.

    The third is memory that begins as zeros: it has a size, and no bytes in the file.
    """
    sections_at = AT + len(LOADED) + len(debug)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQI", 3, 183, 1, 0, 64, sections_at, 0)
    header += struct.pack("<HHHHHH", 64, 56, 1, 64, 3, 0)
    program = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, AT + len(LOADED), AT + len(LOADED), 4096)
    text = struct.pack("<IIQQQQIIQQ", 0, 1, 2, 0, AT, len(LOADED), 0, 0, 1, 0)
    more = struct.pack("<IIQQQQIIQQ", 0, 1, 0, 0, AT + len(LOADED), len(debug), 0, 0, 1, 0)
    zeros = struct.pack("<IIQQQQIIQQ", 0, 8, 3, 0, AT + len(LOADED), 10_000, 0, 0, 1, 0)
    return header + program + LOADED + debug + text + more + zeros


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "libthing.so"
    path.write_bytes(library())
    return path


def test_cuts_behind_what_is_loaded(file: Path) -> None:
    before = file.read_bytes()
    assert cut_debug_symbols(file, at_least=1) == len(DEBUG) + 3 * 64
    after = file.read_bytes()
    assert len(after) == AT + len(LOADED)
    assert after[0x28:0x30] == bytes(8)
    assert after[0x3C:0x40] == bytes(4)
    assert after[0x40:] == before[0x40 : len(after)]


def test_leaves_alone_what_is_not_worth_it(file: Path) -> None:
    assert cut_debug_symbols(file, at_least=1_000) == 0
    assert file.read_bytes() == library()


def test_twice_is_once(file: Path) -> None:
    cut_debug_symbols(file, at_least=1)
    once = file.read_bytes()
    assert cut_debug_symbols(file, at_least=1) == 0
    assert file.read_bytes() == once


@pytest.mark.parametrize("content", [b"", b"GROUP ( libthing.so.1 )", b"\x7fELF\x01\x01 32 bits"])
def test_other_files_stay(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "libthing.so"
    path.write_bytes(content)
    assert cut_debug_symbols(path, at_least=0) == 0
    assert path.read_bytes() == content


def test_a_real_library_still_works(tmp_path: Path) -> None:
    found = importlib.util.find_spec("webrtc_noise_gain")
    assert found
    assert found.origin
    package = shutil.copytree(Path(found.origin).parent, tmp_path / "webrtc_noise_gain")
    (module,) = package.glob("*.so")
    assert cut_debug_symbols(module) > 10_000_000
    program = (
        "from webrtc_noise_gain import AudioProcessor; import webrtc_noise_gain as w; print(w.__file__);"
        "print(len(AudioProcessor(3, 2).Process10ms(bytes(320)).audio))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(package / "__init__.py"), "320"]
