"""The links of Ogg files: streams that follow one another, as radio stations and recorders chain them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from rtap.audio.decoding.source import WHOLE_FILE, Part, Region, Source
from rtap.errors import AudioError

_PAGE: Final = 27
"""Bytes of a page's head, without the table of its segments."""
_FIRST: Final = re.compile(
    rb"OggS\0[\x02\x06].{8}(....).{8}\x01.(\x01vorbis|OpusHead|\x7fFLAC)", re.DOTALL
)
"""The first page of a stream of sound: its serial number, and what it holds."""
_LONGEST_FIRST: Final = 36
_SEARCH_SIZE: Final = 1 << 20
_MOST_LINKS: Final = 1_000
"""Each one costs a decoder; an hour of songs has 20."""
_MOST_PAGES: Final = 100_000
"""Of FLAC, whose pages hold 4 kB or more: 400 MB."""
_FLAC_PREFIX: Final = 9
"""Bytes before ``fLaC`` in the first packet."""


def parts(source: Source) -> list[Part]:
    """A part for each link.

    Raises:
        AudioError: it holds no sound of a kind that is read, or too many links.
    """
    links = list(_links(source))
    if not links:
        raise AudioError(
            f"{source.name} is Ogg that is cut off, or without Vorbis, Opus or FLAC: record, export or "
            f"copy it again"
        )
    if len(links) == 1 and links[0][1] != b"\x7fFLAC":
        return [WHOLE_FILE]
    ends = [start for start, _, _ in links[1:]] + [source.size]
    return [
        _flac(source, serial, (start, end))
        if kind == b"\x7fFLAC"
        else Part(regions=((start, end),))
        for (start, kind, serial), end in zip(links, ends, strict=True)
    ]


def _links(source: Source) -> Iterator[tuple[int, bytes, bytes]]:
    """Where each begins, what it holds, and the serial number of its stream."""
    count, behind_last = 0, -1
    for start in range(0, source.size, _SEARCH_SIZE):
        text = source.read(start, _SEARCH_SIZE + _LONGEST_FIRST - 1)
        for match in _FIRST.finditer(text):
            if match.start() >= _SEARCH_SIZE:
                break  # it is found again
            position = start + match.start()
            # First pages that stand side by side are streams of one link, played together.
            if position != behind_last:
                count += 1
                yield position, match[2], match[1]
            behind_last = position + _PAGE + 1 + text[match.start() + _PAGE]
            if count > _MOST_LINKS:
                raise AudioError(f"{source.name} has more than {_MOST_LINKS} parts: split it")


def _flac(source: Source, serial: bytes, link: Region) -> Part:
    """FLAC without its pages, as libsndfile reads it."""
    bodies = list(islice(_bodies(source, serial, link), _MOST_PAGES + 1))
    if len(bodies) > _MOST_PAGES:
        raise AudioError(f"{source.name} has more than {_MOST_PAGES} pages: split it")
    (start, end), *rest = bodies or [link]
    return Part(regions=((start + _FLAC_PREFIX, end), *rest))


def _bodies(source: Source, serial: bytes, link: Region) -> Iterator[Region]:
    """What the pages of one stream hold."""
    position, end = link
    while position < end:
        head = source.read(position, _PAGE + 255)
        if not head.startswith(b"OggS") or len(head) < _PAGE:
            return
        body = position + _PAGE + head[26]
        size = sum(head[_PAGE : _PAGE + head[26]])
        if head[14:18] == serial:
            yield body, min(body + size, end)
        position = body + size
