"""A checkpoint in the format of every engine, made once and kept: the same tensors everywhere."""

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
from typing import Any, Final

from rtap.errors import ConfigurationError
from tools.benchmarks.asr.margin import write_margin
from tools.model.conversion.checkpoint import Checkpoint
from tools.model.conversion.elastic_mark import margin_of
from tools.model.conversion.sources import open_checkpoint
from tools.model.conversion.staging import StagedDirectory
from tools.model.conversion.text_files import write_text_files
from tools.root import ROOT

CHECKPOINT: Final = "checkpoint"
"""What the peers' formats are made from: Hugging Face's layout in fp32."""
GGML_FILE: Final = "ggml-q8_0.bin"

_RECORD = "benchmark.json"
"""The last file that is written: what the others were made from and how long they are."""
_SOURCES = ("tools/benchmarks/asr/weights.py", "tools/benchmarks/asr/margin.py")
"""Files whose change makes all weights old."""
_TEXTS = ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json")
_TAIL = 3
"""Last lines of another program that are shown when it fails."""


@dataclass(frozen=True, slots=True)
class Source:
    """A checkpoint, and where its formats are kept."""

    checkpoint: Checkpoint
    """With its adapter, if it has one."""
    margin: float
    """Seconds of silence that it wants after the audio in a short context."""
    folder: Path

    @classmethod
    def of(cls, checkpoint: Checkpoint, place: Path) -> Source:
        """Kept under its name and what tells its tensors from others, without reading them.

        Raises:
            ModelError: the checkpoint has no weights, or its mark is damaged.
        """
        files = [
            (file.name, file.stat().st_size, file.stat().st_mtime_ns)
            for file in sorted({*checkpoint.path.glob("*.json"), *checkpoint.weight_files()})
        ]
        adapter = checkpoint.adapter.sha256 if checkpoint.adapter else ""
        margin = margin_of(checkpoint)
        digest = hashlib.sha256(repr((files, adapter, margin)).encode()).hexdigest()
        return cls(checkpoint, margin, place / f"{checkpoint.name}-{digest[:8]}")


@dataclass(frozen=True, slots=True)
class _Job:
    """What a format is made of."""

    source: Source
    python: Path
    """Of the peers."""

    @property
    def checkpoint(self) -> Path:
        """What the peers' formats are made from."""
        return self.source.folder / CHECKPOINT

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A directory on the disk of the weights, which may be larger than the one of temporary files."""
        self.source.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.source.folder, prefix=".scratch-") as path:
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
    from_copy: bool = True
    """Whether it is made from :data:`CHECKPOINT`, not from the checkpoint itself."""


def prepared(format: str, source: Source, python: Path) -> Path:  # noqa: A002
    """The weights in one format, made unless they are there and whole.

    Args:
        format: one of :data:`FORMATS`.
        python: of an environment with the peers' converters.

    Returns:
        A directory, or for some formats a file.

    Raises:
        ConfigurationError: no such format, or a converter failed.
        ModelError: the checkpoint is damaged, or of a kind that the format cannot hold.
        StorageError: the place cannot be written.
    """
    kind = FORMATS.get(format)
    if kind is None:
        raise ConfigurationError(f"{format} is no format: give one of {', '.join(FORMATS)}")
    output = source.folder / format
    fingerprint = _fingerprint(format, kind)
    if not _is_whole(output, fingerprint):
        if kind.from_copy:
            prepared(CHECKPOINT, source, python)
        _make(kind, _Job(source, python), output, fingerprint)
    return output / kind.file if kind.file else output


def size_on_disk(path: Path) -> int:
    """Bytes of what :func:`prepared` returned."""
    if path.is_file():
        return path.stat().st_size
    files = (file for file in path.rglob("*") if file.is_file() and file.name != _RECORD)
    return sum(file.stat().st_size for file in files)


def _fingerprint(format_: str, kind: Format) -> str:
    inputs = hashlib.sha256(format_.encode())
    for name in (*_SOURCES, *kind.sources):
        source = ROOT / name
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
        staged.step("margin", lambda scratch: write_margin(scratch, job.source.margin))
        lengths = {file.name: file.stat().st_size for file in staged.files()}
        record = {"fingerprint": fingerprint, "bytes": lengths}
        staged.step("record", lambda scratch: _write_json(scratch / _RECORD, record))
        staged.commit()


def _make_checkpoint(job: _Job, output: Path) -> None:
    """All tensors in one file, wherever and in whatever format they were."""
    from safetensors.numpy import save_file

    checkpoint = job.source.checkpoint
    names = checkpoint.shapes()
    save_file(
        {f"model.{name}": checkpoint.tensor(name) for name in names},
        output / "model.safetensors",
        metadata={"format": "pt"},
    )
    write_text_files(checkpoint, output)
    _complete_text_files(output)


def _complete_text_files(checkpoint: Path) -> None:
    """What published checkpoints have beside ours, and some peers read."""
    document: dict[str, Any] = json.loads((checkpoint / "tokenizer.json").read_text("utf-8"))
    text: dict[str, int] = document["model"]["vocab"]
    added = {token["content"]: token["id"] for token in document["added_tokens"]}
    _write_json(checkpoint / "vocab.json", text)
    _write_json(
        checkpoint / "added_tokens.json",
        {token: id_ for token, id_ in added.items() if token not in text},
    )
    path = checkpoint / "generation_config.json"
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if config.get("is_multilingual", True):
        first, last = added["<|startoftranscript|>"], added["<|translate|>"]
        config |= {
            "lang_to_id": {token: id_ for token, id_ in added.items() if first < id_ < last},
            "task_to_id": {task: added[f"<|{task}|>"] for task in ("transcribe", "translate")},
        }
    _write_json(path, config)


def _make_rtap(job: _Job, output: Path) -> None:
    from tools.model.conversion.convert import convert

    with job.scratch() as scratch:
        convert(job.source.checkpoint, scratch / "fp32", verify=False)
        _move_files(scratch / "fp32", output)


def _make_rtap_int8(job: _Job, output: Path) -> None:
    from rtap.whisper.model_directory import ModelDirectory
    from tools.model.conversion.quantize import quantize

    whole = prepared("rtap-fp32", job.source, job.python)
    with job.scratch() as scratch:
        quantize(ModelDirectory.open(whole), scratch / "int8", "int8")
        _move_files(scratch / "int8", output)


def _make_ctranslate2(job: _Job, output: Path) -> None:
    with job.scratch() as scratch:
        made = scratch / "ctranslate2"
        command = [str(job.python), "-m", "ctranslate2.converters.transformers"]
        command += ["--model", str(job.checkpoint), "--output_dir", str(made)]
        command += ["--quantization", "int8"]
        command += ["--copy_files", "tokenizer.json", "preprocessor_config.json"]
        command += ["generation_config.json"]
        _run(command)
        # CTranslate2 puts a config.json of its own there.
        shutil.copyfile(job.checkpoint / "config.json", made / "sizes.json")
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
    for name in (*_TEXTS, "vocab.json", "added_tokens.json"):
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

    write_ggml(open_checkpoint(str(job.checkpoint)), output / GGML_FILE)


_OURS: Final = ("tools/model/conversion",)

FORMATS: Final[Mapping[str, Format]] = {
    CHECKPOINT: Format(_make_checkpoint, from_copy=False),
    "rtap-fp32": Format(_make_rtap, sources=_OURS, from_copy=False),
    "rtap-int8": Format(_make_rtap_int8, sources=_OURS, from_copy=False),
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
