"""rtap.pipeline.assembly: what a session and the pipeline get of the configuration."""

from __future__ import annotations

import numpy as np
import pytest

from rtap.config import Config, LanguageConfig, SttConfig, WakeWordConfig
from rtap.errors import ConfigurationError
from rtap.pipeline.assembly import make_equipment, make_pipeline
from rtap.pipeline.session import Equipment
from rtap.stages.language import Annotator
from rtap.stages.stt import SpeechToText
from rtap.telemetry import Telemetry
from tests.backend.transports.scripted_service import ScriptedEngine, tone

ANNOTATOR = Annotator(LanguageConfig(detection=False, sentiment=False), ())


def equipment(config: Config, **wanted: bool) -> Equipment:
    return make_equipment(config, SpeechToText(ScriptedEngine), ANNOTATOR, **wanted)


def test_as_configured() -> None:
    found = equipment(Config(stt=SttConfig(partial_interval_ms=900)))
    assert (found.partial_interval, found.speculation) == (0.9, True)
    assert not equipment(Config(stt=SttConfig(decode_at_pause=False))).speculation


def test_what_is_not_wanted_is_left_out() -> None:
    found = equipment(Config(), partials=False, speculation=False)
    assert (found.partial_interval, found.speculation) == (None, False)


@pytest.mark.parametrize("is_clean", [True, False])
def test_sound_is_cleaned_once(*, is_clean: bool) -> None:
    sound = tone(0.5)
    cleaned = equipment(Config(), is_clean=is_clean).cleaner.clean(sound)
    assert np.array_equal(cleaned, sound) is is_clean


def test_a_wake_word_that_there_is_not_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="computer"):
        make_pipeline(
            Config(wakeword=WakeWordConfig(keyword="computer")),
            make_source=NotImplemented,
            make_session=NotImplemented,
            publish=lambda _: None,
            telemetry=Telemetry(),
        )
