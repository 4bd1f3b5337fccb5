"""A measurement as JSON: all tables and every utterance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tools.evaluation.measurement import Measurement
from tools.evaluation.recognition import Failure
from tools.evaluation.scoring import Counts, Scored, Summary


def to_json(measurement: Measurement) -> str:
    """One document, which ends with a newline. Rates are shares of 1, null where there is nothing."""
    manifest = measurement.model.manifest
    document = {
        "command": measurement.command,
        "model": {
            "name": manifest.name,
            "path": str(measurement.model.path),
            "source": manifest.source,
            "precision": manifest.precision,
            "parameters": manifest.parameters,
            "bytes": manifest.bytes,
        },
        "language": measurement.language,
        "threads": measurement.threads,
        "normalizer": measurement.normalizer,
        "total": _summary(measurement.total),
        "with_speech": _summary(measurement.with_speech),
        "sets": _table(measurement.sets),
        "speakers": _table(measurement.speakers),
        "noise": _table(measurement.noise),
        "utterances": [_utterance(scored) for scored in measurement.scored],
        "failed": [_failure(failure) for failure in measurement.failures],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _table(summaries: Mapping[str, Summary]) -> dict[str, Any]:
    return {name: _summary(summary) for name, summary in summaries.items()}


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "utterances": summary.utterances,
        **_counts(summary.counts),
        "wer": _rounded(summary.counts.error_rate, 6),
        "right": summary.right,
        "no_speech": {
            "utterances": summary.silent,
            "false_texts": summary.false_texts,
            "false_text_rate": _rounded(summary.false_text_rate, 6),
            "false_words": summary.false_words,
        },
        "speed": {
            "seconds": round(summary.seconds, 3),
            "inference_time": round(summary.inference_time, 4),
            "rtf": _rounded(summary.rtf, 4),
            "median_rtf": _rounded(summary.median_rtf, 4),
        },
    }


def _counts(counts: Counts) -> dict[str, int]:
    return {
        "words": counts.words,
        "substitutions": counts.substitutions,
        "deletions": counts.deletions,
        "insertions": counts.insertions,
    }


def _utterance(scored: Scored) -> dict[str, Any]:
    heard, utterance = scored.heard, scored.heard.utterance
    return {
        "audio": str(utterance.audio),
        "set": utterance.group,
        "speaker": utterance.speaker,
        "noise": utterance.noise,
        "said": utterance.text,
        "heard": heard.text,
        "counts": _counts(scored.counts),
        "seconds": round(heard.seconds, 3),
        "inference_time": round(heard.inference_time, 4),
        "warnings": list(heard.warnings),
    }


def _failure(failure: Failure) -> dict[str, str]:
    utterance = failure.utterance
    return {"audio": str(utterance.audio), "set": utterance.group, "reason": failure.reason}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
