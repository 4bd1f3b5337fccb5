"""A model on disk: Hugging Face's JSON files, our graphs, and the manifest that vouches for them.

``manifest.json`` is written last by the tools that make a model, so a directory without one is not a model.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from rtap.errors import ModelError

MANIFEST_NAME = "manifest.json"
MANIFEST_FORMAT = 1

Layout = Literal["rtap", "optimum"]
Precision = Literal["fp32", "fp16", "int8", "w8", "w4"]
Elastic = Literal["native", "guarded", "no"]
"""How a model takes audio shorter than 30 s: trained for it, checked and retried, or always padded."""

MAX_MARGIN_SECONDS = 30.0
"""With that much silence after the audio, no context is short."""

_CONVERT_AGAIN = "convert it again with tools/convert_whisper"
_HASH_BLOCK = 1 << 20
_GRAPH = ".onnx"
_LOCATION = re.compile(rb"\x0a\x08location\x12([\x80-\xff]?[\x01-\x7f])")
"""Where a graph names the file of a tensor: the key of onnx.proto's StringStringEntryProto, and the length
of its value."""
_LONGEST_LOCATION = 16 << 10


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the manifest says of one file."""

    bytes: int
    sha256: str
    """Lower-case hexadecimal."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where a model came from, what it is, and the files it consists of."""

    name: str
    source: str
    """Hub name or directory name of the checkpoint."""
    layout: Layout
    precision: Precision
    elastic: Elastic
    parameters: int
    opset: int
    created_by: str
    files: Mapping[str, FileRecord]
    """By file name, relative to the model directory; the manifest itself is not listed."""
    quantization: Mapping[str, Any] = field(default_factory=dict)
    """Per graph: which operators were quantised, how, and the sizes measured before and after."""
    parity: Mapping[str, Any] = field(default_factory=dict)
    """Figures that tools/verify_model measured against the checkpoint; empty until it ran."""
    margin_seconds: float = 0.0
    """Silence after the audio in the contexts of a "native" model."""
    adapter: Mapping[str, Any] = field(default_factory=dict)
    """Name, SHA-256 and record of the adapter that is merged into the weights; empty where there is none."""

    @property
    def bytes(self) -> int:
        """Size of all files of the model, in bytes."""
        return sum(record.bytes for record in self.files.values())

    def to_json(self) -> str:
        """The text of ``manifest.json``; :meth:`from_json` reads it back."""
        document: dict[str, Any] = {"format": MANIFEST_FORMAT}
        for name in (
            "name",
            "source",
            "layout",
            "precision",
            "elastic",
            "margin_seconds",
            "parameters",
            "opset",
            "created_by",
        ):
            document[name] = getattr(self, name)
        document["bytes"] = self.bytes
        document["files"] = {
            name: {"bytes": record.bytes, "sha256": record.sha256}
            for name, record in sorted(self.files.items())
        }
        document["adapter"] = dict(self.adapter)
        document["quantization"] = dict(self.quantization)
        document["parity"] = dict(self.parity)
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: Path) -> Manifest:
        """Read a manifest.

        Raises:
            ModelError: the text is no manifest, or one of a newer format.
        """
        try:
            document = json.loads(text)
            if not isinstance(document, dict):
                raise TypeError("not an object")
            if document["format"] != MANIFEST_FORMAT:
                raise ModelError(
                    f"{where} has manifest format {document['format']}, this version reads "
                    f"{MANIFEST_FORMAT}: {_CONVERT_AGAIN}"
                )
            files = {
                str(name): FileRecord(int(record["bytes"]), str(record["sha256"]))
                for name, record in document["files"].items()
            }
            return cls(
                name=str(document["name"]),
                source=str(document["source"]),
                layout=cast("Layout", _one_of(document, "layout", Layout)),
                precision=cast("Precision", _one_of(document, "precision", Precision)),
                elastic=cast("Elastic", _one_of(document, "elastic", Elastic)),
                parameters=int(document["parameters"]),
                opset=int(document["opset"]),
                created_by=str(document["created_by"]),
                files=files,
                quantization=dict(document.get("quantization", {})),
                parity=dict(document.get("parity", {})),
                margin_seconds=_seconds(document, "margin_seconds"),
                adapter=dict(document.get("adapter", {})),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                f"{where} is damaged ({type(error).__name__}: {error}): {_CONVERT_AGAIN}"
            ) from error


def _one_of(document: Mapping[str, Any], key: str, literal: Any) -> str:
    allowed: tuple[str, ...] = get_args(literal)
    if document[key] not in allowed:
        raise ValueError(f"{key} is {document[key]!r}, not one of {', '.join(allowed)}")
    return str(document[key])


def _seconds(document: Mapping[str, Any], key: str) -> float:
    """0 where an older version wrote none."""
    seconds = float(document.get(key, 0.0))
    if not 0 <= seconds <= MAX_MARGIN_SECONDS:
        raise ValueError(f"{key} is {seconds:g}, not 0 to {MAX_MARGIN_SECONDS:g}")
    return seconds


@dataclass(frozen=True, slots=True)
class ModelDirectory:
    """An opened model directory: its path and its manifest."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> ModelDirectory:
        """Read the manifest and check that every file is there with the right size.

        Cheap: reads no weights. :meth:`verify` reads them all.

        Raises:
            ModelError: no such directory, no manifest, or a file is missing or has another size.
        """
        if not path.is_dir():
            raise ModelError(
                f"no model directory at {path}: `rtap models list` shows what there is"
            )
        manifest_path = path / MANIFEST_NAME
        try:
            text = manifest_path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ModelError(
                f"{path} has no {MANIFEST_NAME}, so it is not a converted model: "
                f"run tools/convert_whisper on the checkpoint"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(
                f"{manifest_path} cannot be read ({error}): {_CONVERT_AGAIN}"
            ) from error
        directory = cls(path, Manifest.from_json(text, manifest_path))
        for name, record in directory.manifest.files.items():
            directory._check_size(name, record)
        return directory

    def _check_size(self, name: str, record: FileRecord) -> None:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ModelError(f"{self.path} lists {name!r}, which is outside it: {_CONVERT_AGAIN}")
        try:
            size = (self.path / name).stat().st_size
        except OSError:
            raise ModelError(f"{self.path / name} is missing: {_CONVERT_AGAIN}") from None
        if size != record.bytes:
            raise ModelError(
                f"{self.path / name} has {size} bytes instead of {record.bytes}: {_CONVERT_AGAIN}"
            )

    def file(self, name: str) -> Path:
        """Where one of the model's files is. Whatever is opened is asked for here.

        Raises:
            ModelError: the manifest does not list it, so nobody could tell whether it is damaged.
        """
        path = self.path / name
        if name in self.manifest.files:
            return path
        fault = "is not listed in" if path.exists() else "is missing, and not listed in"
        raise ModelError(f"{path} {fault} {MANIFEST_NAME}: {_CONVERT_AGAIN}")

    def verify(self) -> None:
        """Compare the SHA-256 of every file with the manifest; reads the whole model.

        Raises:
            ModelError: a file differs, cannot be read, or is named by a graph and not listed.
        """
        for name, record in self.manifest.files.items():
            try:
                digest = file_sha256(self.path / name)
                for other in external_files(self.path / name) if name.endswith(_GRAPH) else ():
                    self.file(str(Path(name).parent / other))
            except OSError as error:
                raise ModelError(f"{self.path / name} cannot be read: {error}") from error
            if digest != record.sha256:
                raise ModelError(
                    f"{self.path / name} is damaged (its SHA-256 is not the manifest's): "
                    f"copy the model again, or {_CONVERT_AGAIN}"
                )

    def read_json(self, name: str) -> dict[str, Any]:
        """Parse one of the directory's JSON files.

        Raises:
            ModelError: missing, unreadable or no JSON object.
        """
        return read_json_object(self.file(name), _CONVERT_AGAIN)


def read_json_object(path: Path, mend: str) -> dict[str, Any]:
    """Parse a JSON file that holds an object.

    Args:
        mend: what to do about a bad one, for the message.

    Raises:
        ModelError: missing, unreadable or no JSON object.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: {mend}") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}): {mend}") from error
    if not isinstance(document, dict):
        raise ModelError(f"{path} is not a JSON object: {mend}")
    return document


def external_files(graph: Path) -> set[str]:
    """The files that a graph says its weights are in, relative to the graph's directory.

    It is not parsed, for which the runtime would need the package onnx: an entry is known by its bytes.

    Raises:
        OSError: it cannot be read.
    """
    names: set[str] = set()
    for block in _overlapping_blocks(graph):
        for entry in _LOCATION.finditer(block):
            low, *high = entry[1]  # a number of seven bits a byte
            length = low & 0x7F | sum(high) << 7
            name = block[entry.end() : entry.end() + length]
            names.add(name.decode("utf-8", "replace"))
    return names


def _overlapping_blocks(path: Path) -> Iterator[bytes]:
    """A file in pieces, so that each entry is whole in one: a graph may hold gigabytes of weights itself."""
    with path.open("rb") as file:
        tail = b""
        while block := file.read(_HASH_BLOCK):
            # What begins in the tail was cut off in the last piece, or is found twice.
            yield tail + block
            tail = (tail + block)[-_LONGEST_LOCATION:]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in lower-case hexadecimal, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()
