"""What the service says of itself in answer to Wyoming's ``describe``."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from rtap import __version__
from rtap.errors import ModelError, RTAPException
from rtap.intents.configured import spoken_languages
from rtap.transports.wyoming.package import (
    AsrModel,
    AsrProgram,
    Attribution,
    HandleModel,
    HandleProgram,
    Info,
    IntentModel,
    IntentProgram,
    WakeModel,
    WakeProgram,
)
from rtap.transports.wyoming.wake import client_engine, wake_words

if TYPE_CHECKING:
    from rtap.transports.service import Service
    from rtap.whisper.model_store import StoredModel

PROGRAM: Final = "RTAP"
"""The name under which Home Assistant shows the service."""
_SPEECH: Final = Attribution("RTAP", "https://github.com/openai/whisper")
_COMMANDS: Final[dict[str, Any]] = {
    "name": PROGRAM,
    "attribution": Attribution("RTAP", "https://github.com/home-assistant/hassil"),
    "installed": True,
    "description": "Commands to the car",
    "version": __version__,
}
_ENGLISH: Final = ("en",)
"""Of a model that knows no languages, which are those of Whisper that end in ``.en``."""


def describe(service: Service) -> Info:
    """The speech model, the wake words and the commands; reads files, as long as no model is loaded."""
    languages = list(spoken_languages(service.config))
    return Info(
        asr=[_speech(service)],
        wake=[_wake(service)],
        handle=[_handling(languages)] if languages else [],
        intent=[_intents(languages)] if languages else [],
    )


def _handling(languages: list[str]) -> HandleProgram:
    model = HandleModel(languages=languages, **_COMMANDS)
    return HandleProgram(models=[model], **_COMMANDS)


def _intents(languages: list[str]) -> IntentProgram:
    model = IntentModel(languages=languages, **_COMMANDS)
    return IntentProgram(models=[model], **_COMMANDS)


def _speech(service: Service) -> AsrProgram:
    facts = service.model()
    if facts is not None:
        name, languages = facts.name, facts.languages or _ENGLISH
    else:
        name, languages = _expected(service)
    model = AsrModel(
        name=name,
        attribution=_SPEECH,
        installed=True,
        description=f"Whisper model {name}, in the car",
        version=__version__,
        languages=list(languages),
    )
    return AsrProgram(
        name=PROGRAM,
        attribution=_SPEECH,
        installed=True,
        description="Offline car voice assistant",
        version=__version__,
        models=[model],
        supports_transcript_streaming=True,
        # It is the client that ends the sound; pauses within it are found here.
        requires_external_vad=True,
        # Both are done here, as configured.
        prefers_auto_gain_enabled=service.config.preprocess.auto_gain_dbfs == 0,
        prefers_noise_reduction_enabled=service.config.preprocess.noise_suppression == 0,
    )


def _expected(service: Service) -> tuple[str, tuple[str, ...]]:
    """Name and languages of the model that is being loaded, as far as one can know.

    Home Assistant asks once, keeps what it is told, and waits one second for it.
    """
    stored: list[StoredModel] = []
    with suppress(ModelError):
        stored = [model for model in service.models() if model.directory is not None]
    wanted = service.config.stt.model_name
    chosen = [model for model in stored if model.name == wanted] or stored
    languages = sorted({language for model in chosen for language in _languages(model)})
    return chosen[0].name if len(chosen) == 1 else wanted, tuple(languages) or _ENGLISH


def _languages(model: StoredModel) -> tuple[str, ...]:
    known: object = None
    if model.directory is not None:
        with suppress(RTAPException):
            known = model.directory.read_json("generation_config.json").get("lang_to_id")
    if not isinstance(known, dict) or not known:
        return _ENGLISH
    return tuple(str(token).strip("<|>") for token in known)


def _wake(service: Service) -> WakeProgram:
    config = service.config.wakeword
    engine = client_engine(config)
    attribution = Attribution(engine.author, engine.url)
    models = [
        WakeModel(
            name=name,
            attribution=attribution,
            installed=True,
            description=_phrase(name),
            version=__version__,
            languages=list(_ENGLISH),
            phrase=_phrase(name),
        )
        for name in wake_words(config)
    ]
    return WakeProgram(
        name=engine.title,
        attribution=attribution,
        installed=True,
        description="Wake words",
        version=__version__,
        models=models,
    )


def _phrase(name: str) -> str:
    return name.replace("_", " ").title()
