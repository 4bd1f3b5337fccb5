"""Compare a converted model with the checkpoint it was made from, number by number.

The encoder is compared at several lengths of audio, the decoder over many greedy steps: both get the tokens
that torch chose, so one early difference cannot hide the rest. fp32 must choose the same token at every step,
with logits within 0.001; smaller precisions must stay within the tolerance that is printed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from rtap.whisper.model_directory import ModelDirectory
from tools.console.command_line import positive_number, run
from tools.model.conversion.manifest import store_manifest, with_parity
from tools.model.conversion.parity import TOLERANCES, Parity, measure_parity
from tools.model.conversion.sources import open_checkpoint
from tools.setup.environment import require

DEFAULT_STEPS = 100


def _report(parity: Parity) -> str:
    def row(
        part: str, context: object, tokens: str, distinct: object, largest: str, error: str
    ) -> str:
        return f"{part:8}{context:>8}{tokens:>14}{distinct:>10}{largest:>11}{error:>12}"

    lines = [row("", "context", "same tokens", "distinct", "max diff", "rel. error")]
    for encoder in parity.encoder:
        numbers = (f"{encoder.max_difference:.2g}", f"{encoder.relative_error:.2g}")
        lines += [row("encoder", f"{encoder.seconds} s", "", "", *numbers)]
    for decoder in parity.decoder:
        numbers = (f"{decoder.max_difference:.2g}", f"{decoder.relative_error:.2g}")
        share = f"{decoder.equal_tokens}/{decoder.steps}"
        lines += [row("decoder", f"{decoder.seconds} s", share, decoder.distinct_tokens, *numbers)]
    tolerance = TOLERANCES[parity.precision]
    absolute = (
        ""
        if tolerance.absolute is None
        else f", max difference {tolerance.absolute:g} of the largest"
    )
    lines.append(
        f"tolerance of {parity.precision}: {tolerance.tokens:.0%} of the tokens, "
        f"relative error {tolerance.logits:g}{absolute}"
    )
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Command line: status 1 when a figure is outside its tolerance."""
    parser = OneLineParser(prog="tools/verify_model", description=__doc__)
    parser.add_argument("model", type=Path, help="model directory")
    parser.add_argument(
        "--checkpoint", required=True, help="directory or hub name that it was made from"
    )
    parser.add_argument(
        "--steps",
        type=positive_number,
        default=DEFAULT_STEPS,
        help=f"greedy steps (default: {DEFAULT_STEPS})",
    )
    parser.add_argument("--record", action="store_true", help="write the figures into the manifest")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)

    directory = ModelDirectory.open(arguments.model)
    require("comparing with the checkpoint", "torch", "transformers")
    parity = measure_parity(directory, open_checkpoint(arguments.checkpoint), steps=arguments.steps)
    if arguments.record:
        store_manifest(directory.path, with_parity(directory.manifest, parity.to_json()))
    document = json.dumps(parity.to_json(), indent=2)
    write_result(f"{document if arguments.json else _report(parity)}\n")
    for failure in parity.failures:
        print(f"verify_model: outside the tolerance: {failure}", file=sys.stderr)
    return 1 if parity.failures else 0


if __name__ == "__main__":
    run(main)
