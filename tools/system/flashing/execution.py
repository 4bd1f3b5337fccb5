"""Carries a plan out: erases, writes, reads back."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from tools.console.progress import progress
from tools.system.disk_image.image_file import Chunk, DamagedImageError, read_ahead
from tools.system.flashing import copying
from tools.system.flashing.data_partition import Fate
from tools.system.flashing.medium import Medium, opened
from tools.system.flashing.plan import Plan


class Stage(enum.StrEnum):
    """How far a flash has come, in words for the one who interrupts it."""

    BEFORE = "nothing was written"
    WRITING = "{} is half written and does not boot: run the same command again"
    COMPARING = "{} is written, but nobody knows how well: run the same command again"
    DONE = "{} is written and was read back"


@dataclass(slots=True)
class Result:
    """What was done, filled in on the way."""

    stage: Stage = Stage.BEFORE
    bytes: int = 0
    write_seconds: float = 0.0
    read_seconds: float = 0.0


def execute(plan: Plan, result: Result) -> None:
    """Do it all.

    Raises:
        ConfigurationError, DamagedImageError, MediumError: the medium must not be used then.
    """
    target = plan.target
    if target.bytes is None:
        target.path.touch()
    with opened(target.path, is_block=target.is_block) as medium:
        room = target.bytes
        if room is None and plan.image_bytes is not None:
            medium.resize(plan.image_bytes)
        if plan.fate is Fate.ERASED and plan.data is not None and medium.bytes > plan.data.start:
            start, end = plan.data.start, medium.bytes
            _transfer("erasing", lambda: copying.zeros(start, end), end - start, medium, result)
        _transfer("writing", plan.chunks, plan.written_bytes, medium, result, room)
    result.stage = Stage.DONE


def _transfer(
    what: str,
    chunks: Callable[[], Iterator[Chunk]],
    total: int | None,
    medium: Medium,
    result: Result,
    room: int | None = None,
) -> None:
    """Write chunks and read them back."""
    result.stage = Stage.WRITING
    begin = time.monotonic()
    try:
        with progress(what, total) as advance, closing(read_ahead(chunks())) as ahead:
            written = copying.write(ahead, medium, room, advance)
    except DamagedImageError as error:
        raise DamagedImageError(
            f"{error}; {medium.path} is half written and does not boot"
        ) from error
    middle = time.monotonic()
    result.stage = Stage.COMPARING
    result.bytes = sum(one.length for one in written)
    with progress("reading back", result.bytes) as advance:
        copying.compare(written, medium, chunks(), advance)
    result.write_seconds, result.read_seconds = middle - begin, time.monotonic() - middle
