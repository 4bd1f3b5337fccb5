"""Make a Whisper checkpoint the model that rtap uses: fetch, convert, quantise, choose.

Started by `make model`. What was made before is kept, unless its weights or their adapter have changed since.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import cast, get_args

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import report, write_result
from rtap.whisper.model_directory import Precision
from rtap.whisper.model_store import ModelStore
from tools.console.command_line import report_step, run
from tools.model.conversion.convert import NOT_COMPARED
from tools.model.conversion.installed_model import ensure_model
from tools.model.conversion.quantize import PASSES


def main(argv: Sequence[str]) -> int:
    """Command line."""
    parser = OneLineParser(prog="tools/install_model", description=__doc__)
    parser.add_argument(
        "source", help="checkpoint directory, or a name such as openai/whisper-base"
    )
    parser.add_argument(
        "precision",
        nargs="?",
        default="int8",
        choices=[name for name in get_args(Precision) if name == "fp32" or name in PASSES],
        help="default: int8",
    )
    arguments = parser.parse_args(argv)
    steps: list[str] = []

    def on_progress(step: str) -> None:
        steps.append(step)
        report_step("install_model", step)

    precision = cast("Precision", arguments.precision)
    path = ensure_model(arguments.source, precision, on_progress=on_progress)
    if "encoder" in steps and "verify" not in steps:
        report("note", NOT_COMPARED, parser.prog)
    directory = ModelStore.from_environment(os.environ).use(path.name)
    write_result(f"using {directory.manifest.name} ({directory.path})\n")
    return 0


if __name__ == "__main__":
    run(main)
