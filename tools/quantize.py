"""Make a converted model smaller and, on most processors, faster.

int8: 8-bit weights and activations, the default for the device. w8, w4: only the decoder's weights, 8 or
4 bits in blocks, with an int8 encoder; for processors with dot-product instructions, which a Raspberry
Pi 4 has not: there a step takes longer than in fp32. fp16: half the file, but the processor still
calculates in fp32.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from rtap.errors import ConfigurationError
from rtap.whisper.model_directory import Manifest, ModelDirectory, Precision
from rtap.whisper.model_rtap import DECODER, ENCODER
from tools.command_line import run
from tools.environment import require
from tools.export.manifest import CREATED_BY, write_manifest
from tools.export.quantization import (
    operator_counts,
    quantize_int8,
    quantize_weights,
    store_fp16,
)
from tools.export.staging import StagedDirectory

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


def main(argv: Sequence[str]) -> int:
    """Command line."""
    parser = OneLineParser(prog="tools/quantize", description=__doc__)
    parser.add_argument("model", type=Path, help="fp32 model directory from tools/convert_whisper")
    parser.add_argument("output", type=Path, nargs="?", help="default: <model>-<precision>")
    parser.add_argument(
        "--precision",
        choices=[name for name in get_args(Precision) if name in PASSES],
        default="int8",
        help="default: int8",
    )
    parser.add_argument("--force", action="store_true", help="replace the output if it exists")
    parser.add_argument(
        "--json", action="store_true", help="print the manifest instead of a summary"
    )
    arguments = parser.parse_args(argv)

    source = ModelDirectory.open(arguments.model)
    place = source.path.resolve()
    output: Path = arguments.output or place.with_name(f"{place.name}-{arguments.precision}")
    manifest = quantize(
        source,
        output,
        arguments.precision,
        replace=arguments.force,
        on_progress=lambda step: print(f"quantize: {step} ...", file=sys.stderr),
    )
    if arguments.json:
        write_result(manifest.to_json())
    else:
        before, after = source.manifest.bytes / 1e6, manifest.bytes / 1e6
        write_result(f"{output}: {arguments.precision}, {before:.0f} -> {after:.0f} MB\n")
    return 0


if __name__ == "__main__":
    run(main)
