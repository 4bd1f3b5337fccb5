"""What was measured of all engines, as tables, and held against the goals."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rtap.languages import LANGUAGES
from tools.benchmarks.asr import pi4
from tools.benchmarks.asr.adapters import ENGINES
from tools.benchmarks.asr.measure import Measured
from tools.benchmarks.asr.rounds import Readings
from tools.benchmarks.result import Figure, Result, Table
from tools.model.evaluation.normalization import Normalizer, normalizer_for
from tools.model.evaluation.scoring import Scored, Summary, score, summarize

OURS: Final = "rtap"
REFERENCE: Final = "rtap-30s-fp32"
"""The weights as they were published, with nothing shortened or rounded."""
AS_USED: Final = "faster-whisper"
"""What most people run."""
TO_BEAT: Final = "ctranslate2-short"
"""The fastest peer: CTranslate2 on features that end soon after the audio does."""
WHAT: Final = """\
Identical weights and recordings; engines that shorten the context get the weights with the adapter, where
there is one, the others those that were published. One process for each engine, all of them in memory and one
at a time at work, a different one first at every recording. Processor time, all threads together, from
samples to text, the mean over the recordings: what else the machine does lengthens it least."""
_MB: Final = 1e6
_MOST_MB: Final = 250.0
_TOKENS: Final = 13
"""Of a command of 3 s, at 4.3 a second of English speech."""
_COMMAND_SECONDS: Final = (2.0, 4.0)
"""Recordings that count as commands of 3 s."""
_PI4_MS: Final = 500.0


def results(measured: Measured, shape: pi4.Shape) -> list[Result]:
    """The comparison, and the estimate for a Raspberry Pi 4."""
    scored = {name: _scored(measured, one) for name, one in measured.readings.items()}
    summaries = {name: summarize(one) for name, one in scored.items()}
    said = [
        f"{name} failed: {one.failure}." for name, one in measured.readings.items() if one.failure
    ]
    versions = [
        f"{name} ({one.version}): {ENGINES[name].title}"
        for name, one in measured.readings.items()
        if one.version
    ]
    comparison = Result(
        "asr",
        WHAT,
        _goals(measured, summaries),
        [*versions, *(f"Not measured: {one}." for one in measured.left_out), *said],
        tables=[
            _overview(measured, summaries),
            _by_set("Word error rate in %", scored, _error_rate),
            _by_set("Processor time per command in ms", scored, _milliseconds),
        ],
    )
    return [comparison, estimate(shape, scored.get(OURS, ()))]


def _scored(measured: Measured, readings: Readings) -> list[Scored]:
    normalizers: dict[str, Normalizer] = {}
    found = []
    for command in measured.commands:
        heard = readings.heard(command)
        if heard is None:
            continue
        language = command.utterance.language
        if language not in normalizers:
            normalizers[language] = normalizer_for(language)
        found.append(score(heard, normalizers[language]))
    return found


def _overview(measured: Measured, summaries: Mapping[str, Summary]) -> Table:
    header = [
        *("engine", "WER %", "95 % from", "to", "processor s", "wall s", "encodes", "context s"),
        *("peak MB", "load s", "MB on disk"),
    ]
    rows = []
    for name, summary in summaries.items():
        readings = measured.readings[name]
        contexts = [sum(runs[0].contexts) for runs in readings.runs.values()]
        within = summary.error_interval
        values = [
            _percent(summary.counts.error_rate),
            _percent(within.low) if within else None,
            _percent(within.high) if within else None,
            _per_file(summary, summary.processor_time),
            _per_file(summary, summary.inference_time),
            _per_file(summary, summary.encodes),
            statistics.mean(contexts) if contexts else None,
            _scaled(readings.peak, 1 / _MB),
            readings.load_seconds if readings.version else None,
            measured.disk[name] / _MB,
        ]
        rows.append((name, values))
    return Table("A command, on average", header, rows)


def _by_set(
    title: str, scored: Mapping[str, Sequence[Scored]], value: Callable[[Summary], float | None]
) -> Table:
    """Sets as rows and all of a language after them, engines as columns."""
    utterances = [one.heard.utterance for members in scored.values() for one in members]
    sets = dict.fromkeys(one.group for one in utterances)
    languages = dict.fromkeys(one.language for one in utterances)

    def row(belongs: Callable[[Scored], bool]) -> list[float | None]:
        return [value(summarize(filter(belongs, members))) for members in scored.values()]

    rows: list[tuple[str, Sequence[float | None]]] = [
        (name, row(lambda one, name=name: one.heard.utterance.group == name))  # type: ignore[misc]
        for name in sets
    ]
    rows += [
        (
            f"all {LANGUAGES[code].title()}",
            row(lambda one, code=code: one.heard.utterance.language == code),  # type: ignore[misc]
        )
        for code in languages
    ]
    return Table(title, ["set", *scored], rows)


def _goals(measured: Measured, summaries: Mapping[str, Summary]) -> list[Figure]:
    ours = summaries.get(OURS)
    if ours is None:
        return []
    peak = _scaled(measured.readings[OURS].peak, 1 / _MB)
    encodes = _per_file(ours, ours.encodes)
    return [
        _above(ours, summaries.get(REFERENCE), REFERENCE, 1.0),
        _above(ours, summaries.get(AS_USED), AS_USED, 0.0),
        _share(ours, summaries.get(AS_USED), AS_USED, 0.15),
        _share(ours, summaries.get(TO_BEAT), TO_BEAT, 0.6),
        _at_most("encodes per command", encodes, "", 1.05),
        _at_most("peak memory", peak, "MB", _MOST_MB),
    ]


def _above(ours: Summary, other: Summary | None, name: str, most: float) -> Figure:
    mine, theirs = ours.counts.error_rate, other.counts.error_rate if other else None
    points = None if mine is None or theirs is None else 100 * (mine - theirs)
    return _at_most(f"our word error rate above that of {name}", points, "points", most)


def _share(ours: Summary, other: Summary | None, name: str, most: float) -> Figure:
    mine = _per_file(ours, ours.processor_time)
    theirs = _per_file(other, other.processor_time) if other else None
    share = mine / theirs if mine is not None and theirs else None
    return _at_most(f"our processor time over that of {name}", share, "", most)


def _at_most(name: str, value: float | None, unit: str, most: float) -> Figure:
    target = f"<= {most:g} {unit}".rstrip()
    return Figure(name, value, unit, target, None if value is None else value <= most)


def estimate(shape: pi4.Shape, scored: Sequence[Scored]) -> Result:
    """What a Raspberry Pi 4 could do at best, in the contexts that our engine encoded of commands of 3 s."""
    low, high = _COMMAND_SECONDS
    contexts = [
        one.heard.contexts
        for one in scored
        if one.heard.contexts and low <= one.heard.seconds <= high
    ]
    as_encoded = _milliseconds_on_pi4(shape, contexts)
    padded = _milliseconds_on_pi4(shape, [(30.0,)])
    counts = Counter(context for one in contexts for context in one)
    rows = [(f"{context:g}", [float(count)]) for context, count in sorted(counts.items())]
    return Result(
        "raspberry-pi-4",
        "**An estimate, no measurement**: what the model has to compute and to read in 8 bits, against the "
        f"ceilings of four Cortex-A72 at {pi4.FREQUENCY / 1e9:g} GHz, {pi4.FLOPS_PER_CYCLE} fp32 FLOP a "
        f"cycle and core, and {pi4.BYTES_PER_SECOND / 1e9:g} GB/s, for {_TOKENS} tokens. Real code is "
        f"slower; the ratios hold. The contexts are those of recordings of {low:g} to {high:g} s.",
        [
            _at_most("command of 3 s", as_encoded, "ms", _PI4_MS),
            Figure("command of 3 s, padded to 30 s", padded, "ms"),
        ],
        tables=[Table("Contexts that were encoded", ["seconds", "times"], rows)] if rows else [],
    )


def _milliseconds_on_pi4(shape: pi4.Shape, contexts: Sequence[tuple[float, ...]]) -> float | None:
    """Mean over utterances, of every encoding and the steps in the last context."""
    if not contexts:
        return None
    return 1000 * statistics.mean(pi4.utterance(shape, one, _TOKENS, 1.0) for one in contexts)


def _error_rate(summary: Summary) -> float | None:
    return _percent(summary.counts.error_rate)


def _milliseconds(summary: Summary) -> float | None:
    return _scaled(_per_file(summary, summary.processor_time), 1000)


def _per_file(summary: Summary, value: float | None) -> float | None:
    return value / summary.files if value is not None and summary.files else None


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _percent(share: float | None) -> float | None:
    return _scaled(share, 100)
