"""What an engine hears in audio files: as ``rtap transcribe`` does it unless told otherwise."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from rtap.audio.file import AudioFile
from rtap.audio.format import SAMPLE_RATE
from rtap.audio.native_stderr import decoder_notes_hidden
from rtap.errors import AudioError
from rtap.stages.stt import confidence
from rtap.whisper.model_directory import ModelDirectory
from tools.model.evaluation.data import Utterance
from tools.model.evaluation.transcripts import Heard, Transcripts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rtap.cli.transcribe import Engine
    from rtap.whisper.transcribe import TranscribeOptions
    from tools.model.evaluation.noise import NoiseMixer

    Block = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Failure:
    """An utterance for which there is no transcript."""

    utterance: Utterance
    reason: str


def load_engine(directory: ModelDirectory, threads: int, *, vad: bool, padded: bool) -> Engine:
    """The model as on the device, unless told otherwise.

    Args:
        vad: whether the voice activity detector stands before it.
        padded: whether everything is encoded in 30 s of context, whatever the model can take.

    Raises:
        ModelError: the model is damaged.
    """
    from rtap.stages.vad import Vad
    from rtap.whisper.load_model import load_model
    from rtap.whisper.transcribe import Transcriber

    if padded:
        directory = replace(directory, manifest=replace(directory.manifest, elastic="no"))
    return Transcriber(load_model(directory, threads), Vad() if vad else None)


def engine_version() -> str:
    """Changes with every change of the code that makes a text of audio."""
    import rtap

    package = Path(rtap.__file__).parent
    digest = hashlib.sha256()
    for file in sorted([*package.glob("whisper/**/*.py"), package / "stages/vad.py"]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Listener:
    """An engine, and how it is asked."""

    engine: Engine
    options: TranscribeOptions
    """Those of an utterance whose language is not known, or is to be detected."""
    detects: bool
    """Whether the language is detected, also where it is known."""
    mixer: NoiseMixer | None

    def hear(self, utterance: Utterance) -> Heard:
        """Transcribe one utterance.

        Raises:
            AudioError: it cannot be decoded.
        """
        warnings: list[str] = []
        with decoder_notes_hidden():
            audio = AudioFile.open(utterance.audio, str(utterance.audio), warnings.append)
        with audio:
            blocks = self._in_noise(utterance, _piece(utterance, _quietly(audio.blocks())))
            started = time.process_time()
            transcription = self.engine.transcribe(blocks, self.options_for(utterance))
            processor_time = time.process_time() - started
        return Heard(
            utterance=utterance,
            text=" ".join(transcription.text.split()),
            seconds=transcription.duration,
            inference_time=transcription.inference_time,
            processor_time=processor_time,
            contexts=transcription.contexts,
            warnings=tuple(warnings),
            confidence=confidence(transcription.segments),
        )

    def options_for(self, utterance: Utterance) -> TranscribeOptions:
        """With the language that is known to be spoken."""
        if self.detects or not utterance.language:
            return self.options
        return replace(self.options, language=utterance.language)

    def _in_noise(self, utterance: Utterance, blocks: Iterable[Block]) -> Iterable[Block]:
        import numpy as np

        if utterance.snr is None:
            return blocks
        assert self.mixer is not None
        whole = np.concatenate([*blocks, np.empty(0, np.float32)])
        return [self.mixer.mix(whole, utterance.clip, utterance.snr)]


def hear_all(
    listener: Listener | None,
    utterances: Sequence[Utterance],
    known: Transcripts,
    title: str,
) -> tuple[list[Heard], list[Failure]]:
    """Transcribe every utterance; one that cannot be decoded keeps back no other.

    Args:
        listener: None takes what is known only.
        known: what was heard before, which is not heard again; it learns what is new.
        title: for the progress.
    """
    heard: list[Heard] = []
    failures: list[Failure] = []
    for utterance in _with_progress(utterances, title):
        one = known.find(utterance)
        try:
            if one is None and listener is not None:
                one = listener.hear(utterance)
                known.add(one)
        except AudioError as error:
            failures.append(Failure(utterance, str(error)))
            continue
        if one is None:
            reason = f"{known.path} has no transcript of {utterance.clip}"
            failures.append(Failure(utterance, f"{reason}: hear it with the same options"))
        else:
            heard.append(one)
    return heard, failures


def _piece(utterance: Utterance, blocks: Iterator[Block]) -> Iterable[Block]:
    """The piece of an utterance that is to be heard."""
    if utterance.cut is None:
        return blocks
    import numpy as np

    begin, end = (round(seconds * SAMPLE_RATE) for seconds in utterance.cut)
    return [np.concatenate([*blocks, np.empty(0, np.float32)])[begin:end]]


def _quietly(blocks: Iterator[Block]) -> Iterator[Block]:
    while True:
        with decoder_notes_hidden():
            block = next(blocks, None)
        if block is None:
            return
        yield block


def _with_progress(utterances: Sequence[Utterance], title: str) -> Iterable[Utterance]:
    hidden = sys.stderr is None or not sys.stderr.isatty()
    return tqdm(utterances, title, unit=" files", leave=False, dynamic_ncols=True, disable=hidden)
