"""What kind of file some bytes are, by the first of them, and which parts it has.

Only the four kinds of the README are ever given to libsndfile: the others that it knows have had fewer eyes
on them, and nobody sends them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rtap.audio.decoding import flac, mp3, ogg, wav
from rtap.audio.decoding.id3 import after_id3
from rtap.audio.decoding.source import CONVERT, Part, Source
from rtap.errors import AudioError

_ADVICE: Final = f"give WAV, FLAC, OGG or MP3, or {CONVERT}"
_HEAD: Final = 64
_NAMED: Final = (
    (4, b"ftyp", "M4A or MP4"),
    (0, b"\x1aE\xdf\xa3", "WebM or Matroska"),
    (0, b"\xff\xf1", "AAC"),
    (0, b"\xff\xf9", "AAC"),
    (0, b"FORM", "AIFF"),
    (0, b"caff", "CAF"),
    (0, b".snd", "AU"),
    (0, b"#!AMR", "AMR"),
    (0, b"0&\xb2u", "WMA"),
    (8, b"AVI ", "AVI"),
)
"""Kinds that people send and that are not read: where their mark stands, the mark, the name."""


class NotAudioError(AudioError):
    """What was given is something else than audio, or audio of a kind that is not read."""


def parts_of(source: Source) -> list[Part]:
    """What to decode, one after the other.

    Raises:
        NotAudioError: it is none of the kinds that are read.
        AudioError: it is empty, or its header is damaged.
    """
    if not source.size:
        raise AudioError(f"{source.name} is empty (0 bytes): record or copy it again")
    return _reader(source)(source)


def _reader(source: Source) -> Callable[[Source], list[Part]]:
    head = source.read(0, _HEAD)
    if head[:4] in wav.MARKS and head[8:12] == b"WAVE":
        return wav.parts
    if head.startswith(b"OggS"):
        return ogg.parts
    start = after_id3(source)
    sound = source.read(start, _HEAD)
    if sound.startswith(b"fLaC"):
        return flac.parts
    if mp3.is_header(sound):
        return mp3.parts
    for place, mark, kind in _NAMED:
        if head.startswith(mark, place):
            raise NotAudioError(f"{source.name} is {kind}, which is not read: {_ADVICE}")
    raise NotAudioError(f"{source.name} is not audio of a kind that can be read: {_ADVICE}")
