"""Counts the frames of MP3 files, since those of unsteady bit rate say how many there are only if they can.

Programs that write to a pipe cannot go back and fill in the count. libsndfile then works it out from the size
of the first frame, and reads no further.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rtap.audio.decoding.id3 import after_id3
from rtap.audio.decoding.source import DAMAGED, WHOLE_FILE, DearAudioError, Part, Region, Source
from rtap.errors import AudioError

_KILOBITS: Final = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
_RATES: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""By MPEG version: 3 is 1, 2 is 2, 0 is 2.5."""
_SYNC: Final = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef]", re.DOTALL)
"""How a header begins."""
_READ_SIZE: Final = 1 << 16
"""Bytes at a time. Python's lock is free while they are read, so that live sound waits for 2 ms at most."""
_MARGIN: Final = 2_048
"""More than the longest frame and the header behind it."""
_MOST_FAILURES: Final = 20_000
"""Places that look like a frame and are none: sound has a few, made-up files have millions."""
_HEADER: Final = 4
_ROOMY: Final = 9
"""Index of a bit rate whose frames have room for a count at any rate."""
_MOST_GROUPS: Final = 1_000
_SAMPLES: Final = {3: 1152, 2: 576, 0: 576}


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a header of four bytes says."""

    header: bytes
    kind: tuple[int, int, bool]
    """MPEG version, index of the rate, whether it is mono: where these change, another stream begins."""
    size: int
    """Bytes, header included."""

    @property
    def rate(self) -> int:
        """Hz."""
        version, index, _ = self.kind
        return _RATES[version][index]

    @property
    def side_size(self) -> int:
        """Bytes between the header and what it counts."""
        version, _, is_mono = self.kind
        if version == 3:
            return 17 if is_mono else 32
        return 9 if is_mono else 17


@dataclass(slots=True)
class _Group:
    """Frames of one kind."""

    first: _Frame
    regions: list[Region]
    count: int = 0


def is_header(head: bytes) -> bool:
    """Whether a frame begins like this."""
    return _frame(head[:_HEADER]) is not None


def _begins_at(text: bytes, place: int) -> bool:
    return _frame(text[place : place + _HEADER]) is not None


def parts(source: Source) -> list[Part]:
    """The file as it is where its own count is right, else its frames under one that is.

    Raises:
        AudioError: there is no whole frame.
        DearAudioError: there are too many.
    """
    start = after_id3(source)
    groups = _groups(source, start)
    if not groups:
        raise AudioError(DAMAGED.format(name=source.name))
    if len(groups) == 1 and _counts(source, start) >= groups[0].count:
        return [WHOLE_FILE]
    return [_counted(group) for group in groups]


@lru_cache(1024)
def _frame(header: bytes) -> _Frame | None:
    if len(header) < _HEADER or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version = header[1] >> 3 & 3
    rate_index, mode = header[2] >> 2 & 3, header[3] >> 6
    if version == 1 or rate_index == 3:
        return None
    kilobits = _KILOBITS[3 if version == 3 else 2][header[2] >> 4]
    if not kilobits:
        return None
    size = _SAMPLES[version] * 125 * kilobits // _RATES[version][rate_index] + (header[2] >> 1 & 1)
    return _Frame(header, (version, rate_index, mode == 3), size)


def _groups(source: Source, start: int) -> list[_Group]:
    groups: list[_Group] = []
    most = None if source.most_values is None else source.most_values // min(_SAMPLES.values())
    for number, (position, frame) in enumerate(_frames(source, start)):
        if most is not None and number >= most:
            raise DearAudioError(source.name, frame.rate, 1 if frame.kind[2] else 2)
        if not groups or groups[-1].first.kind != frame.kind:
            if len(groups) >= _MOST_GROUPS:
                raise AudioError(
                    f"{source.name} changes its kind of MP3 too often: export it again"
                )
            groups.append(_Group(frame, []))
        group, end = groups[-1], position + frame.size
        group.count += 1
        if group.regions and group.regions[-1][1] == position:
            group.regions[-1] = (group.regions[-1][0], end)
        else:
            group.regions.append((position, end))
    return groups


def _frames(source: Source, start: int) -> Iterator[tuple[int, _Frame]]:
    """Each whole frame, and where it stands."""
    position, text_start, text = start, start, b""
    failures, in_step = 0, True
    while position + _HEADER <= source.size:
        if position + _MARGIN > text_start + len(text) < source.size:
            text_start, text = position, source.read(position, _READ_SIZE)
        at = position - text_start
        frame = _frame(text[at : at + _HEADER])
        is_whole = frame is not None and position + frame.size <= source.size
        # Where frames do not follow one another, only a second one makes bytes a frame.
        if frame is not None and is_whole and (in_step or _begins_at(text, at + frame.size)):
            yield position, frame
            position += frame.size
            in_step = True
            continue
        failures, in_step = failures + 1, False
        if failures > _MOST_FAILURES:
            raise AudioError(DAMAGED.format(name=source.name))
        match = _SYNC.search(text, at + 1)
        position = text_start + (match.start() if match else len(text))


def _counts(source: Source, start: int) -> int:
    """How many frames the file says that it has, those that only count included; 0: it does not."""
    frame = _frame(source.read(start, _HEADER))
    if frame is None:
        return 0
    tag = source.read(start + _HEADER + frame.side_size, 12)
    if tag[:4] not in (b"Xing", b"Info") or not tag[7] & 1:
        return 0
    return int.from_bytes(tag[8:12], "big") + 1


def _counted(group: _Group) -> Part:
    """The frames behind one without sound that says how many they are."""
    header = bytearray(group.first.header)
    header[1] |= 1  # no checksum
    header[2] = _ROOMY << 4 | header[2] & 0x0C
    frame = _frame(bytes(header))
    assert frame is not None
    tag = b"Info" + struct.pack(">II", 1, group.count)
    prefix = bytes(header) + bytes(frame.side_size) + tag
    return Part(prefix.ljust(frame.size, b"\0"), tuple(group.regions))
