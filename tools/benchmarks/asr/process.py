"""A worker as seen by who measures."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, Any, Final, Self

from rtap.errors import ModelError
from tools.root import ROOT

_STOP_SECONDS: Final = 10.0
_THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""A pool that a library starts before it is told how many threads there may be would cost everybody time."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one transcription took."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of processor time, on all cores together."""
    text: str
    contexts: tuple[float, ...]
    """Seconds of context of every pass of the encoder."""
    peak: int
    """Most memory of the process so far, in bytes."""


class Worker:
    """Ends with its ``with`` block.

    Args:
        python: that has the engine's packages.
        module: with the class ``Engine``.
        environment: variables for it.

    Raises:
        ModelError: the engine cannot be loaded.
    """

    def __init__(
        self,
        python: Path,
        module: str,
        weights: Path,
        threads: int,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._module = module
        self._complaints: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115 (see __exit__)
        command = [str(python), "-m", "tools.benchmarks.asr.worker", module]
        limits = dict.fromkeys(_THREAD_VARIABLES, str(threads))
        self.started_at = time.perf_counter()
        self._process = subprocess.Popen(
            [*command, str(weights), str(threads)],
            cwd=ROOT,
            env=os.environ | limits | {"HF_HUB_OFFLINE": "1"} | dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        try:
            loaded = self._read()
        except ModelError:
            self.close()
            raise
        self.version: str = loaded["version"]
        self.load_seconds: float = loaded["wall"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        try:
            self._process.communicate(timeout=_STOP_SECONDS)
        except (
            subprocess.TimeoutExpired
        ):  # what it measured is here, and how it ends does not matter
            self._process.kill()
            self._process.communicate()
        finally:
            self._complaints.close()

    def transcribe(self, samples: Path, language: str) -> Reading:
        """Transcribe a file of samples, as ``numpy.save`` writes it.

        Raises:
            ModelError: it failed.
        """
        assert self._process.stdin is not None
        request = {"samples": str(samples), "language": language}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        fields = self._read()
        return Reading(**fields | {"contexts": tuple(fields["contexts"])})

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        fields: dict[str, Any] = json.loads(line) if line else {"error": self._last_words()}
        if "error" in fields:
            self._process.kill()
            self._process.wait()
            raise ModelError(f"{self._module} failed: {fields['error']}")
        return fields

    def _last_words(self) -> str:
        self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().splitlines()
        return f"it ended with status {self._process.returncode}: {' '.join(lines[-3:])}"
