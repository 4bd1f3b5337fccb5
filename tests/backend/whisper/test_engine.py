"""One model for utterances and files in turns, with a model that follows a script."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from rtap.errors import ConfigurationError
from rtap.whisper.engine import WhisperEngine
from rtap.whisper.result import Segment, Transcription
from rtap.whisper.transcribe import Steps, TranscribeOptions
from tests.backend.whisper.scripted_model import ScriptedModel, says, small_tokenizer

SECOND = 16_000
ENGLISH = TranscribeOptions(language="en")
Audio = NDArray[np.float32]


class LoudIsSpeech:
    """Implements :class:`rtap.whisper.transcribe.VoiceActivity`; remembers the samples that are left over."""

    made = 0

    def __init__(self) -> None:
        LoudIsSpeech.made += 1
        self._rest = np.empty(0, np.float32)

    def reset(self) -> None:
        self._rest = self._rest[:0]

    def probabilities(self, audio: Audio) -> Audio:
        audio = np.concatenate([self._rest, audio])
        chunks = audio[: audio.size // 512 * 512].reshape(-1, 512)
        self._rest = audio[chunks.size :]
        return np.array([chunk.any() for chunk in chunks], np.float32)


def engine(*answers: str) -> tuple[WhisperEngine, ScriptedModel]:
    tokens = [small_tokenizer().encode(answer) for answer in answers]
    model = ScriptedModel(says(*tokens))
    return WhisperEngine(model, LoudIsSpeech), model


def blocks(*loud: float, size: int = 10_000) -> Iterator[Audio]:
    """So many seconds of speech, with three seconds of silence after each."""
    parts = [np.full(round(seconds * SECOND), 0.5, np.float32) for seconds in loud]
    silence = np.zeros(3 * SECOND, np.float32)
    audio = np.concatenate([part for speech in parts for part in (speech, silence)])
    for begin in range(0, audio.size, size):
        yield audio[begin : begin + size]


def finished(steps: Steps) -> tuple[list[tuple[Segment, ...]], Transcription]:
    taken = []
    while True:
        try:
            taken.append(next(steps))
        except StopIteration as end:
            return taken, end.value


def test_an_utterance_is_taken_as_it_is() -> None:
    whisper, model = engine(" yes")
    found = whisper.transcribe(np.zeros(2 * SECOND, np.float32), ENGLISH)
    assert found.text == "yes"  # no detector looked for speech in it
    assert model.frames == [200]


def test_control_comes_back_after_blocks_and_windows() -> None:
    whisper, _ = engine(" turn", " on")
    taken, found = finished(whisper.steps(blocks(2, 1, size=SECOND), ENGLISH))
    texts = [[one.text for one in segments] for segments in taken]
    # 2 s of speech, a second of silence that ends its window, and so on; one more for each window.
    assert texts == [[]] * 2 + [[" turn"]] + [[]] * 4 + [[" on"]] + [[]] * 3
    assert found.text == "turn on"
    assert found.duration == 9.0
    assert found.segments == tuple(one for segments in taken for one in segments)


def test_a_file_of_silence_gives_control_back_too() -> None:
    whisper, _ = engine()
    silence = (np.zeros(SECOND, np.float32) for _ in range(5))
    taken, found = finished(whisper.steps(silence, ENGLISH))
    assert taken == [()] * 5
    assert (found.text, found.duration) == ("", 5.0)


def test_files_and_utterances_in_turns() -> None:
    whisper, _ = engine(" turn", " yes", " on", " no")
    made = LoudIsSpeech.made
    one = whisper.steps(blocks(1.3, 1.1, size=7_000), ENGLISH)
    other = whisper.steps(blocks(1.7, size=9_000), ENGLISH)
    heard: list[str] = []
    spoken: dict[str, list[tuple[float, float]]] = {"one": [], "other": []}
    running = {"one": one, "other": other}
    while running:
        for name, steps in list(running.items()):
            segments = next(steps, None)
            if segments is None:
                del running[name]
                continue
            heard += [segment.text for segment in segments]
            spoken[name] += [(segment.start, segment.end) for segment in segments]
            if heard == [" turn"]:
                assert whisper.transcribe(np.ones(SECOND, np.float32), ENGLISH).text == "yes"
                heard.append(" yes")
    assert LoudIsSpeech.made == made + 2
    np.testing.assert_allclose(spoken["one"], [(0, 1.5), (4.1, 5.6)], atol=0.05)
    np.testing.assert_allclose(spoken["other"], [(0, 1.9)], atol=0.05)


def test_a_bad_option_is_refused_at_once() -> None:
    whisper, _ = engine()
    with pytest.raises(ConfigurationError, match="beam size 0"):
        whisper.steps(iter(()), TranscribeOptions(beam_size=0))
