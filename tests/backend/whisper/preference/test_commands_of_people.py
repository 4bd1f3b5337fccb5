"""People's commands to a house, with real weights: more of them are heard, and nothing else becomes one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import home_assistant_intents
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from rtap.intents.dialogue import LEAST_CONFIDENCE
from rtap.intents.expected_sentences import IntentPreference
from rtap.intents.loader import load_grammar
from rtap.intents.matcher import Matcher
from rtap.intents.spelling import Spelling
from rtap.whisper.load_model import load_model
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.transcribe import TranscribeOptions, Transcriber

SPEECH = Path(os.environ.get("RTAP_SPEECH", Path(__file__).parents[5] / "shared/speech")) / "dev"
COMMANDS = "ohf_home_commands_en"
WEIGHTS = Path.home() / ".local/share/rtap/models/whisper-base-int8"
"""Where `make demo` and `make model` leave them."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not SPEECH.is_dir(), reason=f"no recordings of people in {SPEECH}: set RTAP_SPEECH"
    ),
    pytest.mark.skipif(not WEIGHTS.is_dir(), reason=f"no weights in {WEIGHTS}: make demo"),
]

HOUSE = """
lists:
  area: {values: [kitchen, living room, bedroom, bathroom, office, garage, basement, hallway, garden]}
  floor: {values: [first, second, ground]}
  name:
    values:
      - {in: standing light, out: 1, context: {domain: light}}
      - {in: basement light, out: 2, context: {domain: light}}
      - {in: desk lamp, out: 3, context: {domain: light}}
      - {in: ceiling fan, out: 4, context: {domain: fan}}
      - {in: front door, out: 5, context: {domain: lock}}
      - {in: back door, out: 6, context: {domain: lock}}
      - {in: garage door, out: 7, context: {domain: cover}}
      - {in: ecobee, out: 8, context: {domain: climate}}
      - {in: outdoor humidity, out: 9, context: {domain: sensor}}
      - {in: phone battery, out: 10, context: {domain: sensor}}
      - {in: new york, out: 11, context: {domain: weather}}
      - {in: london, out: 12, context: {domain: weather}}
      - {in: party time, out: 13, context: {domain: script}}
      - {in: movie time, out: 14, context: {domain: scene}}
      - {in: tv, out: 15, context: {domain: media_player}}
"""
"""Some things that were named in the recordings, and as many that were not."""


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return Transcriber(load_model(ModelDirectory.open(WEIGHTS), 2), None)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> IntentPreference:
    folder = tmp_path_factory.mktemp("grammar") / "en"
    folder.mkdir()
    sentences = Path(home_assistant_intents.__file__).parent / "data/en.json"
    (folder / "home_assistant.yaml").write_text(sentences.read_text("utf-8"), "utf-8")
    (folder / "house.yaml").write_text(HOUSE, "utf-8")
    preference = IntentPreference()
    preference.add(Matcher(load_grammar("en", (folder.parent,))))
    return preference


def recordings(name: str) -> Iterator[tuple[NDArray[np.float32], str]]:
    for line in (SPEECH / name / "manifest.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        audio, _ = soundfile.read(SPEECH / name / entry["audio"], dtype="float32")
        yield audio, entry["text"]


class Heard(NamedTuple):
    """A recording, in plain words."""

    text: str
    said: str
    certainty: float


def heard(
    transcriber: Transcriber, name: str, preference: IntentPreference | None
) -> Sequence[Heard]:
    """What was heard and what was said."""
    options = TranscribeOptions(language="en", preference=preference)
    plain = Spelling({"five": "5", "nevermind": "never mind"}).plain
    found = []
    for audio, said in recordings(name):
        transcription = transcriber.transcribe((audio,), options)
        certainty = min((one.certainty for one in transcription.segments), default=1.0)
        found.append(Heard(plain(transcription.text), plain(said), certainty))
    return found


@pytest.fixture(scope="module")
def preferred(transcriber: Transcriber, house: IntentPreference) -> Sequence[Heard]:
    return heard(transcriber, COMMANDS, house)


def test_more_commands_are_heard(transcriber: Transcriber, preferred: Sequence[Heard]):
    freely = heard(transcriber, COMMANDS, None)
    right = [sum(text == said for text, said, _ in one) for one in (freely, preferred)]
    assert right[1] >= right[0] + 5, right
    pairs = zip(freely, preferred, strict=True)
    lost = [now.text for before, now in pairs if before.text == now.said != now.text]
    assert lost == []


def test_only_what_was_heard_wrongly_is_doubted(preferred: Sequence[Heard]):
    """Such as "turn out basement light" for "turn on basement light"."""
    doubted = [one for one in preferred if one.certainty < LEAST_CONFIDENCE]
    assert doubted
    assert [one for one in doubted if one.text == one.said] == []


@pytest.mark.parametrize("name", ["english_read_few", "speechbrain_sentences", "voxforge_tutorial"])
def test_other_speech_stays_as_it_is(name: str, transcriber: Transcriber, house: IntentPreference):
    assert heard(transcriber, name, house) == heard(transcriber, name, None)
