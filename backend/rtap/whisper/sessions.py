"""ONNX Runtime sessions: how they are opened, how they share memory, and whether a graph is one of ours."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import onnxruntime

from rtap.errors import ConfigurationError, ModelError

_log = logging.getLogger(__name__)

CPU: Final = ("CPUExecutionProvider",)
CUDA: Final = ("CUDAExecutionProvider", *CPU)
"""ONNX Runtime takes the first that can run an operator."""

_M_MMAP_THRESHOLD = -3
"""From glibc's malloc.h."""


def resolve_providers(device: str) -> tuple[str, ...]:
    """ONNX Runtime's execution providers for a device: ``cpu`` or ``cuda``.

    Where this build of ONNX Runtime has no CUDA, a warning is logged and the CPU is used: a car without its
    accelerator still answers.

    Raises:
        ConfigurationError: neither of the two.
    """
    if device == "cpu":
        return CPU
    if device != "cuda":
        raise ConfigurationError(f"stt.device is {device!r}: give cpu or cuda")
    if CUDA[0] in onnxruntime.get_available_providers():
        return CUDA
    _log.warning(
        "stt.device is cuda, but ONNX Runtime %s has no %s: using the CPU (install onnxruntime-gpu, "
        "or set stt.device to cpu)",
        onnxruntime.__version__,
        CUDA[0],
    )
    return CPU


def open_session(
    path: Path, threads: int, providers: Sequence[str] = CPU
) -> onnxruntime.InferenceSession:
    """Open a graph, with the CPU memory that all graphs of the process share."""
    _share_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads would otherwise burn the cores that the GUI and the audio need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.use_env_allocators", "1")
    # A plan per shape asks for one block of everything at once, beside what the arena holds already; and
    # planned reuse keeps a buffer for its next user instead of giving it back (68 MB of activations for
    # 30 s of base instead of 44 MB).
    options.enable_mem_pattern = False
    options.enable_mem_reuse = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=list(providers))


@cache
def _share_memory() -> None:
    """One arena for all sessions, which grows by what is asked for.

    By default each session has its own, and doubles it whenever it grows: 40 MB more at the peak of a
    base-sized int8 model on windows of 30 s.
    """
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    by_request = {"max_mem": 0, "arena_extend_strategy": 1}
    by_request |= {"initial_chunk_size_bytes": -1, "max_dead_bytes_per_chunk": -1}
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(by_request))
    _return_large_blocks()


def _return_large_blocks() -> None:
    """Have glibc give freed blocks of 128 KiB and more back to the kernel, whatever came before.

    It raises that limit, its own first one, to the largest block ever freed, 32 MB in the end, and keeps the
    holes: utterances, which are of all lengths and go from thread to thread, would leave more and more of
    them. That costs no time: 2.3 s of processor for 240 utterances with this limit and with 1 MB.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none, and no such habit
        mallopt(_M_MMAP_THRESHOLD, 128 << 10)


def long_audio_options() -> onnxruntime.RunOptions:
    """For a run whose memory is not worth keeping: the arena shrinks after it."""
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def require_tensors(
    session: onnxruntime.InferenceSession, path: Path, names: Sequence[str]
) -> None:
    """Check that a graph has the inputs and outputs that the engine binds.

    Raises:
        ModelError: one is missing, so this is a graph of another kind.
    """
    there = {tensor.name for tensor in [*session.get_inputs(), *session.get_outputs()]}
    missing = sorted(set(names) - there)
    if missing:
        raise ModelError(
            f"{path} is not a graph of this engine (it has no {missing[0]}): "
            f"convert the checkpoint again with tools/convert_whisper"
        )


def require_sizes(
    session: onnxruntime.InferenceSession, path: Path, sizes: Mapping[str, Mapping[int, int]]
) -> None:
    """Check that a graph is of the size that config.json states.

    Args:
        sizes: for each tensor, the axes that are the same in every run.

    Raises:
        ModelError: one differs, so the two come from different checkpoints.
    """
    shapes = {
        tensor.name: tensor.shape for tensor in [*session.get_inputs(), *session.get_outputs()]
    }
    for name, axes in sizes.items():
        for axis, size in axes.items():
            found = shapes[name][axis]
            if found != size:
                raise ModelError(
                    f"{path} is of another size than config.json says ({name} has {found} instead of "
                    f"{size}): convert the checkpoint again with tools/convert_whisper"
                )
