"""Recordings of people and of things in Debian packages, for testing only: nothing is trained on them."""

from __future__ import annotations

import gzip
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError
from tools.model.cabin.kokoro import INSTALL
from tools.model.cabin.noise import Samples
from tools.process.run import complaint

PEOPLE: Final = (
    "asterisk-core-sounds-en",
    "asterisk-core-sounds-en-g722",
    "alsa-utils",
    "sound-theme-freedesktop",
    "pocketsphinx-testdata",
)
"""CC-BY-SA-3.0 (prompts of the Asterisk telephone exchange, one woman), GPL-2 and CC-BY-SA (names of
loudspeakers), BSD (two men)."""
THINGS: Final = ("asterisk-moh-opsound-wav", "sound-theme-freedesktop", "sound-icons", "alsa-utils")
"""Music CC-BY-SA-3.0, sounds of desktops CC-BY-SA and GPL-2."""

_PIECE: Final = 3 * SAMPLE_RATE
_PIECES_OF_MUSIC: Final = 12
_WIDEBAND: Final = "usr/share/asterisk/sounds/en_US_f_Allison"


@dataclass(frozen=True, slots=True)
class Recording:
    """Something that was recorded.

    Args:
        audio: 16 kHz mono, within -1 to 1.
        text: what a person says in it, empty where nobody speaks.
        speaker: the package, since each is the work of one person.
    """

    audio: Samples
    text: str
    speaker: str


def unpack(packages: tuple[str, ...], directory: Path) -> dict[str, Path]:
    """Download packages and unpack them, without installing anything.

    Raises:
        ConfigurationError: apt or dpkg is missing, or has no such package.
    """
    places = {}
    for package in packages:
        place = directory / package
        places[package] = place
        if (place / "usr").exists():
            continue
        place.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "download", package], place)
        for archive in place.glob("*.deb"):
            _run(["dpkg-deb", "--extract", str(archive), str(place)], place)
    return places


def people(vocabulary: set[str], directory: Path) -> Iterator[Recording]:
    """Everything that people say within a vocabulary, with its transcript."""
    places = unpack(PEOPLE, directory)
    for recording in _all_people(places):
        if recording.text and vocabulary.issuperset(recording.text.split()):
            yield recording


def things(directory: Path) -> Iterator[Recording]:
    """Pieces of at most 3 s of music, noise and signals, without anybody speaking."""
    places = unpack(THINGS, directory)
    for package, place in places.items():
        files = sorted(file for kind in ("wav", "oga", "ogg") for file in place.rglob(f"*.{kind}"))
        for file in files:
            if not _has_words(package, file):
                for piece in _pieces(read(file)):
                    yield Recording(piece, "", package)


def read(file: Path) -> Samples:
    """A sound file as 16 kHz mono."""
    audio, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(audio.mean(axis=1), rate, SAMPLE_RATE), dtype=np.float32)


def _all_people(places: dict[str, Path]) -> Iterator[Recording]:
    listing = places[PEOPLE[0]] / "usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz"
    lines = gzip.decompress(listing.read_bytes()).decode("utf-8", "replace").splitlines()
    for line in lines:
        name, colon, text = line.partition(":")
        file = places[PEOPLE[1]] / _WIDEBAND / f"{name.strip()}.g722"
        if colon and not line.startswith(";") and file.exists():
            yield Recording(_g722(file), _words(text), "asterisk-allison")
    for file in sorted((places["alsa-utils"] / "usr/share/sounds/alsa").glob("*_*.wav")):
        yield Recording(read(file), _words(file.stem.replace("_", " ")), "alsa")
    theme = places["sound-theme-freedesktop"] / "usr/share/sounds/freedesktop/stereo"
    for file in sorted(theme.glob("audio-channel-*.oga")):
        name = file.stem.removeprefix("audio-channel-").replace("-", " ")
        yield Recording(read(file), _words(name), "freedesktop")
    data = places["pocketsphinx-testdata"] / "usr/share/pocketsphinx/test/data"
    for raw, text in (
        ("goforward.raw", "go forward ten meters"),
        ("tidigits/dhd.2934z.raw", "two nine three four zero"),
    ):
        audio = np.fromfile(data / raw, dtype="<i2").astype(np.float32) / np.float32(32768)
        yield Recording(audio, text, "pocketsphinx")


def _words(text: str) -> str:
    """Lower case without remarks in brackets and punctuation."""
    plain = re.sub(r"\[[^]]*\]|\([^)]*\)|<[^>]*>", " ", text.lower())
    return " ".join(re.sub(r"[^a-z' ]", " ", plain).split())


def _g722(file: Path) -> Samples:
    """G.722 at 64 kbit/s, telephony's wideband codec: 16 kHz mono."""
    try:
        import av
    except ImportError as error:
        raise ConfigurationError(f"PyAV, which decodes G.722, is missing: {INSTALL}") from error
    with av.open(str(file), format="g722") as container:
        parts = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
    return np.concatenate(parts).astype(np.float32) / np.float32(32768)


def _has_words(package: str, file: Path) -> bool:
    """Whether somebody speaks in it: alsa's channel names, and what audio tests play."""
    return (package == "alsa-utils" and "_" in file.stem) or file.stem.startswith("audio-channel")


def _pieces(audio: Samples) -> Iterator[Samples]:
    count = max(min(audio.size // _PIECE, _PIECES_OF_MUSIC), 1)
    for begin in np.linspace(0, max(audio.size - _PIECE, 0), count).astype(int):
        yield audio[begin : begin + _PIECE]


def _run(command: list[str], place: Path) -> None:
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{command[0]} is missing: run this on Debian or Ubuntu"
        ) from error
    if done.returncode:
        raise ConfigurationError(
            f"{' '.join(command)} failed: {complaint(done.stderr)} (run apt-get update)"
        )
