"""The graphs that Hugging Face optimum exports: always 30 s, hidden states instead of keys and values."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

from tools.model.conversion.checkpoint import Checkpoint

KEPT = ("encoder_model.onnx", "decoder_model.onnx", "decoder_with_past_model.onnx")
"""What the engine loads; the merged decoder holds the same weights once more."""


def write_optimum_graphs(checkpoint: Checkpoint, output: Path) -> None:
    """Export with optimum into ``output``, keeping only :data:`KEPT` and their external data."""
    from optimum.exporters.onnx import main_export

    # The exporter warns of every traced branch; none of them depends on the input for Whisper.
    logging.getLogger("optimum").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main_export(
            str(checkpoint.path),
            output=output,
            task="automatic-speech-recognition-with-past",
            do_validation=False,
            no_post_process=True,
        )
    for file in output.iterdir():
        if not file.name.startswith(KEPT):
            file.unlink()
