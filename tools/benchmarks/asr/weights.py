"""One seeded random checkpoint in the format of every engine, made once and kept.

The numbers are the same everywhere, so that the engines decode the same tokens but for rounding.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rtap.errors import ConfigurationError
from tools.export.staging import StagedDirectory
from tools.random_checkpoint import SIZES, make_checkpoint

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHECKPOINT: Final = "checkpoint"
"""What the other formats are made from: Hugging Face's layout in fp32."""
SEED: Final = 0

_RECORD = "benchmark.json"
"""The last file that is written: what the others were made from and how long they are."""
_QUIET = 1e-3
"""Factor on the embeddings of all that is no text. Logits are products with them, so none of these tokens
ever comes: every engine decodes as many tokens as it may, whatever it forbids by itself, and as a product
with zero would, no quantisation has to divide by zero."""
_ROOT = Path(__file__).resolve().parents[3]
_SOURCES = (
    "tools/benchmarks/asr/weights.py",
    "tools/random_checkpoint.py",
    "tools/export/tokenizer_from_ranks.py",
)
"""Files whose change makes all weights old."""
_TAIL = 3
"""Last lines of another program that are shown when it fails."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What a format is made of."""

    size: str
    folder: Path
    """Where the formats of this size are."""
    python: Path
    """Of the peers."""

    @property
    def checkpoint(self) -> Path:
        """What every format but itself is made from."""
        return self.folder / CHECKPOINT

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A directory on the disk of the weights, which may be larger than the one of temporary files."""
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".scratch-") as path:
            yield Path(path)


@dataclass(frozen=True, slots=True)
class Format:
    """A way of storing the weights."""

    make: Callable[[_Job, Path], None]
    """Fills a directory."""
    file: str | None = None
    """What the engine loads; None is the directory."""
    sources: tuple[str, ...] = ()
    """Files, and folders of modules, whose change makes this format old."""


def prepared(format: str, size: str, place: Path, python: Path) -> Path:  # noqa: A002
    """The weights in one format, made unless they are there and whole.

    Args:
        format: one of :data:`FORMATS`.
        size: of ``tools/random_checkpoint``: tiny, base, or mini for tests.
        place: directory that keeps them, as ``size/format``.
        python: of an environment with the peers' converters.

    Returns:
        A directory, or for some formats a file.

    Raises:
        ConfigurationError: no such format or size, or a converter failed.
        StorageError: the place cannot be written.
    """
    kind = FORMATS.get(format)
    if kind is None:
        raise ConfigurationError(f"{format} is no format: give one of {', '.join(FORMATS)}")
    output = place / size / format
    if size not in SIZES:
        raise ConfigurationError(f"{size} is no size of Whisper: give one of {', '.join(SIZES)}")
    fingerprint = _fingerprint(format, size, kind)
    if not _is_whole(output, fingerprint):
        if format != CHECKPOINT:
            prepared(CHECKPOINT, size, place, python)
        _make(kind, _Job(size, place / size, python), output, fingerprint)
    return output / kind.file if kind.file else output


def size_on_disk(path: Path) -> int:
    """Bytes of what :func:`prepared` returned."""
    if path.is_file():
        return path.stat().st_size
    files = (file for file in path.rglob("*") if file.is_file() and file.name != _RECORD)
    return sum(file.stat().st_size for file in files)


def _fingerprint(format_: str, size: str, kind: Format) -> str:
    inputs = hashlib.sha256(f"{SEED} {size} {format_}".encode())
    for name in (*_SOURCES, *kind.sources):
        source = _ROOT / name
        for file in sorted(source.glob("*.py")) if source.is_dir() else [source]:
            inputs.update(file.read_bytes())
    return inputs.hexdigest()


def _is_whole(output: Path, fingerprint: str) -> bool:
    """Whether all that was made is there still, in its length."""
    try:
        record: dict[str, Any] = json.loads((output / _RECORD).read_text(encoding="utf-8"))
        lengths: dict[str, int] = record["bytes"]
        return bool(record["fingerprint"] == fingerprint) and all(
            (output / name).stat().st_size == length for name, length in lengths.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _make(kind: Format, job: _Job, output: Path, fingerprint: str) -> None:
    if output.is_dir():
        shutil.rmtree(output)  # damaged, or made by an older way: nobody's work is in it
    with StagedDirectory(output, fingerprint, replace=False) as staged:
        staged.step("weights", lambda scratch: kind.make(job, scratch))
        lengths = {file.name: file.stat().st_size for file in staged.files()}
        record = {"fingerprint": fingerprint, "bytes": lengths}
        staged.step("record", lambda scratch: _write_json(scratch / _RECORD, record))
        staged.commit()


def _make_checkpoint(job: _Job, output: Path) -> None:
    from tools.export.tokenizer_from_ranks import byte_tokenizer

    size = SIZES[job.size]
    tokenizer = byte_tokenizer(num_languages=size.languages)
    with job.scratch() as scratch:
        made = scratch / CHECKPOINT
        make_checkpoint(made, size, seed=SEED, tokenizer=tokenizer)
        _silence_special_tokens(made / "model.safetensors", tokenizer)
        _complete_text_files(made, tokenizer)
        _move_files(made, output)


def _silence_special_tokens(weights: Path, tokenizer: Tokenizer) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(weights)
    embeddings = tensors["model.decoder.embed_tokens.weight"]
    embeddings[tokenizer.token_to_id("<|endoftext|>") :] *= _QUIET
    save_file(tensors, weights, metadata={"format": "pt"})


def _complete_text_files(checkpoint: Path, tokenizer: Tokenizer) -> None:
    """What published checkpoints have beside ours, and some peers read."""
    ids = tokenizer.get_vocab(with_added_tokens=True)
    text = tokenizer.get_vocab(with_added_tokens=False)
    added = {token: id_ for token, id_ in ids.items() if token not in text}
    _write_json(checkpoint / "added_tokens.json", added)
    # The last text token of the multilingual vocabulary is empty; CTranslate2 knows such models by that.
    last = max(text, key=lambda token: text[token])
    text[""] = text.pop(last)
    _write_json(checkpoint / "vocab.json", text)
    path = checkpoint / "tokenizer.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    document["model"]["vocab"] = text
    _write_json(path, document)
    path = checkpoint / "generation_config.json"
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    tasks = {task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")}
    first, last = ids["<|startoftranscript|>"], ids["<|translate|>"]
    languages = {token: id_ for token, id_ in ids.items() if first < id_ < last}
    _write_json(path, config | {"lang_to_id": languages, "task_to_id": tasks})


def _make_rtap(job: _Job, output: Path) -> None:
    from rtap.whisper.model_directory import ModelDirectory
    from tools.convert_whisper import convert
    from tools.export.checkpoint import Checkpoint
    from tools.quantize import quantize

    with job.scratch() as scratch:
        convert(Checkpoint.open(str(job.checkpoint)), scratch / "fp32", verify=False)
        quantize(ModelDirectory.open(scratch / "fp32"), scratch / "int8", "int8")
        _move_files(scratch / "int8", output)


def _make_ctranslate2(job: _Job, output: Path) -> None:
    with job.scratch() as scratch:
        made = scratch / "ctranslate2"
        command = [str(job.python), "-m", "ctranslate2.converters.transformers"]
        command += [
            "--model",
            str(job.checkpoint),
            "--output_dir",
            str(made),
            "--quantization",
            "int8",
        ]
        command += ["--copy_files", "tokenizer.json", "preprocessor_config.json"]
        _run(command)
        _move_files(made, output)


def _make_onnx(job: _Job, output: Path) -> None:
    """Optimum's graphs, its dynamic quantisation, and the two decoders merged, as on the hub."""
    from optimum.exporters.onnx import main_export

    with job.scratch() as scratch, _hushed():
        main_export(
            str(job.checkpoint),
            output=scratch,
            task="automatic-speech-recognition-with-past",
            do_validation=False,
            no_post_process=True,
        )
        _quantize_onnx(scratch, output)
    for name in ("config.json", "generation_config.json", "preprocessor_config.json"):
        shutil.copyfile(job.checkpoint / name, output / name)
    for name in ("tokenizer.json", "vocab.json", "added_tokens.json"):
        shutil.copyfile(job.checkpoint / name, output / name)


def _quantize_onnx(graphs: Path, output: Path) -> None:
    """Products and tables in 8 bits, as by optimum's default, and convolutions not: slower in 8 bits."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from optimum.onnx import merge_decoders

    decoders = ("decoder_model", "decoder_with_past_model")
    for name in ("encoder_model", *decoders):
        folder = output if name == "encoder_model" else graphs
        quantize_dynamic(
            graphs / f"{name}.onnx",
            folder / f"{name}_int8.onnx",
            op_types_to_quantize=["MatMul", "Gather"],
            weight_type=QuantType.QInt8,
        )
    first, later = (str(graphs / f"{name}_int8.onnx") for name in decoders)
    merge_decoders(first, later, save_path=output / "decoder_model_merged_int8.onnx", strict=False)


def _make_ggml(job: _Job, output: Path) -> None:
    from tools.benchmarks.asr.ggml import write_ggml
    from tools.export.checkpoint import Checkpoint

    write_ggml(Checkpoint.open(str(job.checkpoint)), output / GGML_FILE)


GGML_FILE: Final = "ggml-q8_0.bin"

FORMATS: Final[Mapping[str, Format]] = {
    CHECKPOINT: Format(_make_checkpoint),
    "rtap-int8": Format(
        _make_rtap, sources=("tools/convert_whisper.py", "tools/quantize.py", "tools/export")
    ),
    "ctranslate2-int8": Format(_make_ctranslate2, sources=("requirements-bench.lock",)),
    "onnx-int8": Format(_make_onnx, sources=("requirements-dev.lock",)),
    "ggml-q8_0": Format(_make_ggml, GGML_FILE, sources=("tools/benchmarks/asr/ggml.py",)),
}
"""By name."""


@contextmanager
def _hushed() -> Iterator[None]:
    """Exporters warn of every branch that they trace; none depends on the input for Whisper."""
    import logging
    import warnings

    logging.getLogger("optimum").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    if done.returncode:
        last = " ".join(done.stderr.split("\n")[-_TAIL:]).strip()
        raise ConfigurationError(
            f"{command[2]} ended with status {done.returncode} ({last}): "
            f"run tools/benchmark asr --install again"
        )


def _move_files(source: Path, output: Path) -> None:
    for file in source.iterdir():
        file.replace(output / file.name)


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
