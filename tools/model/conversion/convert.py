"""Converts a checkpoint to the model directory that the engine runs, in fp32."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rtap.errors import ModelError, RTAPException
from rtap.whisper.model_directory import Elastic, Layout, Manifest, ModelDirectory
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.elastic_mark import elastic_of, margin_of
from tools.model.conversion.graph_writer import OPSET
from tools.model.conversion.manifest import (
    CREATED_BY,
    store_manifest,
    with_parity,
    write_manifest,
)
from tools.model.conversion.parity import can_compare, measure_parity
from tools.model.conversion.staging import StagedDirectory
from tools.model.conversion.text_files import write_text_files
from tools.setup.environment import require

QUICK_PARITY_STEPS = 16
"""Greedy steps compared with the checkpoint after a conversion; tools/verify_model does more."""

NOT_COMPARED = (
    "torch and transformers are not installed, so the graphs were not compared with the checkpoint: "
    "tools/verify_model does it, and installs them"
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
    from tools.model.conversion.optimum_layout import write_optimum_graphs
    from tools.model.conversion.whisper_graphs import write_decoder, write_encoder

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
