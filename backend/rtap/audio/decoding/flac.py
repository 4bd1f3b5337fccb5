"""FLAC files that follow one another in one, as they do after ``cat a.flac b.flac``."""

from __future__ import annotations

import re
from typing import Final

from rtap.audio.decoding.source import WHOLE_FILE, Part, Source
from rtap.errors import AudioError

_FIRST: Final = re.compile(rb"fLaC[\0\x80]\0\0\x22", re.DOTALL)
"""The mark, and the head of the block that comes first: no eight bytes of sound are like it by chance."""
_MARK: Final = 8
_SEARCH_SIZE: Final = 1 << 20
_MOST_FILES: Final = 1_000


def parts(source: Source) -> list[Part]:
    """A part for each file.

    Raises:
        AudioError: there are too many.
    """
    starts: list[int] = []
    for start in range(0, source.size, _SEARCH_SIZE):
        text = source.read(start, _SEARCH_SIZE + _MARK - 1)
        starts += [start + match.start() for match in _FIRST.finditer(text)]
        if len(starts) > _MOST_FILES:
            raise AudioError(f"{source.name} holds more than {_MOST_FILES} FLAC files: split it")
    if len(starts) < 2:
        return [WHOLE_FILE]
    ends = [*starts[1:], source.size]
    return [Part(regions=(region,)) for region in zip(starts, ends, strict=True)]
