"""What was measured of all engines, as tables, and held against the goals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from tools.benchmarks.asr import pi4
from tools.benchmarks.asr.adapters import ENGINES
from tools.benchmarks.asr.measure import SHORT, Measured
from tools.benchmarks.asr.rounds import Case, Readings
from tools.benchmarks.result import Figure, Result, Table

OURS: Final = "rtap"
AS_USED: Final = "faster-whisper"
"""What most people run."""
TO_BEAT: Final = "ctranslate2-short"
"""The fastest that was known: CTranslate2 on features that end where the audio does."""
MOST_MB: Final = 135.0
WHAT: Final = """\
Identical random weights with a forced number of tokens, 4.3 a second as in English speech; identical audio;
one process for each engine, all of them in memory and one at a time at work, a different one first in every
round. Processor time, all threads together, from samples to tokens: what else the machine does lengthens it
least. Starts are of processes that begin from nothing, one at a time."""
_MB: Final = 1e6
_WEIGHT_BYTES: Final = {"int8": 1.0, "fp32": 4.0}
_LONGEST: Final = 30.0


def results(
    measured: Measured, shape: pi4.Shape, contexts: Callable[[float], float]
) -> list[Result]:
    """One for each number of threads, and the estimate for a Raspberry Pi 4.

    Args:
        contexts: seconds that our engine encodes for so many seconds of audio.
    """
    notes = [f"Not measured: {name}: {reason}." for name, reason in measured.left_out.items()]
    found = [
        _of_threads(threads, readings, measured.disk, notes)
        for threads, readings in measured.readings.items()
    ]
    return [*found, estimate(shape, contexts)]


def _of_threads(
    threads: int, readings: Mapping[str, Readings], disk: Mapping[str, int], notes: Sequence[str]
) -> Result:
    cases = sorted({case for one in readings.values() for case in one.runs if _is_usual(case)})
    header = ["engine", *(f"{case.seconds:g} s" for case in cases)]
    tables = [
        Table(
            "Processor time in ms, median",
            header,
            _rows(readings, cases, lambda one, case: _ms(one.cpu(case))),
        ),
        Table(
            "Wall time in ms, median",
            header,
            _rows(readings, cases, lambda one, case: _ms(one.wall(case))),
        ),
        Table(
            "Spread of the processor time in %, median distance from the median",
            header,
            _rows(readings, cases, lambda one, case: _percent(one.spread(case))),
        ),
        _other(readings, disk),
    ]
    said = [f"{name}: {one.failure}." for name, one in readings.items() if one.failure]
    versions = [f"{name} ({one.version}): {ENGINES[name].title}" for name, one in readings.items()]
    return Result(
        f"asr-{threads}",
        f"{WHAT} {threads} thread{'s' * (threads > 1)}.",
        _goals(readings, cases),
        [*versions, *notes, *said],
        tables=tables,
    )


def _other(readings: Mapping[str, Readings], disk: Mapping[str, int]) -> Table:
    header = ["engine", "ms/token", "load ms", "cold start ms", "MB, 3 s", "MB, 30 s", "MB on disk"]
    rows = []
    for name, one in readings.items():
        values = [
            _ms(one.per_token(SHORT)),
            _ms(one.start(lambda start: start.load_seconds)),
            _ms(one.start(lambda start: start.seconds)),
            _scaled(one.start(lambda start: start.peak_short), 1 / _MB),
            _scaled(one.start(lambda start: start.peak_long), 1 / _MB),
            disk[name] / _MB,
        ]
        rows.append((name, values))
    return Table("Everything else", header, rows)


def _goals(readings: Mapping[str, Readings], cases: Sequence[Case]) -> list[Figure]:
    ours = readings.get(OURS)
    if ours is None:
        return []
    peers = {name: one for name, one in readings.items() if not name.startswith(OURS)}
    alike = {name: one for name, one in peers.items() if ENGINES[name].precision != "fp32"}
    long = max(cases)

    def times(name: str, least: float, case: Case) -> Figure:
        other = peers[name].cpu(case) if name in peers else None
        return _ratio(f"{name} over ours, {case.seconds:g} s", other, ours.cpu(case), least)

    def fastest(what: str, value: Callable[[Readings], float | None], least: float) -> Figure:
        return _ratio(what, _least(map(value, peers.values())), value(ours), least)

    def lightest(what: str, value: Callable[[Readings], float | None]) -> Figure:
        return _ratio(what, _least(map(value, alike.values())), value(ours), 1.0)

    memory = _scaled(ours.start(lambda start: start.peak_short), 1 / _MB)
    return [
        times(AS_USED, 10.0, SHORT),
        times(TO_BEAT, 1.3, SHORT),
        fastest(f"fastest peer over ours, {long.seconds:g} s", lambda one: one.cpu(long), 1.1),
        fastest("fastest peer over ours, a token", lambda one: one.per_token(SHORT), 1.0),
        lightest(
            "smallest peer's memory over ours, 3 s", lambda one: one.start(lambda s: s.peak_short)
        ),
        Figure("our memory, 3 s", memory, "MB", f"< {MOST_MB:g} MB", _is_below(memory, MOST_MB)),
        lightest(
            "quickest peer's cold start over ours", lambda one: one.start(lambda s: s.seconds)
        ),
        _growth(ours, cases),
    ]


def _growth(ours: Readings, cases: Sequence[Case]) -> Figure:
    first, last = min(cases), max(cases)
    few, many = ours.cpu(first), ours.cpu(last)
    # Tokens are whole: the shortest audio has fewer than its share of them.
    limit = last.tokens / first.tokens
    value = many / few if few and many else None
    name = f"our cost of {last.seconds:g} s over that of {first.seconds:g} s"
    return Figure(name, value, "", f"<= {limit:g}", None if value is None else value <= limit)


def estimate(shape: pi4.Shape, contexts: Callable[[float], float]) -> Result:
    """What a Raspberry Pi 4 could do at best."""
    rows = []
    for precision, bytes_per_weight in _WEIGHT_BYTES.items():
        for name, context in (("audio's length", contexts), ("padded to 30 s", lambda _: _LONGEST)):
            values: list[float | None] = []
            for seconds in (1.0, 3.0, 5.0, 10.0, _LONGEST):
                case = Case.of(seconds)
                took = pi4.utterance(shape, context(seconds), case.tokens, bytes_per_weight)
                values.append(1000 * took)
            rows.append((f"{precision}, {name}", values))
    command = rows[0][1][1]
    header = ["model and context", "1 s", "3 s", "5 s", "10 s", "30 s"]
    return Result(
        "raspberry-pi-4",
        "**An estimate, no measurement**: what the model has to compute and to read, against the ceilings of "
        f"four Cortex-A72 at {pi4.FREQUENCY / 1e9:g} GHz, {pi4.FLOPS_PER_CYCLE} fp32 FLOP a cycle and core, "
        f"and {pi4.BYTES_PER_SECOND / 1e9:g} GB/s. Real code is slower; the ratios hold.",
        [
            Figure(
                "int8, command of 3 s",
                command,
                "ms",
                "< 500 ms",
                command is not None and command < 500,
            )
        ],
        tables=[Table("Milliseconds at the ceilings", header, rows)],
    )


def _is_usual(case: Case) -> bool:
    return case == Case.of(case.seconds)


def _rows(
    readings: Mapping[str, Readings],
    cases: Sequence[Case],
    value: Callable[[Readings, Case], float | None],
) -> list[tuple[str, list[float | None]]]:
    return [(name, [value(one, case) for case in cases]) for name, one in readings.items()]


def _ratio(name: str, theirs: float | None, ours: float | None, least: float) -> Figure:
    value = theirs / ours if theirs is not None and ours else None
    return Figure(
        name, value, "times", f">= {least:g} times", None if value is None else value >= least
    )


def _least(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return min(known) if known else None


def _is_below(value: float | None, limit: float) -> bool | None:
    return None if value is None else value < limit


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _ms(seconds: float | None) -> float | None:
    return _scaled(seconds, 1000)


def _percent(share: float | None) -> float | None:
    return _scaled(share, 100)
