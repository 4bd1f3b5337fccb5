from __future__ import annotations

import time

import pytest

from rtap.audio.format import Samples
from rtap.errors import PipelineError
from rtap.events import Transcript
from rtap.stages.language import Annotator
from rtap.whisper.result import Transcription
from rtap.whisper.transcribe import TranscribeOptions
from tools.benchmarks.service import pipeline_rig
from tools.benchmarks.service.pipeline_rig import Rig, ScriptedEngine, ScriptedVad

LONG = 0.2


class SlowEngine(ScriptedEngine):
    def transcribe(self, samples: Samples, options: TranscribeOptions) -> Transcription:
        time.sleep(LONG)
        return super().transcribe(samples, options)


@pytest.fixture(autouse=True)
def no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_rig, "_WARM_UP", 0)
    monkeypatch.setattr(Annotator, "load", lambda self: None)
    monkeypatch.setattr(Annotator, "annotate", lambda self, transcript: transcript)


def test_measures_every_utterance_and_every_frame() -> None:
    rig = Rig(ScriptedVad(), ScriptedEngine)
    rig.run(2)
    assert len(rig.per_utterance) == 2
    # Two commands of a second, and half a second of silence after each.
    assert 120 < len(rig.per_frame) < 200
    assert all(seconds > 0 for seconds in rig.per_utterance)
    assert all(seconds > 0 for seconds in rig.per_frame)


def test_the_time_in_the_model_is_not_ours() -> None:
    rig = Rig(ScriptedVad(), SlowEngine)
    rig.run(1)
    assert 0 < rig.per_utterance[0] < LONG


def test_the_time_after_the_model_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def annotate(self: Annotator, transcript: Transcript) -> Transcript:
        time.sleep(LONG)
        return transcript

    monkeypatch.setattr(Annotator, "annotate", annotate)
    rig = Rig(ScriptedVad(), ScriptedEngine)
    rig.run(1)
    assert rig.per_utterance[0] >= LONG


def test_a_pipeline_that_fails_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: ScriptedVad, chunk: Samples) -> float:
        if self.is_speech:
            raise RuntimeError("no ear")
        return 0.0

    monkeypatch.setattr(ScriptedVad, "speech_probability", fail)
    with pytest.raises(PipelineError, match="no ear"):
        Rig(ScriptedVad(), ScriptedEngine).run(2)
