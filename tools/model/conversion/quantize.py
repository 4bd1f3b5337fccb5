"""Makes a copy of a converted model in a smaller precision."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from rtap.errors import ConfigurationError
from rtap.whisper.model_directory import Manifest, ModelDirectory, Precision
from rtap.whisper.model_rtap import DECODER, ENCODER
from tools.model.conversion.graph_quantization import (
    operator_counts,
    quantize_int8,
    quantize_weights,
    store_fp16,
)
from tools.model.conversion.manifest import CREATED_BY, write_manifest
from tools.model.conversion.staging import StagedDirectory
from tools.setup.environment import require

GraphPass = Callable[[Path, Path], None]

PASSES: Mapping[str, Mapping[str, GraphPass]] = {
    "int8": {ENCODER: quantize_int8, DECODER: quantize_int8},
    "fp16": {ENCODER: store_fp16, DECODER: store_fp16},
    # The encoder works on many positions at once: there arithmetic counts, and int8 saves it. A decoder
    # step works on one, and waits for its weights to come from memory.
    "w8": {
        ENCODER: quantize_int8,
        DECODER: lambda source, output: quantize_weights(source, output, 8),
    },
    "w4": {
        ENCODER: quantize_int8,
        DECODER: lambda source, output: quantize_weights(source, output, 4),
    },
}
"""For each precision, what happens to each graph."""
IN_BLOCKS: Final = ("w8", "w4")
"""Precisions that ONNX Runtime's tool for blocks makes, which takes one package more."""


def quantize(
    source: ModelDirectory,
    output: Path,
    precision: Precision,
    *,
    replace: bool = False,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Write a quantised copy of a model; it appears whole or not at all.

    Raises:
        ModelError: the source is damaged.
        ConfigurationError: the source is not fp32 in our layout, or the output exists.
        StorageError: the output cannot be written.
    """
    manifest = source.manifest
    if manifest.layout != "rtap":
        raise ConfigurationError(
            f"{source.path} is in {manifest.layout}'s layout: convert the checkpoint with "
            f"tools/convert_whisper --layout rtap first"
        )
    if manifest.precision != "fp32":
        raise ConfigurationError(
            f"{source.path} is {manifest.precision} already: quantise the fp32 model that "
            f"tools/convert_whisper wrote"
        )
    if output.resolve() == source.path.resolve():
        raise ConfigurationError(
            f"{output} is the fp32 model itself, which other precisions are made from: "
            f"choose another place"
        )
    if precision in IN_BLOCKS:
        require(f"{precision} in blocks", "onnx_ir")
    source.verify()
    fingerprint = hashlib.sha256(
        f"{CREATED_BY} {precision} {manifest.to_json()}".encode()
    ).hexdigest()
    with StagedDirectory(output, fingerprint, replace=replace) as staged:
        staged.step("copy", lambda scratch: _copy_text_files(source, scratch))
        for graph, rewrite in PASSES[precision].items():
            on_progress(f"{graph} to {precision}")
            staged.step(graph, _graph_step(rewrite, source.path / graph))
        on_progress("manifest")
        made = write_manifest(
            staged,
            dataclasses.replace(
                manifest,
                name=staged.output.name,
                precision=precision,
                parity={},
                quantization={
                    graph: _record(source.path / graph, staged.path / graph)
                    for graph in PASSES[precision]
                },
            ),
        )
        staged.commit()
    return made


def _graph_step(rewrite: GraphPass, source: Path) -> Callable[[Path], None]:
    return lambda scratch: rewrite(source, scratch / source.name)


def _copy_text_files(source: ModelDirectory, output: Path) -> None:
    for name in source.manifest.files:
        if ".onnx" not in name:
            shutil.copyfile(source.path / name, output / name)


def _record(before: Path, after: Path) -> dict[str, Any]:
    return {
        "bytes_before": _graph_bytes(before),
        "bytes_after": _graph_bytes(after),
        "operators": operator_counts(after),
    }


def _graph_bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.glob(path.name + "*"))
