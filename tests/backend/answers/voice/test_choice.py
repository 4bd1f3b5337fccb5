"""rtap.answers.voice.choice: which voice a configuration asks for."""

import pytest

from rtap.answers.voice.choice import make_voice
from rtap.answers.voice.espeak import EspeakVoice
from rtap.config import AnswersConfig
from rtap.errors import ConfigurationError
from tests.backend.answers.voice.installed import needs_espeak


def test_no_voice():
    assert make_voice(AnswersConfig(voice="none")) is None


@needs_espeak
@pytest.mark.parametrize("voice", ["auto", "espeak-ng"])
def test_espeak(voice, monkeypatch: pytest.MonkeyPatch):
    assert isinstance(make_voice(AnswersConfig(voice=voice)), EspeakVoice)
    monkeypatch.setenv("PATH", "/nowhere")
    if voice == "auto":
        assert make_voice(AnswersConfig()) is None
    else:
        with pytest.raises(ConfigurationError, match="not installed"):
            make_voice(AnswersConfig(voice=voice))


def test_a_named_voice_is_wanted():
    with pytest.raises(ConfigurationError, match=r"no\.onnx of answers\.piper_voices is not there"):
        make_voice(AnswersConfig(piper_voices=("/nowhere/no.onnx",)))
