"""Makes measurements without an engine: what was said, and what was heard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rtap.whisper.model_directory import FileRecord, Manifest, ModelDirectory
from tools.evaluation.data import Utterance
from tools.evaluation.measurement import Measurement
from tools.evaluation.normalization import normalizer_for
from tools.evaluation.recognition import Failure, Heard
from tools.evaluation.scoring import Scored, score

PLAIN = normalizer_for("en", published=False)


def scored(
    said: str,
    heard: str,
    *,
    group: str = "test",
    speaker: str = "",
    noise: str = "",
    seconds: float = 2.0,
    inference_time: float = 0.5,
    audio: str = "a.wav",
    warnings: tuple[str, ...] = (),
) -> Scored:
    utterance = Utterance(Path(audio), said, group, speaker, noise)
    return score(Heard(utterance, heard, seconds, inference_time, warnings), PLAIN)


def measurement(
    *results: Scored, failures: Sequence[Failure] = (), language: str | None = "en"
) -> Measurement:
    manifest = Manifest(
        name="small",
        source="openai/whisper-small",
        layout="rtap",
        precision="int8",
        elastic="guarded",
        parameters=12_340_000,
        opset=17,
        created_by="a test",
        files={"encoder.onnx": FileRecord(25_000_000, "0")},
    )
    return Measurement(
        command="tools/evaluate car --model small",
        model=ModelDirectory(Path("models/small"), manifest),
        language=language,
        threads=1,
        normalizer=PLAIN.name,
        scored=results,
        failures=failures,
    )
