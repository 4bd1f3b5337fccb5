"""One loaded model for all that the service hears: utterances that are cut already, and whole files."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rtap.whisper.model import SpeechModel
from rtap.whisper.preference.expectations import Expectations
from rtap.whisper.result import Transcription
from rtap.whisper.transcribe import Block, Steps, TranscribeOptions, Transcriber, VoiceActivity


class WhisperEngine:
    """Implements :class:`rtap.stages.stt.Engine`. Not for several threads at once, as the model is not.

    Args:
        make_vad: makes a detector for one file: it remembers what it heard, and several files may be under
            way in turns.
    """

    def __init__(self, model: SpeechModel, make_vad: Callable[[], VoiceActivity]) -> None:
        self._model = model
        self._make_vad = make_vad
        self._expectations = Expectations(model)
        self._cut_already = Transcriber(model, None, expectations=self._expectations)

    def transcribe(self, samples: Block, options: TranscribeOptions) -> Transcription:
        """All of the samples, without looking for speech in them; one window up to 30 s."""
        return self._cut_already.transcribe((samples,), options)

    def steps(self, blocks: Iterable[Block], options: TranscribeOptions) -> Steps:
        """A file, handing back control as :meth:`rtap.whisper.transcribe.Transcriber.steps` does."""
        vad = self._make_vad() if options.trim_silence else None
        transcriber = Transcriber(self._model, vad, expectations=self._expectations)
        return transcriber.steps(blocks, options)
