"""One engine in a process of its own: loads, then transcribes whatever it is told to, and says what it took.

Started as ``python -m tools.benchmarks.asr.worker MODULE WEIGHTS THREADS``. One JSON object a line comes in
and one goes out; libraries that print do so on standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tools.benchmarks.asr.engine import Engine

_STATUS: Final = Path("/proc/self/status")


def serve(module: str, weights: Path, threads: int, replies: int) -> None:
    """Answer until standard input ends.

    Args:
        replies: file descriptor that answers go to.
    """
    with os.fdopen(replies, "w") as out:

        def reply(**fields: Any) -> None:
            out.write(json.dumps(fields) + "\n")
            out.flush()

        try:
            wall, cpu = time.perf_counter(), time.process_time()
            engine: Engine = importlib.import_module(module).Engine(weights, threads)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            reply(version=engine.version, wall=wall, cpu=cpu)
            for line in sys.stdin:
                reply(**_transcribe(engine, json.loads(line)))
        except Exception as error:  # noqa: BLE001 (whoever started this tells it)
            reply(error=f"{type(error).__name__}: {error}")


def _transcribe(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    samples = np.load(request["samples"])
    wall, cpu = time.perf_counter(), time.process_time()
    answer = engine.transcribe(samples, request["language"])
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "text": answer.text,
        "contexts": answer.contexts,
        "peak": _peak(),
    }


def _peak() -> int:
    """Most resident memory so far, in bytes."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM: this measures on Linux only")


if __name__ == "__main__":
    answers = os.dup(1)
    os.dup2(2, 1)
    serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), answers)
