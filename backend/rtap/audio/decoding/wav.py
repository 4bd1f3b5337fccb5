"""Finds the audio of WAV files by their bytes, whatever their headers count.

A program that writes to a pipe, or that crashes, leaves sizes in the header that are zero, or those of the
first write. What stands behind the counted audio says which: chunks with names, another WAV file, or more
audio.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from rtap.audio.decoding.source import CONVERT, DAMAGED, WHOLE_FILE, Part, Source
from rtap.errors import AudioError

MARKS: Final = (b"RIFF", b"RF64", b"BW64")
_ENCODINGS: Final = {
    1: "PCM",
    2: "MS ADPCM",
    3: "float",
    6: "A-law",
    7: "u-law",
    0x11: "IMA ADPCM",
    0x31: "GSM 6.10",
}
"""Those that are read."""
_EXTENSIBLE: Final = 0xFFFE
_OTHERS: Final = {
    0x40: "G.721",
    0x45: "G.726",
    0x50: "MPEG",
    0x55: "MP3",
    0x64: "G.726",
    0x161: "WMA",
    0xFF: "AAC",
}
_STREAMED_SIZE: Final = 0x7FFF0000
"""Programs that write WAV to a pipe put a size from here on in the header: length not known."""
_MOST_CHUNKS: Final = 10_000
_MOST_FILES: Final = 1_000
_LONGEST_FORMAT: Final = 4_096
_LONGEST_PADDING: Final = 1 << 16
_LARGEST_RIFF: Final = 0xFFFFFFFF
_NOTES: Final = (
    *(b"LIST", b"JUNK", b"junk", b"FLLR", b"PAD ", b"bext", b"iXML", b"_PMX", b"id3 ", b"ID3 "),
    *(b"cue ", b"fact", b"smpl", b"inst", b"acid", b"plst", b"PEAK", b"afsp", b"DISP", b"cart"),
)
"""Chunks that stand behind audio, and are known even where they are cut off."""


@dataclass(frozen=True, slots=True)
class _Audio:
    """What the header of one WAV file says."""

    format: bytes
    """The chunk ``fmt``."""
    start: int
    stated: int
    """Bytes of audio."""

    def seconds(self, size: int) -> float:
        """How long so many bytes last."""
        per_second = int.from_bytes(self.format[8:12], "little")
        return size / per_second if per_second else 0.0


def parts(source: Source) -> list[Part]:
    """A part for each WAV file that stands in this one.

    Raises:
        AudioError: damaged, or in an encoding that is not read.
    """
    found: list[Part] = []
    start: int | None = 0
    while start is not None:
        if len(found) >= _MOST_FILES:
            raise AudioError(f"{source.name} holds more than {_MOST_FILES} WAV files: split it")
        part, start = _part(source, start)
        found.append(part)
    return found


def _part(source: Source, start: int) -> tuple[Part, int | None]:
    """The WAV file at ``start``, and where the next one begins."""
    audio = _audio(source, start)
    available = source.size - audio.start
    is_streamed = audio.stated >= _STREAMED_SIZE
    if audio.stated > available or (not audio.stated and not available):
        if start == 0:
            return WHOLE_FILE, None  # as far as it goes; whoever reads it notices what is missing
        warning = None if is_streamed else _missing(audio, available)
        return _rewritten(audio, source.size, warning), None
    end = audio.start + audio.stated
    next_file = _behind(source, end, audio.stated)
    if next_file is None:
        warning = _miscounted(audio, available)
        return _rewritten(audio, source.size, warning), None
    if start == 0 and next_file == source.size:
        return WHOLE_FILE, None
    return _rewritten(audio, end), None if next_file == source.size else next_file


def _audio(source: Source, start: int) -> _Audio:
    position = start + 12
    format_, large_size = b"", 0
    for _ in range(_MOST_CHUNKS):
        head = source.read(position, 8)
        if len(head) < 8:
            break
        name, size = struct.unpack("<4sI", head)
        position += 8
        if name == b"data":
            if not format_:
                break
            is_large = size == _LARGEST_RIFF and large_size
            return _Audio(format_, position, large_size if is_large else size)
        if name == b"fmt ":
            format_ = _format(source, source.read(position, min(size, _LONGEST_FORMAT)))
        elif name == b"ds64":
            large_size = int.from_bytes(source.read(position + 8, 8), "little")
        position += size + size % 2
    raise AudioError(DAMAGED.format(name=source.name))


def _format(source: Source, chunk: bytes) -> bytes:
    if len(chunk) < 16:
        raise AudioError(DAMAGED.format(name=source.name))
    tag = int.from_bytes(chunk[:2], "little")
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = int.from_bytes(chunk[24:26], "little")
    if tag not in _ENCODINGS:
        encoding = _OTHERS.get(tag, f"encoding {tag:#06x}")
        raise AudioError(f"{source.name} is WAV with {encoding}, which is not read: {CONVERT}")
    return chunk


def _behind(source: Source, end: int, stated: int) -> int | None:
    """Where the next WAV file begins behind the counted audio, the end of the file, or None: more audio."""
    for position in (end + stated % 2, end):  # not all programs pad to an even length
        found = _walk(source, position)
        if found is not None:
            return found
    rest = source.size - end
    if stated and rest <= _LONGEST_PADDING and not source.read(end, rest).strip(b"\0"):
        return source.size
    return None


def _walk(source: Source, position: int) -> int | None:
    for _ in range(_MOST_CHUNKS):
        head = source.read(position, 12)
        if not head:
            return source.size
        if head[:4] in MARKS and head[8:] == b"WAVE":
            return position
        size = int.from_bytes(head[4:8], "little")
        if not _is_name(head[:4]) or len(head) < 8:
            return None
        position += 8 + size + size % 2
        if position > source.size + 1:
            return source.size if head[:4] in _NOTES else None
    return source.size


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)


def _rewritten(audio: _Audio, end: int, warning: str | None = None) -> Part:
    """The audio up to ``end`` under a header that counts it."""
    size = min(end - audio.start, _LARGEST_RIFF - (1 << 16))
    head = struct.pack("<4sI", b"fmt ", len(audio.format)) + audio.format
    head += b"\0" * (len(audio.format) % 2) + struct.pack("<4sI", b"data", size)
    riff = struct.pack("<4sI4s", b"RIFF", 4 + len(head) + size, b"WAVE")
    return Part(riff + head, ((audio.start, audio.start + size),), warning)


def _missing(audio: _Audio, available: int) -> str:
    return f"breaks off after {audio.seconds(available):.1f} s: the rest is missing, copy or record it again"


def _miscounted(audio: _Audio, available: int) -> str:
    return (
        f"has {audio.seconds(available):.1f} s of audio where its header counts "
        f"{audio.seconds(audio.stated):.1f} s: all of it is read, check that nothing is missing at its end"
    )
