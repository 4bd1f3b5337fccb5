"""From the trained network to the model directory that is bundled."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtap.whisper.model_directory import Manifest, ModelDirectory
from tools.model.cabin.network import LONGEST_SECONDS, MELS, Network
from tools.model.conversion.convert import convert
from tools.model.conversion.quantize import quantize
from tools.model.conversion.sources import open_checkpoint

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SOURCE: Final = "tools/train_cabin_model"


def save_checkpoint(network: Network, tokenizer: Tokenizer, output: Path) -> None:
    """Write the Whisper part in Hugging Face layout; the phone head is left behind."""
    model = network.whisper
    ids = tokenizer.get_vocab(with_added_tokens=True)
    config = model.generation_config
    # transformers would take the file for a copy of config.json, and ignore it.
    config._from_model_config = False  # noqa: SLF001
    config.is_multilingual = True
    config.lang_to_id = {"<|en|>": ids["<|en|>"]}
    config.task_to_id = {"transcribe": ids["<|transcribe|>"]}
    # Its lessons had no text before the audio: with some, it loses the command.
    config.takes_prompts = False
    config.no_timestamps_token_id = ids["<|notimestamps|>"]
    config.suppress_tokens = None
    # Nothing is suppressed at the beginning: the end of text there means that nobody spoke.
    config.begin_suppress_tokens = None
    config.alignment_heads = [
        [layer, head]
        for layer in range(model.config.decoder_layers)
        for head in range(model.config.decoder_attention_heads)
    ][-model.config.decoder_attention_heads :]
    model.save_pretrained(output)
    (output / "tokenizer.json").write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
    preprocessor = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": MELS,
        "sampling_rate": 16000,
        "n_fft": 400,
        "hop_length": 160,
        "chunk_length": LONGEST_SECONDS,
    }
    text = json.dumps(preprocessor, indent=2) + "\n"
    (output / "preprocessor_config.json").write_text(text, encoding="utf-8")


def export(
    network: Network, tokenizer: Tokenizer, work: Path, name: str
) -> tuple[Manifest, Manifest]:
    """Convert to fp32 graphs in ``work/<name>-fp32``, and those to int8 in ``work/<name>``.

    Raises:
        ConversionError: the graphs differ from the network.
    """
    with tempfile.TemporaryDirectory(dir=work) as place:
        source = Path(place) / name
        save_checkpoint(network.float().cpu().eval(), tokenizer, source)
        full = work / f"{name}-fp32"
        small = work / name
        for output in (full, small):
            shutil.rmtree(output, ignore_errors=True)
        checkpoint = open_checkpoint(str(source))
        manifest = convert(checkpoint, full, elastic="native")
        return manifest, quantize(ModelDirectory.open(full), small, "int8")
