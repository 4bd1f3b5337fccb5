"""Opens a model on disk, in the layout that it is in, and checks its files meanwhile."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import onnxruntime

from rtap.errors import ConfigurationError, ModelError
from rtap.whisper.model import SpeechModel
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.model_optimum import OptimumModel
from rtap.whisper.model_rtap import RtapModel
from rtap.whisper.sessions import CPU

THREADS_VARIABLE = "ONNX_NUM_THREADS"
MAX_DEFAULT_THREADS = 4
"""Whisper's steps are too small to gain from more, and a Raspberry Pi 4 has no more."""


def load_model(
    directory: ModelDirectory,
    threads: int | None = None,
    providers: Sequence[str] = CPU,
    *,
    wait: bool = True,
) -> SpeechModel:
    """Load a model's graphs and check every file's SHA-256 meanwhile.

    Args:
        threads: for one inference; None takes ``ONNX_NUM_THREADS``, else the cores there are, at most 4.
        providers: ONNX Runtime's, see :func:`rtap.whisper.sessions.resolve_providers`.
        wait: for the check. ONNX Runtime keeps the interpreter to itself while it opens a graph, so most of
            the check comes after that; without waiting it runs beside the first inference. Then
            :meth:`SpeechModel.confirm` is to be called before anything is made of the answer.

    Raises:
        ModelError: damaged, or not a model of ours.
        ConfigurationError: the number of threads is not one.
    """
    threads = default_threads() if threads is None else threads
    if threads < 1:
        raise ConfigurationError(f"{threads} threads cannot work: give 1 or more")
    # Hashing reads what the sessions read, and lets go of the interpreter while it does.
    pool = ThreadPoolExecutor(1)
    check = pool.submit(directory.verify)
    pool.shutdown(wait=False)
    try:
        model = _load(directory, threads, providers)
    except ModelError:
        check.result()
        raise
    except Exception as error:
        # ONNX Runtime has a dozen unrelated types for a graph that it rejects.
        check.result()
        raise ModelError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load {directory.path} ({error}): "
            f"convert the checkpoint again with tools/convert_whisper"
        ) from error
    model.check = check
    if wait:
        model.confirm()
    return model


def _load(
    directory: ModelDirectory, threads: int, providers: Sequence[str]
) -> OptimumModel | RtapModel:
    kind = OptimumModel if directory.manifest.layout == "optimum" else RtapModel
    return kind(directory, threads, providers)


def default_threads() -> int:
    """Threads for one inference, from the environment or the machine."""
    value = os.environ.get(THREADS_VARIABLE)
    if value is None:
        return min(len(os.sched_getaffinity(0)), MAX_DEFAULT_THREADS)
    if not value.isdigit() or int(value) < 1:
        raise ConfigurationError(f"{THREADS_VARIABLE} is {value!r}: give a whole number from 1")
    return int(value)
