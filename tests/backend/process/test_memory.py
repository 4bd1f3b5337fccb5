"""Memory goes back to the system."""

import subprocess
import sys

import pytest

from tests.deadlines import SOON

KEPT = """
import ctypes, resource
from rtap.process.memory import give_back

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
blocks = [libc.malloc(10_000) for _ in range(5_000)]
for block in blocks:
    ctypes.memset(block, 1, 10_000)
full = resident()
for block in blocks[:-1]:  # the last one keeps the heap's end where it is
    libc.free(block)
kept = full - resident()
give_back()
print(kept, full - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_what_was_freed_below_the_end_of_the_heap_goes_back():
    ended = subprocess.run(
        [sys.executable, "-c", KEPT], capture_output=True, text=True, timeout=SOON, check=True
    )
    before, after = map(int, ended.stdout.split())
    assert before < 10_000_000
    assert after > 40_000_000
