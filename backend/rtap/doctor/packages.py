"""Whether everything with compiled code loads here."""

from __future__ import annotations

import platform
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from rtap.config import Config
from rtap.config.wake_engines import ENGINES
from rtap.doctor.finding import Finding
from rtap.errors import ConfigurationError
from rtap.stages.vad import network_path

PACKAGES: Final = (
    *("numpy", "onnxruntime", "tokenizers", "soxr", "soundfile"),
    *(engine.package for engine in ENGINES.values() if engine.is_bundled),
    *("webrtc_noise_gain", "fasttext", "zmq", "pydantic_core", "psutil", "rapidfuzz"),
)
"""Modules with compiled code, by the names that they are imported by."""
REINSTALL: Final = "pip install --no-deps --require-hashes -r requirements.lock"
_IMPORT_SECONDS: Final = 120


def check_packages(_config: Config) -> Finding:
    """Python, and everything with compiled code."""
    python = f"Python {platform.python_version()}"
    if faults := _import_faults(PACKAGES):
        said = "; ".join(f"{name} {fault}" for name, fault in faults.items())
        return Finding("problem", f"{python}: {said}", f"`{REINSTALL}`")
    try:
        network_path()
    except ConfigurationError:
        return Finding("problem", f"{python}: silero-vad is not installed", f"`{REINSTALL}`")
    from importlib.metadata import version

    return Finding("ok", f"{python}, ONNX Runtime {version('onnxruntime')}")


def require_packages() -> None:
    """Raises: ConfigurationError: compiled code is not to be run in this process, lest it ends it."""
    if faults := _import_faults(PACKAGES):
        raise ConfigurationError(f"not checked, since {', '.join(faults)} does not load: mend this")


@cache
def _import_faults(names: tuple[str, ...]) -> Mapping[str, str]:
    """What is wrong with modules, by name. Tried in another process: an illegal instruction ends it."""
    faults: dict[str, str] = {}
    while names:
        done = subprocess.run(
            [sys.executable, "-c", _IMPORT_ALL, *names],
            capture_output=True,
            text=True,
            timeout=_IMPORT_SECONDS,
            check=False,
        )
        lines = done.stdout.splitlines()
        faults |= {
            name: fault for name, _, fault in (line.partition(" ") for line in lines) if fault
        }
        if done.returncode >= 0 or not lines:
            break
        fault = signal.Signals(-done.returncode).name
        faults[lines[-1]] = f"ends with {fault}: it is built for another processor"
        names = names[len(lines) :]
    return MappingProxyType(faults)


_IMPORT_ALL: Final = """
import importlib, sys
for name in sys.argv[1:]:
    print(name, end="", flush=True)
    try:
        importlib.import_module(name)
        print(flush=True)
    except Exception as error:
        print(f" does not load ({type(error).__name__}: {' '.join(str(error).split())})", flush=True)
"""
"""Prints one line for each module: its name, and what is wrong with it."""
