"""Commands as sound files, with a manifest that says what is meant by each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from tools.model.cabin.synthesis import Request, speak
from tools.model.cabin.voices import Voice
from tools.model.evaluation.data import MANIFEST
from tools.model.speaking.commands import Command

_RATES: Final = (0.85, 1.2)
"""Of a voice's own speed."""

Speak = Callable[[Sequence[Request]], Sequence[NDArray[np.int16]]]


@dataclass(frozen=True, slots=True)
class Task:
    """A command and who says it, how."""

    command: Command
    request: Request


def plan(commands: Sequence[Command], voices: Sequence[Voice], random: Random) -> list[Task]:
    """Give every command a voice, in turn, a speed and a pitch."""
    return [
        Task(
            one,
            Request(one.text, voices[turn % len(voices)], random.uniform(*_RATES), random.random()),
        )
        for turn, one in enumerate(commands)
    ]


def write(
    tasks: Sequence[Task], folder: Path, language: str, seed: int, say: Speak = speak
) -> None:
    """Speak all and write them as WAV of 16 kHz, with the quiet of a room around the speech.

    Args:
        folder: gets ``VOICE-NUMBER.wav`` and the manifest, which replaces one that is there.
        seed: of the quiet.

    Raises:
        ConfigurationError: a synthesiser is missing, or lacks the voice.
        OSError: the folder cannot be written.
    """
    # It needs scipy, which is there only for who speaks.
    from tools.model.cabin.test_sets import in_silence

    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(seed)
    lines = []
    for voice in dict.fromkeys(one.request.voice for one in tasks):
        of_voice = [one for one in tasks if one.request.voice == voice]
        spoken = say([one.request for one in of_voice])
        for number, (one, speech) in enumerate(zip(of_voice, spoken, strict=True)):
            file = f"{voice.speaker}-{number:03d}.wav"
            audio = in_silence(speech.astype(np.float32) / np.float32(32768), chance)
            soundfile.write(folder / file, audio, SAMPLE_RATE, subtype="PCM_16")
            lines.append(_line(one, file, language, folder.resolve().name))
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _line(task: Task, file: str, language: str, group: str) -> dict[str, object]:
    return {
        "audio": file,
        "text": task.command.text,
        "intent": task.command.meaning.intent,
        "slots": dict(task.command.meaning.slots),
        "speaker": task.request.voice.speaker,
        "language": language,
        "set": group,
    }
