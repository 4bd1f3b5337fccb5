"""Convert a Whisper checkpoint to ONNX graphs that the engine runs.

Takes any WhisperForConditionalGeneration checkpoint, from tiny to large-v3-turbo, multilingual or English,
80 or 128 mel bins, in Hugging Face's layout or in faster-whisper's (CTranslate2, fp16 or fp32). The result
is fp32; tools/quantize makes it small. A run that was killed goes on where it stopped when started again
with the same arguments.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import report, write_result
from rtap.errors import ConfigurationError, ModelError, RTAPException
from rtap.whisper.model_directory import Elastic, Layout, Manifest, ModelDirectory
from rtap.whisper.model_store import ModelStore
from tools.adaptation.mark import elastic_of, margin_of
from tools.command_line import run
from tools.environment import require
from tools.export.adapter import Adapter, adapter_for
from tools.export.checkpoint import Checkpoint
from tools.export.graph_writer import OPSET
from tools.export.manifest import (
    CREATED_BY,
    store_manifest,
    with_parity,
    write_manifest,
)
from tools.export.staging import StagedDirectory
from tools.export.text_files import has_foreign_heads, write_text_files
from tools.verify_model import can_compare, measure_parity

QUICK_PARITY_STEPS = 16
"""Greedy steps compared with the checkpoint after a conversion; tools/verify_model does more."""

NOT_COMPARED = (
    "torch and transformers are not installed, so the graphs were not compared with the checkpoint: "
    "tools/verify_model does it, and installs them"
)

FOREIGN_HEADS = (
    "the checkpoint names alignment heads that its decoder does not have, as distilled ones do: they were "
    "left out, and words are timed by all heads of the upper half of its layers"
)

HEAD_SIZE_STEP = 8
"""What ONNX Runtime's GroupQueryAttention asks for."""

ProgressCallback = Callable[[str], None]


class ConversionError(RTAPException):
    """The graphs do not compute what the checkpoint computes."""


def convert(
    checkpoint: Checkpoint,
    output: Path,
    *,
    layout: Layout = "rtap",
    elastic: Elastic | None = None,
    verify: bool = True,
    replace: bool = False,
    on_progress: ProgressCallback = lambda _: None,
) -> Manifest:
    """Write the model directory ``output``; it appears whole or not at all.

    Args:
        checkpoint: with its adapter, if one is to be merged.
        elastic: "native" only for a checkpoint trained on true lengths; None takes what its adapter says, or
            its mark, which tools/adapt_elastic makes, and "guarded" where there is neither.
        verify: compare a few greedy tokens with the checkpoint and put the figures into the manifest, where
            torch and transformers are installed.
        replace: whether an existing model may be replaced.

    Raises:
        ModelError: the checkpoint cannot be read, or has a shape that the layout cannot hold.
        ConversionError: the graphs differ from the checkpoint.
        ConfigurationError: the output exists.
        StorageError: the output cannot be written.
    """
    if layout == "rtap":
        _check_head_size(checkpoint)
    elastic = "no" if layout == "optimum" else elastic or elastic_of(checkpoint)
    margin = margin_of(checkpoint) if elastic == "native" else 0.0
    fingerprint = _fingerprint(checkpoint, layout, elastic, margin)
    with StagedDirectory(output, fingerprint, replace=replace) as staged:
        for name, work in _steps(checkpoint, layout).items():
            on_progress(name)
            if not staged.step(name, work):
                on_progress(f"{name}: done by an earlier run")
        on_progress("manifest")
        manifest = write_manifest(
            staged,
            Manifest(
                name=staged.output.name,
                source=checkpoint.source,
                layout=layout,
                precision="fp32",
                elastic=elastic,
                margin_seconds=margin,
                adapter=checkpoint.adapter.to_json() if checkpoint.adapter else {},
                parameters=checkpoint.parameters(),
                opset=_optimum_opset(staged.path) if layout == "optimum" else OPSET,
                created_by=CREATED_BY,
                files={},
            ),
        )
        if verify and can_compare():
            on_progress("verify")
            manifest = with_parity(manifest, _quick_parity(staged.path, checkpoint))
            store_manifest(staged.path, manifest)
        staged.commit()
    return manifest


def _steps(checkpoint: Checkpoint, layout: Layout) -> Mapping[str, Callable[[Path], None]]:
    if layout == "optimum":
        require("Hugging Face's layout", "optimum", "torch", "transformers")
    from tools.export.optimum_layout import write_optimum_graphs
    from tools.export.whisper_graphs import write_decoder, write_encoder

    graphs: dict[str, Callable[[Path], None]]
    if layout == "optimum":
        graphs = {"optimum graphs": lambda path: write_optimum_graphs(checkpoint, path)}
    else:
        graphs = {
            "encoder": lambda path: write_encoder(checkpoint, path / "encoder.onnx"),
            "decoder": lambda path: write_decoder(checkpoint, path / "decoder.onnx"),
        }
    return {
        "tokenizer and configuration": lambda path: write_text_files(checkpoint, path),
        **graphs,
    }


def _check_head_size(checkpoint: Checkpoint) -> None:
    """All of OpenAI's have 64."""
    size = checkpoint.config.decoder_head_size
    if size % HEAD_SIZE_STEP:
        raise ModelError(
            f"{checkpoint.source} has decoder heads of {size} values, and our graphs take multiples of "
            f"{HEAD_SIZE_STEP}: add --layout optimum"
        )


def _fingerprint(checkpoint: Checkpoint, layout: Layout, elastic: Elastic, margin: float) -> str:
    """Identifies the inputs of a conversion without reading gigabytes of weights."""
    texts = [file for kind in ("*.json", "*.txt") for file in checkpoint.path.glob(kind)]
    files = [
        (file.name, file.stat().st_size, file.stat().st_mtime_ns)
        for file in sorted({*texts, *checkpoint.weight_files()})
    ]
    adapter = checkpoint.adapter.sha256 if checkpoint.adapter else ""
    inputs = [CREATED_BY, layout, elastic, margin, adapter, files]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _optimum_opset(path: Path) -> int:
    import onnx

    model = onnx.load(path / "encoder_model.onnx", load_external_data=False)
    return next(int(opset.version) for opset in model.opset_import if opset.domain == "")


def _quick_parity(path: Path, checkpoint: Checkpoint) -> Mapping[str, Any]:
    parity = measure_parity(ModelDirectory.open(path), checkpoint, steps=QUICK_PARITY_STEPS)
    if parity.failures:
        raise ConversionError(
            f"the graphs do not compute what {checkpoint.source} computes "
            f"({'; '.join(parity.failures)}): report it, or add --no-verify to keep them all the same"
        )
    return parity.to_json()


def _models_directory() -> Path:
    return ModelStore.from_environment(os.environ).models_dir


@contextmanager
def _progress(checkpoint: Checkpoint) -> Iterator[ProgressCallback]:
    """On a terminal a bar over the parameters, which a large model takes a minute to go through."""
    if not sys.stderr.isatty():
        yield lambda step: print(f"convert_whisper: {step} ...", file=sys.stderr)
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

    checkpoint = Checkpoint.open(arguments.source)
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
