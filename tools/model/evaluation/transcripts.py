"""What was heard, kept in files: a second run has only to count, and other engines can be counted as well.

A file has one JSON object a line: ``set``, ``audio`` (name of the file, and piece of it), ``sha256`` of its
bytes, ``language``, ``noise`` (level, folder and seed; empty: none) and what came out: ``text``, ``seconds``,
``inference_time``, ``processor_time``, ``contexts``, ``warnings``, ``confidence``; and ``engine``, its
version. Lines are appended as soon as they are known.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from rtap.errors import ConfigurationError, StorageError
from rtap.whisper.model_directory import ModelDirectory
from tools.model.evaluation.data import Utterance

SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class Heard:
    """What came out for one utterance."""

    utterance: Utterance
    text: str
    """On one line; empty when nothing was heard."""
    seconds: float
    """Length of the audio."""
    inference_time: float
    """Seconds in the model: features, encoder, decoder."""
    processor_time: float = 0.0
    """Seconds of processor, of all threads, for everything but loading the model."""
    contexts: tuple[float, ...] | None = None
    """Seconds of context of every pass of the encoder; None: not known."""
    warnings: tuple[str, ...] = ()
    """What is wrong with a file that was used all the same."""
    confidence: float = 1.0
    """Of hearing, 0 to 1; 1 where it is not known."""


class _Key(NamedTuple):
    group: str
    audio: str
    sha256: str
    """Of the file: empty in transcripts that other programs wrote, which hold for any file."""
    language: str
    noise: str


def stored_as(name: str, model: ModelDirectory) -> str:
    """File for what a model hears: another one as soon as one of the model's files is another."""
    digest = hashlib.sha256(model.manifest.to_json().encode()).hexdigest()
    return f"{name.replace('/', '_')}-{digest[:8]}{SUFFIX}"


class Transcripts:
    """Transcripts by one model with one set of options, as far as they are known."""

    def __init__(
        self,
        path: Path | None,
        version: str | None = None,
        *,
        noise: str = "",
        detects: bool = False,
    ) -> None:
        """What is known so far.

        Args:
            path: the file that is read, and appended to; None keeps nothing.
            version: of the engine; None: not known.
            noise: what is mixed in, where something is: folder and seed.
            detects: whether languages are detected.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        self.path = path
        self.outdated = 0
        """Transcripts by another version of the engine."""
        self._version = version
        self._noise = noise
        self._detects = detects
        self._known: dict[_Key, dict[str, Any]] = {}
        self._is_whole = True
        if path is not None and path.exists():
            self._read(path)

    def find(self, utterance: Utterance) -> Heard | None:
        """What was heard of this utterance, with the same audio, language and noise."""
        if not self._known:
            return None
        key = self._key(utterance)
        line = self._known.get(key) or self._known.get(key._replace(sha256=""))
        if line is None:
            return None
        contexts = line.get("contexts")
        return Heard(
            utterance=utterance,
            text=" ".join(line["text"].split()),
            seconds=float(line.get("seconds", 0)),
            inference_time=float(line.get("inference_time", 0)),
            processor_time=float(line.get("processor_time", 0)),
            contexts=None if contexts is None else tuple(contexts),
            warnings=tuple(line.get("warnings", ())),
            confidence=float(line.get("confidence", 1)),
        )

    def add(self, heard: Heard) -> None:
        """Keep one more.

        Raises:
            StorageError: the file cannot be written.
        """
        if self.path is None:
            return
        key = self._key(heard.utterance)
        line = {
            "set": key.group,
            "audio": key.audio,
            "sha256": key.sha256,
            "language": key.language,
            "noise": key.noise,
            "text": heard.text,
            "seconds": round(heard.seconds, 4),
            "inference_time": round(heard.inference_time, 5),
            "processor_time": round(heard.processor_time, 5),
            "contexts": None if heard.contexts is None else list(heard.contexts),
            "warnings": list(heard.warnings),
            "confidence": round(heard.confidence, 4),
            "engine": self._version,
        }
        self._known[key] = line
        text = json.dumps(line, ensure_ascii=False) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8", errors="replace") as file:
                file.write(text if self._is_whole else f"\n{text}")
        except OSError as error:
            raise StorageError(
                f"{self.path} cannot be written ({error.strerror}): make room, or give --transcripts "
                f"another folder"
            ) from error
        self._is_whole = True

    def _key(self, utterance: Utterance) -> _Key:
        return _Key(
            utterance.group,
            utterance.clip.removeprefix(f"{utterance.group}/"),
            _sha256(utterance.audio),
            "" if self._detects else utterance.language,
            "" if utterance.snr is None else f"{utterance.snr:g} dB, {self._noise}",
        )

    def _read(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"{path} cannot be read ({error}): give another file of transcripts"
            ) from error
        # A run that was broken off may have left half a line: that one is heard again.
        self._is_whole = not text or text.endswith("\n")
        for line in text.split("\n"):
            try:
                one = json.loads(line)
                key = _Key(
                    str(one["set"]),
                    str(one["audio"]),
                    str(one.get("sha256", "")),
                    str(one["language"]),
                    str(one.get("noise", "")),
                )
                if isinstance(one["text"], str):
                    self._known[key] = one
                    self.outdated += one.get("engine") != self._version is not None
            except (ValueError, KeyError, TypeError, AttributeError):
                continue


@cache
def _sha256(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""  # who decodes it will say what is wrong with it
