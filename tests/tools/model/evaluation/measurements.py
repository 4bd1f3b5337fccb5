"""Makes measurements without an engine: what was said, and what was heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rtap.whisper.model_directory import FileRecord, Manifest, ModelDirectory
from tools.model.evaluation.data import Utterance
from tools.model.evaluation.intent_scoring import Judgement
from tools.model.evaluation.measurement import Measurement, Subject
from tools.model.evaluation.normalization import normalizer_for
from tools.model.evaluation.recognition import Failure
from tools.model.evaluation.scoring import Scored, score
from tools.model.evaluation.transcripts import Heard

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
    language: str = "en",
    must_contain: tuple[str, ...] = (),
    snr: float | None = None,
    processor_time: float = 1.0,
    contexts: tuple[float, ...] | None = (3.0,),
    cut: tuple[float, float] | None = None,
    judgement: Judgement | None = None,
) -> Scored:
    utterance = Utterance(
        Path(audio), said, group, speaker, noise, language, must_contain, snr=snr, cut=cut
    )
    found = Heard(utterance, heard, seconds, inference_time, processor_time, contexts, warnings)
    return replace(score(found, PLAIN), judgement=judgement)


def measurement(
    *results: Scored,
    failures: Sequence[Failure] = (),
    language: str | None = "en",
    name: str = "small",
    unknown_languages: dict[str, int] | None = None,
    grammar: str = "",
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
        subject=Subject(name, Path("models/small"), ModelDirectory(Path("models/small"), manifest)),
        language=language,
        threads=1,
        normalizer=PLAIN.name,
        scored=results,
        failures=failures,
        unknown_languages=unknown_languages or {},
        grammar=grammar,
    )
