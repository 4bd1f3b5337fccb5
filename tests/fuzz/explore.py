"""Searches for faults by what an input reaches: `make fuzz`.

Inputs that reach lines of rtap in an order in which none did before are changed further. What makes a target
fail is written to tests/fuzz/corpus, shortened, where `make test` reads it from then on.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import secrets
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, Final

import rtap
from tests.fuzz.mutations import changed, random_changes
from tests.fuzz.targets import CORPUS, TARGETS, inputs

SOURCES: Final = str(Path(rtap.__file__).parent)
_SHORTENING_SECONDS: Final = 10.0
_LARGEST_KEPT: Final = 4096
"""Bytes: the corpus is part of the sources."""
Edge = tuple[str, int, int]


class Reached:
    """Pairs of lines of rtap that ran one after the other, in all threads that began meanwhile."""

    def __init__(self) -> None:
        self.edges: set[Edge] = set()

    @contextmanager
    def watching(self) -> Iterator[set[Edge]]:
        """Collect what runs in the block."""
        found: set[Edge] = set()

        def enter(frame: FrameType, _event: str, _argument: object) -> Any:
            file = frame.f_code.co_filename
            if not file.startswith(SOURCES):
                return None
            last = frame.f_lineno

            def step(frame: FrameType, _event: str, _argument: object) -> Any:
                nonlocal last
                found.add((file, last, frame.f_lineno))
                last = frame.f_lineno
                return step

            return step

        threading.settrace(enter)
        sys.settrace(enter)
        try:
            yield found
        finally:
            sys.settrace(None)
            threading.settrace(None)


def search(name: str, seconds: float, random: Random, *, keeps: bool) -> int:
    """Search one target; returns how many faults were found.

    Args:
        keeps: whether what reached something new goes into the corpus too.
    """
    target, pool = TARGETS[name], list(inputs(name))
    known: set[Edge] = set()
    faults: dict[str, bytes] = {}
    count, end = 0, time.monotonic() + seconds
    reached = Reached()
    for data in list(pool):
        with reached.watching() as found:
            fault_of(name, data)
        known |= found
    while time.monotonic() < end:
        data = changed(random.choice(pool), random_changes(random, target.words))
        with reached.watching() as found:
            fault = fault_of(name, data)
        count += 1
        if fault and fault not in faults:
            faults[fault] = shortened(name, data, fault)
            report(f"{name}: {fault}: {keep(name, faults[fault])}")
        elif not fault and found - known:
            known |= found
            pool.append(data)
            if keeps and len(data) <= _LARGEST_KEPT:
                keep(name, data)
    report(
        f"{name}: {count} inputs, {len(pool)} kept, {len(known)} steps reached, {len(faults)} faults"
    )
    return len(faults)


def fault_of(name: str, data: bytes) -> str:
    """What the target raises, and where; empty where it is content."""
    try:
        TARGETS[name].read(data)
    except Exception as error:  # noqa: BLE001 (that is what is searched for)
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = (
            ""
            if trace is None
            else f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        )
        return f"{type(error).__name__}{place}"
    return ""


def shortened(name: str, data: bytes, fault: str) -> bytes:
    """A shorter input with the same fault: pieces are left out while there is time."""
    end = time.monotonic() + _SHORTENING_SECONDS
    size = len(data) // 2
    while size:
        for begin in range(0, len(data), size):
            shorter = data[:begin] + data[begin + size :]
            if time.monotonic() > end:
                return data
            if fault_of(name, shorter) == fault:
                data = shorter
                break
        else:
            size //= 2
    return data


def keep(name: str, data: bytes) -> Path:
    """Write an input into the corpus."""
    path = CORPUS / name / hashlib.sha256(data).hexdigest()[:16]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def report(line: str) -> None:
    """Tell who waits."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(argv: Sequence[str]) -> int:
    """Command line; 1 where there was a fault."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=600.0, help="for all targets (default: 600)"
    )
    parser.add_argument(
        "--seed", type=int, default=secrets.randbits(32), help="default: any, printed"
    )
    parser.add_argument(
        "--keep", action="store_true", help="put what reached something new into the corpus too"
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    arguments = parser.parse_args(argv)
    names = arguments.targets or list(TARGETS)
    if unknown := set(names) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}: there are {', '.join(TARGETS)}")
    logging.disable(logging.CRITICAL)
    report(f"seed {arguments.seed}")
    random = Random(arguments.seed)
    seconds = arguments.seconds / len(names)
    faults = sum(search(name, seconds, random, keeps=arguments.keep) for name in names)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
