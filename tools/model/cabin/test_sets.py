"""The sets that the model is judged on: WAV files and manifests, made again from the seed at any time."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from tools.model.cabin import noise, recordings, voices
from tools.model.cabin.augment import Cabin
from tools.model.cabin.grammar import Grammar
from tools.model.cabin.noise import Samples
from tools.model.cabin.sentences import Line, Split, held_out_texts
from tools.model.cabin.speech_corpus import Spoken, Utterance, drawn, load, make
from tools.model.cabin.voices import Role, Voice

_SENTENCES: Final = 300
_NEVER_USED: Final = 240
_CLIPS: Final = 300
_NOISE_LEVELS: Final = (20, 10, 5, 0)
_SILENCE: Final = (0.3, 0.4)
"""Seconds before and after the speech."""
_HISS: Final = 10 ** (-60 / 20)


@dataclass(frozen=True, slots=True)
class Clip:
    """One file of a set."""

    audio: Samples
    text: str
    speaker: str
    noise: str = "clean"


def make_test_sets(
    grammar: Grammar, work: Path, seed: int, workers: int, report: Callable[[str], None]
) -> list[Path]:
    """Write all sets below ``work/tests`` and return their folders.

    Raises:
        ConfigurationError: a synthesiser or a package with recordings is not to be had.
    """
    speech = work / "test-speech"
    for name, plan in _plans(grammar, seed).items():
        make(plan, speech / name, workers, report)
    rng = np.random.default_rng(seed)
    spoken = {name: load(speech / name) for name in ("sentences", "voices", "never-used")}
    tests = work / "tests"
    for name, utterances in spoken.items():
        _write(tests / name, (_clip(one, rng) for one in utterances))
    for decibels in _NOISE_LEVELS:
        _write(
            tests / f"noise-{decibels}-db",
            (_noisy(_clip(one, rng), decibels, rng) for one in spoken["sentences"]),
        )
    babble = [one.audio for one in spoken["voices"]]
    _write(tests / "no-speech", _without_speech(babble, rng))
    archive = work / "packages"
    _write(tests / "no-speech-recorded", map(_recorded, recordings.things(archive)))
    people = recordings.people(set(grammar.vocabulary), archive)
    _write(tests / "people", map(_recorded, people))
    return sorted(manifest.parent for manifest in tests.glob("*/manifest.jsonl"))


def _plans(grammar: Grammar, seed: int) -> dict[str, list[Spoken]]:
    rng = random.Random(seed)

    def plan(count: int, groups: list[list[Voice]]) -> list[Spoken]:
        """Held-out sentences, the same number for each group of voices."""
        lines = [Line(text, text) for text in held_out_texts(grammar, rng, Split.TEST, count)]
        part = -(-count // len(groups))
        return [
            item
            for index, group in enumerate(groups)
            for item in drawn(lines[index * part : (index + 1) * part], group, rng)
        ]

    seen = [voices.with_role(Role.SEEN, neural=neural) for neural in (False, True)]
    return {
        "sentences": plan(_SENTENCES, seen),
        "voices": plan(_SENTENCES, _by_synthesiser(Role.UNSEEN_VOICE)),
        "never-used": plan(_NEVER_USED, _by_synthesiser(Role.NEVER_USED)),
    }


def _by_synthesiser(role: Role) -> list[list[Voice]]:
    groups: dict[str, list[Voice]] = {}
    for voice in voices.with_role(role):
        groups.setdefault(voice.synthesiser, []).append(voice)
    return list(groups.values())


def _clip(utterance: Utterance, rng: np.random.Generator) -> Clip:
    speech = utterance.audio.astype(np.float32) / np.float32(32768)
    return Clip(in_silence(speech, rng), utterance.text, utterance.speaker)


def in_silence(speech: Samples, rng: np.random.Generator) -> Samples:
    """Clean speech with a quiet moment around it, in a microphone's faint hiss."""
    before, after = (np.zeros(int(seconds * SAMPLE_RATE), np.float32) for seconds in _SILENCE)
    audio = np.concatenate([before, speech, after])
    hiss = rng.standard_normal(audio.size, dtype=np.float32) * np.float32(_HISS * 0.1)
    quiet: Samples = audio + hiss
    return quiet


def _noisy(clip: Clip, decibels: int, rng: np.random.Generator) -> Clip:
    """In a moving car; the level of the speech is taken where somebody speaks."""
    begin, end = (int(seconds * SAMPLE_RATE) for seconds in _SILENCE)
    loudness = float(np.sqrt(np.mean(np.square(clip.audio[begin:-end]))))
    surroundings = noise.cabin(rng, clip.audio.size)
    audio = clip.audio + surroundings * np.float32(loudness * 10 ** (-decibels / 20))
    return Clip(_in_range(audio), clip.text, clip.speaker, f"{decibels} dB")


def _without_speech(
    babble: Sequence[NDArray[np.int16]], rng: np.random.Generator
) -> Iterator[Clip]:
    """Noise of every kind, by itself and mixed, none of it cut from what the model was trained on."""
    kinds = [*noise.GENERATORS, "cabin", "babble", "silence"]
    mixer = Cabin(noise.bank(rng, 10.0, 2, babble))
    for index in range(_CLIPS):
        size = int(rng.uniform(1.0, 6.0) * SAMPLE_RATE)
        kind = kinds[index % len(kinds)]
        if kind == "silence":
            audio = np.zeros(size, np.float32) if index % 2 else mixer.without_speech(size, rng)
        elif kind == "babble":
            audio = noise.babble(rng, size, babble)
        elif kind == "cabin":
            audio = noise.cabin(rng, size)
        else:
            audio = noise.GENERATORS[kind](rng, size)
        level = 10 ** (rng.uniform(-30, -3) / 20) / max(float(np.abs(audio).max()), 1e-9)
        yield Clip(audio * np.float32(level), "", kind, kind)


def _recorded(recording: recordings.Recording) -> Clip:
    silence = np.zeros(int(_SILENCE[0] * SAMPLE_RATE), np.float32)
    audio = np.concatenate([silence, recording.audio, silence])
    return Clip(_in_range(audio), recording.text, recording.speaker, "as recorded")


def _in_range(audio: Samples) -> Samples:
    return audio * np.float32(min(1.0, 0.99 / max(float(np.abs(audio).max()), 1e-9)))


def _write(directory: Path, clips: Iterable[Clip]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    lines = []
    for index, clip in enumerate(clips):
        file = f"{index:04d}.wav"
        soundfile.write(directory / file, clip.audio, SAMPLE_RATE, subtype="PCM_16")
        line = {"audio": file, "text": clip.text, "speaker": clip.speaker, "noise": clip.noise}
        lines.append(json.dumps({**line, "set": directory.name}) + "\n")
    (directory / "manifest.jsonl").write_text("".join(lines), encoding="utf-8")
