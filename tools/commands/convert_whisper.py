"""Convert a Whisper checkpoint to ONNX graphs that the engine runs.

Takes any WhisperForConditionalGeneration checkpoint, from tiny to large-v3-turbo, multilingual or English,
80 or 128 mel bins, in Hugging Face's layout or in faster-whisper's (CTranslate2, fp16 or fp32). The result
is fp32; tools/quantize makes it small. A run that was killed goes on where it stopped when started again
with the same arguments.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tqdm import tqdm

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import report, write_result
from rtap.errors import ConfigurationError
from rtap.whisper.model_store import ModelStore
from tools.console.command_line import report_step, run
from tools.model.conversion.adapter import Adapter
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.convert import NOT_COMPARED, ProgressCallback, convert
from tools.model.conversion.project_adapters import adapter_for
from tools.model.conversion.sources import open_checkpoint
from tools.model.conversion.text_files import has_foreign_heads

FOREIGN_HEADS = (
    "the checkpoint names alignment heads that its decoder does not have, as distilled ones do: they were "
    "left out, and words are timed by all heads of the upper half of its layers"
)


def _models_directory() -> Path:
    return ModelStore.from_environment(os.environ).models_dir


@contextmanager
def _progress(checkpoint: Checkpoint) -> Iterator[ProgressCallback]:
    """On a terminal a bar over the parameters, which a large model takes a minute to go through."""
    if not sys.stderr.isatty():
        yield partial(report_step, "convert_whisper")
        return
    with tqdm(total=checkpoint.parameters(), unit="", unit_scale=True, leave=False) as bar:
        checkpoint.on_read = bar.update
        yield lambda step: bar.set_description(f"convert_whisper: {step}")


def _with_adapter(checkpoint: Checkpoint, arguments: argparse.Namespace) -> Checkpoint:
    if arguments.adapter and (arguments.no_adapter or arguments.layout == "optimum"):
        raise ConfigurationError(
            "--adapter goes neither with --no-adapter nor with --layout optimum: leave one of them out"
        )
    if arguments.adapter:
        return checkpoint.adapted(Adapter.read(arguments.adapter))
    # Hugging Face's graphs are read from the checkpoint's own files, and always take 30 s.
    if arguments.no_adapter or arguments.layout == "optimum":
        return checkpoint
    found = adapter_for(checkpoint)
    return checkpoint if found is None else checkpoint.adapted(found)


def main(argv: Sequence[str]) -> int:
    """Command line."""
    parser = OneLineParser(prog="tools/convert_whisper", description=__doc__)
    parser.add_argument(
        "source", help="checkpoint directory, or a name such as openai/whisper-base"
    )
    parser.add_argument("output", type=Path, nargs="?", help="default: <models directory>/<name>")
    parser.add_argument(
        "--layout",
        choices=("rtap", "optimum"),
        default="rtap",
        help="rtap: our graphs, any length of audio; optimum: Hugging Face's, always 30 s (default: rtap)",
    )
    parser.add_argument(
        "--elastic",
        choices=("guarded", "native"),
        help="native: the checkpoint was trained on audio of true length; "
        "guarded: it was trained on 30 s, so short runs are checked "
        "(default: what its adapter or tools/adapt_elastic says, else guarded)",
    )
    parser.add_argument(
        "--adapter",
        type=Path,
        metavar="FILE",
        help="merge this adapter into the weights (default: the project's one for them, if it has one)",
    )
    parser.add_argument(
        "--no-adapter", action="store_true", help="convert the weights as they were published"
    )
    parser.add_argument(
        "--no-verify", action="store_true", help="skip the comparison with the checkpoint"
    )
    parser.add_argument("--force", action="store_true", help="replace the output if it exists")
    parser.add_argument(
        "--json", action="store_true", help="print the manifest instead of a summary"
    )
    arguments = parser.parse_args(argv)

    checkpoint = open_checkpoint(arguments.source)
    checkpoint = _with_adapter(checkpoint, arguments)
    output: Path = arguments.output or _models_directory() / checkpoint.name
    with _progress(checkpoint) as on_progress:
        manifest = convert(
            checkpoint,
            output,
            layout=arguments.layout,
            elastic=arguments.elastic,
            verify=not arguments.no_verify,
            replace=arguments.force,
            on_progress=on_progress,
        )
    if has_foreign_heads(checkpoint):
        report("note", FOREIGN_HEADS, parser.prog)
    if not (manifest.parity or arguments.no_verify):
        report(
            "note",
            NOT_COMPARED,
            parser.prog,
        )
    if arguments.json:
        write_result(manifest.to_json())
    else:
        write_result(
            f"{output}: {manifest.parameters / 1e6:.1f} M parameters, {manifest.precision}, "
            f"{manifest.bytes / 1e6:.0f} MB"
            f"{', adapted to short audio' if manifest.adapter else ''}\n"
        )
    return 0


if __name__ == "__main__":
    run(main)
