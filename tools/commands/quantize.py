"""Make a converted model smaller and, on most processors, faster.

int8: 8-bit weights and activations, the default for the device. w8, w4: only the decoder's weights, 8 or
4 bits in blocks, with an int8 encoder; for processors with dot-product instructions, which a Raspberry
Pi 4 has not: there a step takes longer than in fp32. fp16: half the file, but the processor still
calculates in fp32.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from rtap.whisper.model_directory import ModelDirectory, Precision
from tools.console.command_line import report_step, run
from tools.model.conversion.quantize import PASSES, quantize


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
        on_progress=partial(report_step, "quantize"),
    )
    if arguments.json:
        write_result(manifest.to_json())
    else:
        before, after = source.manifest.bytes / 1e6, manifest.bytes / 1e6
        write_result(f"{output}: {arguments.precision}, {before:.0f} -> {after:.0f} MB\n")
    return 0


if __name__ == "__main__":
    run(main)
