"""What importing the package does to the process."""

import os
import subprocess
import sys

import pytest

COUNT_THREADS = """
import os, rtap, numpy
square = numpy.ones((400, 400), numpy.float32)
square @ square
print(len(os.listdir("/proc/self/task")))
"""


def threads_after_a_product(**variables: str) -> int:
    environment = {key: value for key, value in os.environ.items() if "OPENBLAS" not in key}
    command = [sys.executable, "-c", COUNT_THREADS]
    done = subprocess.run(
        command, env=environment | variables, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_numpy_starts_no_threads_beside_the_engine() -> None:
    assert threads_after_a_product() == 1


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two processors")
def test_the_users_number_of_threads_stays() -> None:
    assert threads_after_a_product(OPENBLAS_NUM_THREADS="2") == 2
