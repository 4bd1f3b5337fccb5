"""The speech that a checkpoint is adapted on: short pieces of audio, with or without their texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtap.audio.file import AudioFile
from rtap.audio.format import SAMPLE_RATE
from rtap.audio.native_stderr import decoder_notes_hidden
from rtap.errors import AudioError, ConfigurationError
from tools.model.evaluation.data import AUDIO_SUFFIXES, KEYWORDS, MANIFEST, TRANSCRIPTS, load_data

_FULL_SCALE = 32768


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One piece of audio."""

    audio: NDArray[np.int16]
    """16 kHz mono; half the memory of floats."""
    text: str | None
    """What is said, empty where nobody speaks; None: not known."""
    language: str = ""
    """Whisper's code; empty: that of the adaptation."""

    @property
    def samples(self) -> NDArray[np.float32]:
        """The audio from -1 to 1."""
        return self.audio.astype(np.float32) / np.float32(_FULL_SCALE)


def load_clips(
    sources: Sequence[Path], longest: float, limit: int | None, warn: Callable[[str], None]
) -> list[Clip]:
    """Read audio and, where they are known, texts.

    Args:
        sources: what tools/evaluate takes, or folders in which some or all audio files have no text.
        longest: clips of this many seconds or more are left out; so are files that cannot be decoded.
        limit: how many files to take, drawn evenly from all; None takes all.
        warn: told what was left out.

    Raises:
        ConfigurationError: the source is broken, or too few clips are left.
    """
    files = [file for source in sources for file in _files(source)]
    if limit is not None and limit < len(files):
        files = [files[index * len(files) // limit] for index in range(limit)]
    clips: list[Clip] = []
    too_long = 0
    for path, text, language in files:
        try:
            audio = _read(path, longest)
        except AudioError as error:
            warn(str(error))
            continue
        if audio is None:
            too_long += 1
        else:
            clips.append(Clip(audio, text, language))
    if too_long:
        warn(
            f"{too_long} files of {longest:g} s or more are left out: they are heard whole as it is"
        )
    if len(clips) < 2:
        raise ConfigurationError(
            f"{sources[0]} has {len(clips)} usable audio files shorter than {longest:g} s, and two are the "
            f"least, one to learn from and one to judge by: give some hundred"
        )
    return clips


def _files(source: Path) -> Sequence[tuple[Path, str | None, str]]:
    """Audio, text and language."""
    is_plain = source.is_dir() and not any(
        next(source.glob(pattern), None)
        for pattern in (
            *(place + name for place in ("", "*/") for name in (MANIFEST, KEYWORDS)),
            f"**/*{TRANSCRIPTS}",
        )
    )
    if not is_plain:
        return [
            (one.audio, None if one.must_contain else one.text, one.language)
            for one in load_data([source])
        ]
    audio = [file for file in sorted(source.iterdir()) if file.suffix.lower() in AUDIO_SUFFIXES]
    if not audio:
        raise ConfigurationError(
            f"{source} holds no audio ({', '.join(AUDIO_SUFFIXES)}): "
            f"give a folder of audio files, or data as tools/evaluate takes it"
        )
    return [(file, _text_beside(file), "") for file in audio]


def _text_beside(audio: Path) -> str | None:
    file = audio.with_suffix(".txt")
    try:
        return " ".join(file.read_text(encoding="utf-8-sig").split())
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read ({error}): save it as UTF-8") from error


def _read(path: Path, longest: float) -> NDArray[np.int16] | None:
    """The samples; None where there are too many or none."""
    with decoder_notes_hidden(), AudioFile.open(path, str(path), lambda _: None) as file:
        blocks: list[NDArray[np.float32]] = []
        for block in file.blocks():
            blocks.append(block)
            if sum(one.size for one in blocks) >= longest * SAMPLE_RATE:
                return None
    if not blocks:
        raise AudioError(f"{path} holds no samples: remove it")
    audio = np.concatenate(blocks) * _FULL_SCALE
    return np.clip(np.rint(audio), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
