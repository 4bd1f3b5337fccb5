"""What a model is measured on: audio files, what is said in them, and the kinds of place they come from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rtap.errors import ConfigurationError
from rtap.languages import language_code
from tools.model.evaluation.meaning import BrokenMeaning, Meaning, meaning_of, read_meaning

MANIFEST = "manifest.jsonl"
KEYWORDS = "keywords.jsonl"
"""The manifest of a set of which only some of the words are known."""
TRANSCRIPTS = ".trans.txt"
"""How LibriSpeech's transcript files end."""
AUDIO_SUFFIXES = (".flac", ".wav", ".ogg", ".opus", ".mp3")

_EXAMPLE = 'write one object per line, such as {"audio": "a.wav", "text": "turn left"}'


@dataclass(frozen=True, slots=True)
class Utterance:
    """One audio file and what is said in it."""

    audio: Path
    text: str
    """Empty: nobody speaks."""
    group: str
    """Name of the set that it belongs to."""
    speaker: str = ""
    """Empty: not known."""
    noise: str = ""
    """Such as ``clean`` or ``10 dB``; empty: not known."""
    language: str = ""
    """Whisper's code; empty: not known."""
    must_contain: tuple[str, ...] = ()
    """Phrases that are said, where nobody wrote down the rest; the text is empty then."""
    snr: float | None = field(default=None, kw_only=True)
    """Decibels of speech over the noise that is mixed in; None: heard as it is."""
    meant: Meaning | None = field(default=None, kw_only=True)
    """The command; None: nobody wrote down which."""
    cut: tuple[float, float] | None = field(default=None, kw_only=True)
    """Begin and end in seconds, of a piece that is heard alone; None: all of it."""

    @property
    def clip(self) -> str:
        """What it is known by wherever the data lie: set, name of the file, and piece of it."""
        piece = "" if self.cut is None else f" {self.cut[0]:.2f} s to {self.cut[1]:.2f} s"
        return f"{self.group}/{self.audio.name}{piece}"

    @property
    def is_speech(self) -> bool:
        """Whether anything is said at all, fillers included."""
        return bool(self.text or self.must_contain)


class _BrokenLine(Exception):
    """A line of a manifest that cannot be used; the message says how to mend it."""


def load_data(sources: Sequence[Path], limit: int | None = None) -> list[Utterance]:
    """Read transcripts and check that every audio file is there; no audio is opened.

    Args:
        sources: manifests, folders with one, LibriSpeech folders, or folders of audio and text files.
        limit: how many utterances of each set to keep, the first ones; None keeps all.

    Raises:
        ConfigurationError: a source is broken or incomplete, holds nothing, or repeats a file.
    """
    found: list[Utterance] = []
    for source in sources:
        try:
            utterances = _read(source)
        except OSError as error:
            raise ConfigurationError(
                f"{error.filename or source} cannot be read ({error.strerror}): "
                f"check the path and its permissions"
            ) from error
        if not utterances:
            raise ConfigurationError(f"{source} is empty: {_EXAMPLE}")
        found += utterances
    _refuse_repetition(found)
    return found if limit is None else list(_first_of_each_set(found, limit))


def _read(source: Path) -> list[Utterance]:
    if not source.is_dir():
        return _manifest(source)
    if manifests := _manifests(source):
        return [utterance for path in manifests for utterance in _manifest(path)]
    chapters = sorted({path.parent for path in source.rglob(f"*{TRANSCRIPTS}")})
    if chapters:
        return [utterance for chapter in chapters for utterance in _chapter(source, chapter)]
    return _pairs(source)


def _manifests(folder: Path) -> list[Path]:
    """Those of the folder, otherwise those of the folders in it."""
    for place in ("", "*/"):
        found = [path for name in (MANIFEST, KEYWORDS) for path in folder.glob(place + name)]
        if found:
            return sorted(found)
    return []


def _refuse_repetition(utterances: Sequence[Utterance]) -> None:
    counts = Counter(utterance.audio.absolute() for utterance in utterances)
    for audio, count in counts.items():
        if count > 1:
            raise ConfigurationError(
                f"{audio} stands {count} times in the data and would count as often: keep one"
            )


def _first_of_each_set(utterances: Sequence[Utterance], limit: int) -> Iterator[Utterance]:
    seen: Counter[str] = Counter()
    for utterance in utterances:
        seen[utterance.group] += 1
        if seen[utterance.group] <= limit:
            yield utterance


def with_language(utterances: Sequence[Utterance], language: str) -> list[Utterance]:
    """The same, with this language where the data name none."""
    return [replace(one, language=one.language or language) for one in utterances]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path} is not UTF-8 text: save it as UTF-8, or give a manifest or a folder"
        ) from error


def _numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, counted from 1. JSON may hold separators that splitlines() would cut at."""
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            yield number, line


def _manifest(path: Path) -> list[Utterance]:
    place = path.resolve()
    is_folder = place.name in (MANIFEST, KEYWORDS)
    default_group = place.parent.name if is_folder else place.stem
    utterances = []
    for number, line in _numbered_lines(path):
        try:
            utterances.append(_entry(line, path.parent, default_group))
        except _BrokenLine as error:
            raise ConfigurationError(f"{path}, line {number}: {error}") from error
    return utterances


def _entry(line: str, folder: Path, default_group: str) -> Utterance:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:  # its own text would name a second line number
        raise _BrokenLine(f"not JSON ({error.msg}, column {error.colno}): {_EXAMPLE}") from error
    except (ValueError, RecursionError) as error:
        raise _BrokenLine(f"not JSON that can be read ({error}): {_EXAMPLE}") from error
    if not isinstance(entry, dict):
        raise _BrokenLine(f"not a JSON object: {_EXAMPLE}")
    name = _field(entry, "audio") or _field(entry, "audio_filepath")
    if not name:
        raise _BrokenLine(
            'there is no "audio": add the path, which starts at the manifest\'s folder'
        )
    phrases = _phrases(entry)
    text = "" if phrases else entry.get("text")
    if not isinstance(text, str):
        raise _BrokenLine('there is no "text": add what is said, "" where nobody speaks')
    if entry.get("offset"):
        raise _BrokenLine(
            '"offset" asks for a part of a file: cut the part into a file of its own, and leave it out'
        )
    audio = folder / name
    if not audio.is_file():
        raise _BrokenLine(
            f"there is no file {audio}: mend the path, which starts at the manifest's folder"
        )
    return Utterance(
        audio=audio,
        text=_one_line(text),
        group=_one_line(_field(entry, "set")) or default_group,
        speaker=_one_line(_field(entry, "speaker")),
        noise=_one_line(_field(entry, "noise")),
        language=_language(entry),
        must_contain=phrases,
        meant=_meant(entry),
    )


def _meant(entry: dict[str, Any]) -> Meaning | None:
    try:
        return meaning_of(entry)
    except BrokenMeaning as error:
        raise _BrokenLine(str(error)) from error


def _phrases(entry: dict[str, Any]) -> tuple[str, ...]:
    phrases = entry.get("must_contain", [])
    if not isinstance(phrases, list) or not all(isinstance(one, str) for one in phrases):
        raise _BrokenLine('"must_contain" is no list of texts: write ["small", "latte"]')
    return tuple(phrase for one in phrases if (phrase := _one_line(one)))


def _language(entry: dict[str, Any]) -> str:
    name = _field(entry, "language")
    try:
        return language_code(name) if name else ""
    except ConfigurationError as error:
        raise _BrokenLine(str(error)) from error


def _field(entry: dict[str, Any], name: str) -> str:
    """A text, or a number such as a speaker's, as text; empty where it is missing or null."""
    value = entry.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _BrokenLine(f'"{name}" is neither text nor a number: put it in quotation marks')
    return str(value)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _chapter(root: Path, folder: Path) -> list[Utterance]:
    """The utterances of one LibriSpeech folder: ``84-121123-0000 GO DO YOU HEAR``, and 84 is the speaker."""
    audio = _audio_files(folder)
    utterances = []
    for transcript in sorted(folder.glob(f"*{TRANSCRIPTS}")):
        group = _corpus_name(root, transcript)
        for number, line in _numbered_lines(transcript):
            name, *words = line.split()
            if name not in audio:
                raise ConfigurationError(
                    f"{transcript}, line {number}: there is no audio {name} beside it: "
                    f"unpack the archive again, or take the line out"
                )
            speaker = name.partition("-")[0] if "-" in name else ""
            utterances.append(Utterance(audio[name], " ".join(words), group, speaker))
    said = {utterance.audio for utterance in utterances}
    for file in audio.values():
        if file not in said:
            raise ConfigurationError(
                f"{file} stands in no {TRANSCRIPTS} file beside it: add its line, or remove it"
            )
    return utterances


def _corpus_name(root: Path, transcript: Path) -> str:
    """``test-clean``, whichever folder at or above ``test-clean/84/121123/84-121123.trans.txt`` was given."""
    speaker, _, chapter = transcript.name.removesuffix(TRANSCRIPTS).partition("-")
    folder = transcript.resolve().parent
    in_place = (folder.parent.name, folder.name) == (speaker, chapter)
    return folder.parent.parent.name if in_place else root.resolve().name


def _pairs(folder: Path) -> list[Utterance]:
    """Audio files, each with a text file of the same name."""
    audio = _audio_files(folder)
    if not audio:
        raise ConfigurationError(
            f"{folder} has nothing to evaluate: give a manifest, a folder with {MANIFEST}, a "
            f"LibriSpeech folder, or one of audio files each beside a .txt of the same name"
        )
    texts = {file.stem: file for file in sorted(folder.glob("*.txt"))}
    for name, file in (audio | texts).items():
        if name not in texts:
            raise ConfigurationError(
                f"{file} has no transcript: write what is said into {name}.txt beside it, "
                f"nothing where nobody speaks"
            )
        if name not in audio:
            raise ConfigurationError(
                f"{file} has no audio of the same name beside it: add that, or take the text out"
            )
    group = folder.resolve().name
    return [
        Utterance(file, _one_line(_text(texts[name])), group, meant=_meant_beside(file))
        for name, file in audio.items()
    ]


def _meant_beside(audio: Path) -> Meaning | None:
    file = audio.with_suffix(".json")
    return read_meaning(file) if file.is_file() else None


def _audio_files(folder: Path) -> dict[str, Path]:
    """The folder's audio by name without suffix.

    Raises:
        ConfigurationError: two files differ in nothing but the suffix.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() not in AUDIO_SUFFIXES or file.name.startswith("."):
            continue
        if file.stem in found:
            raise ConfigurationError(
                f"{found[file.stem]} and {file.name} share one transcript: remove one of them"
            )
        found[file.stem] = file
    return found
