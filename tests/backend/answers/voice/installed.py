"""What speaks and plays, where it is installed."""

import shutil
from ctypes.util import find_library

import pytest

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"
)
needs_portaudio = pytest.mark.skipif(
    find_library("portaudio") is None, reason="libportaudio2 is not installed"
)
