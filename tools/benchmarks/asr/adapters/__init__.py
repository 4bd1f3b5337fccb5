"""The engines that ``tools/benchmark asr`` compares, one module each.

A module is imported only in the process that measures it: loading its packages is part of what is measured.
All engines are told the language, decode greedily, without timestamps where they can, and try once; ours does
what the product does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from rtap.process import large_pages

_HERE = __name__


@dataclass(frozen=True, slots=True)
class EngineKind:
    """What is known of an engine before it is loaded."""

    name: str
    """For the command line and the table."""
    title: str
    """For people: package, precision, context. The version is known at run time."""
    module: str
    """Has the class ``Engine``, see :class:`tools.benchmarks.asr.engine.Engine`."""
    weights: str
    """Of :data:`tools.benchmarks.asr.weights.FORMATS`."""
    precision: str
    """Of most weights."""
    requires: tuple[str, ...]
    """Modules that have to be there."""
    padded: bool
    """Whether it computes 30 s whatever the audio's length; otherwise it gets weights that were adapted to
    short contexts, where there are some."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """That the product which runs this engine starts it with."""


_ALL = (
    EngineKind(
        "rtap",
        "rtap, int8, context of the audio's length",
        f"{_HERE}.rtap_engine",
        "rtap-int8",
        "int8",
        ("onnxruntime", "tokenizers"),
        padded=False,
        environment=large_pages.ENVIRONMENT,
    ),
    EngineKind(
        "rtap-30s",
        "rtap, int8, context of 30 s",
        f"{_HERE}.rtap_padded",
        "rtap-int8",
        "int8",
        ("onnxruntime", "tokenizers"),
        padded=True,
        environment=large_pages.ENVIRONMENT,
    ),
    EngineKind(
        "rtap-30s-fp32",
        "rtap, fp32, context of 30 s",
        f"{_HERE}.rtap_padded",
        "rtap-fp32",
        "fp32",
        ("onnxruntime", "tokenizers"),
        padded=True,
        environment=large_pages.ENVIRONMENT,
    ),
    EngineKind(
        "faster-whisper",
        "faster-whisper, int8, 30 s, as its users run it but with one beam (its default is 5)",
        f"{_HERE}.faster_whisper_engine",
        "ctranslate2-int8",
        "int8",
        ("faster_whisper", "ctranslate2"),
        padded=True,
    ),
    EngineKind(
        "ctranslate2-short",
        "CTranslate2, int8, fed features of the audio's length by hand",
        f"{_HERE}.ctranslate2_short",
        "ctranslate2-int8",
        "int8",
        ("ctranslate2",),
        padded=False,
    ),
    EngineKind(
        "transformers",
        "transformers on torch, fp32, 30 s",
        f"{_HERE}.transformers_engine",
        "checkpoint",
        "fp32",
        ("transformers", "torch"),
        padded=True,
    ),
    EngineKind(
        "optimum",
        "optimum on ONNX Runtime, int8, 30 s",
        f"{_HERE}.optimum_engine",
        "onnx-int8",
        "int8",
        ("optimum.onnxruntime", "transformers"),
        padded=True,
    ),
    EngineKind(
        "onnx-asr",
        "onnx-asr on ONNX Runtime, int8, 30 s",
        f"{_HERE}.onnx_asr_engine",
        "onnx-int8",
        "int8",
        ("onnx_asr",),
        padded=True,
    ),
    EngineKind(
        "whisper.cpp",
        "whisper.cpp (pywhispercpp), q8_0, 30 s",
        f"{_HERE}.whisper_cpp",
        "ggml-q8_0",
        "q8_0",
        ("pywhispercpp",),
        padded=True,
    ),
    EngineKind(
        "whisper.cpp-short",
        "whisper.cpp (pywhispercpp), q8_0, audio_ctx of the audio's length",
        f"{_HERE}.whisper_cpp_short",
        "ggml-q8_0",
        "q8_0",
        ("pywhispercpp",),
        padded=False,
    ),
)

ENGINES: Final[Mapping[str, EngineKind]] = MappingProxyType({kind.name: kind for kind in _ALL})
"""By name; ours come first."""

NOT_MEASURED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "openai-whisper": "the same network on torch as transformers, which is measured",
        "sherpa-onnx": "takes graphs of its own, which its script makes of openai-whisper's checkpoints only",
    }
)
"""Known peers that are left out, and why."""
