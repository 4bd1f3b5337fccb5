"""One event of each kind, as the bus would carry them."""

from rtap.answers.answer import Answer, Earcon
from rtap.events import (
    ActionCompleted,
    AnswerGiven,
    ErrorOccurred,
    Event,
    IntentRecognized,
    LevelMeasured,
    ListeningChanged,
    PartialTranscript,
    PublishingChanged,
    Sentiment,
    SpeechStarted,
    SpeechStopped,
    State,
    StateChanged,
    Transcript,
    WakeWordDetected,
)
from rtap.intents.intent import Intent, Slot, Understanding
from rtap.vehicle.result import ActionResult, Held, Outcome

WOKEN = WakeWordDetected("hey_mycroft", "session", 1.0)
STARTED = SpeechStarted("session", 2.0)
PARTIAL = PartialTranscript("Turn on", "session", "utterance", 3.0)
STOPPED = SpeechStopped("session", "utterance", 4.0)
LISTENING = StateChanged(State.IDLE, State.LISTENING, "speech", 2.0)
PROCESSING = StateChanged(State.LISTENING, State.PROCESSING, "end of speech", 4.0)
TRANSCRIPT = Transcript(
    text="Schalte die Heizung ein 🙂",
    session_id="session",
    utterance_id="utterance",
    language="de",
    language_probability=0.9,
    duration=1.5,
    inference_time=0.2,
    latency=0.7,
    timestamp=5.0,
    confidence=0.8,
    source="microphone",
    sentiment=Sentiment("neutral", 0.0),
)
INTENT = IntentRecognized(
    Understanding(
        "Schalte die Heizung auf 21 Grad 🙂",
        "de",
        Intent("SetTemperature", (Slot("temperature", 21, "celsius", "21"),), 0.8, 1.0),
    ),
    question=None,
    session_id="session",
    utterance_id="utterance",
    source="microphone",
    timestamp=5.1,
)
ACTION = ActionCompleted(
    ActionResult(
        "SetTemperature",
        Outcome.DONE,
        (Held("Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature", 21, "celsius"),),
    ),
    session_id="session",
    utterance_id="utterance",
    timestamp=5.2,
)
ANSWER = AnswerGiven(
    Answer("Die Temperatur ist 21 Grad.", "de", Earcon.DONE),
    session_id="session",
    utterance_id="utterance",
    source="microphone",
    timestamp=5.3,
)
LEVEL = LevelMeasured("session", -24.0, 0.6, 2.1)
SWITCHED_OFF = ListeningChanged(False, 7.0)
TAKEN_OVER = PublishingChanged(True, "the primary was stopped", 8.0)
FAILED = ErrorOccurred("capture", "AudioError", "the microphone is gone: plug it in", 6.0)

EVENTS: dict[str, Event] = {
    "wake_word_detected": WOKEN,
    "speech_started": STARTED,
    "partial": PARTIAL,
    "speech_stopped": STOPPED,
    "state_changed": LISTENING,
    "processing_started": PROCESSING,
    "listening_changed": SWITCHED_OFF,
    "publishing_changed": TAKEN_OVER,
    "transcript": TRANSCRIPT,
    "intent": INTENT,
    "action": ACTION,
    "answer": ANSWER,
    "error": FAILED,
}
"""By the ``type`` of their messages; those that every subscriber gets."""
LEVELS: dict[str, Event] = {"level": LEVEL}
"""Those that only some want."""
