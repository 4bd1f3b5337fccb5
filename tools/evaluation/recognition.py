"""What the engine hears in audio files: as ``rtap transcribe`` does it unless told otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tqdm import tqdm

from rtap.audio_file import AudioFile
from rtap.errors import AudioError
from rtap.terminal import decoder_notes_hidden
from rtap.whisper.model_directory import ModelDirectory
from tools.evaluation.data import Utterance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rtap.commands.transcribe import Engine
    from rtap.whisper.transcribe import TranscribeOptions

    Block = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came out for one utterance."""

    utterance: Utterance
    text: str
    """On one line; empty when nothing was heard."""
    seconds: float
    """Length of the audio."""
    inference_time: float
    """Seconds in the model: features, encoder, decoder."""
    warnings: tuple[str, ...] = ()
    """What is wrong with a file that was used all the same."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An utterance whose audio could not be decoded."""

    utterance: Utterance
    reason: str


def load_engine(directory: ModelDirectory, threads: int) -> Engine:
    """The model with the voice activity detector before it, as on the device.

    Raises:
        ModelError: the model is damaged.
    """
    from rtap.stages.vad import Vad
    from rtap.whisper.model import load_model
    from rtap.whisper.transcribe import Transcriber

    return Transcriber(load_model(directory, threads), Vad())


def hear_all(
    engine: Engine, utterances: Sequence[Utterance], options: TranscribeOptions
) -> tuple[list[Heard], list[Failure]]:
    """Transcribe every utterance; one that cannot be decoded keeps back no other."""
    heard: list[Heard] = []
    failures: list[Failure] = []
    for utterance in _with_progress(utterances):
        try:
            heard.append(_hear(engine, utterance, options))
        except AudioError as error:
            failures.append(Failure(utterance, str(error)))
    return heard, failures


def _hear(engine: Engine, utterance: Utterance, options: TranscribeOptions) -> Heard:
    warnings: list[str] = []
    with decoder_notes_hidden():
        audio = AudioFile.open(utterance.audio, str(utterance.audio), warnings.append)
    with audio:
        transcription = engine.transcribe(_quietly(audio.blocks()), options)
    return Heard(
        utterance=utterance,
        text=" ".join(transcription.text.split()),
        seconds=transcription.duration,
        inference_time=transcription.inference_time,
        warnings=tuple(warnings),
    )


def _quietly(blocks: Iterator[Block]) -> Iterator[Block]:
    while True:
        with decoder_notes_hidden():
            block = next(blocks, None)
        if block is None:
            return
        yield block


def _with_progress(utterances: Sequence[Utterance]) -> Iterable[Utterance]:
    hidden = sys.stderr is None or not sys.stderr.isatty()
    return tqdm(utterances, unit=" files", leave=False, dynamic_ncols=True, disable=hidden)
