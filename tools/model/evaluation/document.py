"""A measurement as JSON: all tables and every utterance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tools.model.evaluation.bootstrap import Interval
from tools.model.evaluation.comparison import differences
from tools.model.evaluation.intent_report import intents_to_json, judgement_to_json
from tools.model.evaluation.measurement import Measurement, Subject
from tools.model.evaluation.recognition import Failure
from tools.model.evaluation.scoring import Counts, Scored, Summary


def to_json(measurements: Sequence[Measurement]) -> str:
    """One document, which ends with a newline. Rates are shares of 1, null where there is nothing.

    Of several models it has a list of them, each as one alone would be.
    """
    first, *others = measurements
    document = _measurement(first)
    if others:
        document = {
            "command": first.command,
            "models": [_measurement(one) for one in measurements],
            "above_the_first": {one.subject.name: _differences(one, first) for one in others},
        }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _measurement(measurement: Measurement) -> dict[str, Any]:
    return {
        "command": measurement.command,
        "model": _model(measurement.subject),
        "language": measurement.language,
        "threads": measurement.threads,
        "normalizer": measurement.normalizer,
        "grammar": measurement.grammar or None,
        "total": _summary(measurement.total),
        "with_speech": _summary(measurement.with_speech),
        "sets": _table(measurement.sets),
        "pools": _table(measurement.pools),
        "speakers": _table(measurement.speakers),
        "noise": _table(measurement.noise),
        "utterances": [_utterance(scored) for scored in measurement.scored],
        "failed": [_failure(failure) for failure in measurement.failures],
        "unknown_languages": dict(measurement.unknown_languages),
    }


def _model(subject: Subject) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": subject.name,
        "path": str(subject.path),
        "vad": subject.vad,
        "padded": subject.padded,
        "prefers": subject.prefers,
    }
    if subject.model is not None:
        manifest = subject.model.manifest
        for name in ("source", "precision", "elastic", "parameters", "bytes"):
            described[name] = getattr(manifest, name)
    return described


def _differences(one: Measurement, other: Measurement) -> dict[str, Any]:
    return {
        name: {"wer": round(found.rate, 6), "wer_95": _interval(found.interval)}
        for name, found in differences(one, other).items()
    }


def _table(summaries: Mapping[str, Summary]) -> dict[str, Any]:
    return {name: _summary(summary) for name, summary in summaries.items()}


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "utterances": summary.utterances,
        **_counts(summary.counts),
        "wer": _rounded(summary.counts.error_rate, 6),
        "wer_95": _interval(summary.error_interval),
        "right": summary.right,
        "phrases": {
            "utterances": summary.keywords,
            "right": summary.keywords_right,
            "rate": _rounded(summary.keywords_rate, 6),
            "rate_95": _interval(summary.keywords_interval),
        },
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
            "processor_time": round(summary.processor_time, 4),
            "encodes": summary.encodes,
        },
        "intents": intents_to_json(summary.intents),
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
        "language": utterance.language,
        "said": utterance.text,
        "must_contain": list(utterance.must_contain),
        "heard": heard.text,
        "counts": _counts(scored.counts),
        "has_phrases": scored.has_phrases,
        "cut": None if utterance.cut is None else list(utterance.cut),
        "intent": judgement_to_json(scored.judgement),
        "seconds": round(heard.seconds, 3),
        "inference_time": round(heard.inference_time, 4),
        "processor_time": round(heard.processor_time, 4),
        "contexts": None if heard.contexts is None else list(heard.contexts),
        "warnings": list(heard.warnings),
    }


def _failure(failure: Failure) -> dict[str, str]:
    utterance = failure.utterance
    return {"audio": str(utterance.audio), "set": utterance.group, "reason": failure.reason}


def _interval(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [round(interval.low, 6), round(interval.high, 6)]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
