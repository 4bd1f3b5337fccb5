"""Builds the service from a configuration, warms it up, serves, and shuts it down."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rtap import __version__, logs
from rtap.assistant.assistant import Assistant
from rtap.assistant.conversations import DRIVERS_CONVERSATION
from rtap.assistant.parts import load_parts
from rtap.bus import EventBus
from rtap.config.loader import UnifiedConfigLoader
from rtap.errors import RTAPException
from rtap.events import (
    ErrorOccurred,
    Event,
    Transcript,
    WakeWordDetected,
)
from rtap.hands_free import HandsFree
from rtap.intents.expected_sentences import IntentPreference
from rtap.model_loader import ModelLoader
from rtap.pipeline.assembly import make_equipment
from rtap.pipeline.session import SpeechSession
from rtap.process.service_manager import ServiceManager
from rtap.process.watchdog import Watchdog
from rtap.stages.language import Annotator
from rtap.stages.stt import SpeechToText
from rtap.telemetry import Telemetry
from rtap.transports.api import create_api
from rtap.transports.publishers import Publisher, make_publishers
from rtap.transports.schemas import Snapshot, TranscriptMessage, event_message
from rtap.transports.service import Health
from rtap.whisper.model_store import ModelStore

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rtap.assistant.assistant import Wish
    from rtap.config import Config
    from rtap.transports.service import ModelFacts
    from rtap.whisper.engine import WhisperEngine
    from rtap.whisper.model_store import StoredModel
    from rtap.whisper.transcribe import TranscribeOptions

_log = logs.get("app")

PROOF_SECONDS: Final = 60.0
"""A successful inference proves for this long that the service works."""
SYSTEM_VARIABLE: Final = "RTAP_SYSTEM_VERSION"
"""Who starts the service on a device says by this which version of the whole system it belongs to."""
_PROBE_SECONDS: Final = 10.0
_SHUTDOWN_SECONDS: Final = 4.0
"""What is being said when the service is stopped must be text by then."""


class RTAPApplication:
    """The whole service in one process. It implements :class:`rtap.transports.service.Service`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.bus = EventBus()
        self.telemetry = Telemetry(system=os.environ.get(SYSTEM_VARIABLE, "").strip() or None)
        self.broken: Future[str] = Future()
        """Set to the reason when the process must restart: the server exits, its supervisor restarts it."""
        self._models = ModelLoader(
            config.stt,
            ModelStore.from_environment(os.environ, config.models_dir),
            self.telemetry,
            on_refused=self._report_refused_model,
        )
        on_cuda = config.stt.device == "cuda"
        self.stt = SpeechToText(
            lambda: self._load_engine(config.stt.device),
            max_files=config.limits.max_queue,
            fallback=(lambda: self._load_engine("cpu")) if on_cuda else None,
            on_critical=self._break,
            on_speculation=self.telemetry.speculation,
        )
        self.telemetry.watch_queue("utterances", lambda: self.stt.waiting_utterances)
        self.telemetry.watch_queue("files", lambda: self.stt.waiting_files)
        self._preference = IntentPreference() if config.stt.prefer_commands else None
        self.assistant = Assistant(
            lambda: load_parts(config, self.publish, self._preference), self.telemetry
        )
        self.telemetry.watch_queue("intents", lambda: self.assistant.waiting)
        self._annotator = Annotator(config.language, config.stt.languages)
        self._hands_free = HandsFree(
            config,
            self.bus,
            self.telemetry,
            self.assistant,
            self.publish,
            self._microphone_session,
            lambda: self.stt.failure is None and self.stt.ready.is_set(),
        )
        self._publishers: list[Publisher] = []
        self._manager = ServiceManager(os.environ)
        self._watchdog: Watchdog | None = None
        self._last: Transcript | None = None

    # ---- rtap.transports.service.Service

    def new_session(
        self,
        session_id: str,
        options: TranscribeOptions,
        publish: Callable[[Event], None],
        *,
        partials: bool = True,
        intents: Wish = "none",
        conversation: str | None = None,
        speak: bool = False,
    ) -> SpeechSession:
        """A session for one client's stream."""
        spoken = self._hands_free.spoken if speak else None
        is_drivers = conversation == DRIVERS_CONVERSATION
        if is_drivers:
            self._hands_free.cancel_listening()  # or it would be heard, and done, twice

        def tell(event: Event) -> None:
            publish(event)
            if spoken is not None:
                spoken.take_from_stream(event, is_drivers=is_drivers)

        def both(event: Event) -> None:
            tell(event)
            self.publish(event)

        def deliver(event: Event) -> None:
            if isinstance(event, Transcript):
                both(event)
                self.assistant.hear(event, both, intents, conversation)
            else:
                tell(event)

        equipment = make_equipment(self.config, self.stt, self._annotator, partials=partials)
        if spoken is not None:
            equipment = replace(equipment, cleaner=spoken.unheard_by(equipment.cleaner))
        return SpeechSession(session_id, "stream", equipment, options, deliver)

    def publish(self, event: Event) -> None:
        """Count an event and put it on the bus."""
        if isinstance(event, Transcript):
            self._last = event
            self.telemetry.utterance(
                event.source,
                duration=event.duration,
                inference_time=event.inference_time,
                latency=event.latency,
            )
            self.telemetry.latency("stt", event.latency)
            _log.info(
                "transcribed",
                session_id=event.session_id,
                latency_ms=round(1000 * event.latency, 1),
                text=event.text,
            )
        elif isinstance(event, WakeWordDetected):
            self.telemetry.wake_word(event.name)
        self.bus.publish(event)
        if isinstance(event, Transcript) and event.source == "microphone":
            # Here and not before: of a standby pair, the one that publishes acts.
            self.assistant.hear(event, self.publish, "execute")
        if self._hands_free.spoken is not None:
            self._hands_free.spoken.take(event)

    def options(self, language: str | None = None, task: str = "transcribe") -> TranscribeOptions:
        """Options for one request; what it leaves open comes from the configuration."""
        from rtap.languages import language_code
        from rtap.whisper.transcribe import TranscribeOptions

        stt = self.config.stt
        wanted = language or stt.language
        return TranscribeOptions(
            language=None if wanted == "auto" else language_code(wanted),
            allowed_languages=tuple(language_code(one) for one in stt.languages),
            task="translate" if task == "translate" else "transcribe",
            beam_size=stt.beam_size,
            hotwords=stt.hotwords,
            preference=self._preference,
        )

    def health(self) -> Health:
        """Whether transcripts are to be had, proved by an inference of the last minute or by one made now."""
        if self.stt.failure is not None:
            return Health(healthy=False, model_loaded=False, reason=self.stt.failure)
        if not self.stt.ready.is_set():
            return Health(healthy=False, model_loaded=False, reason="loading model")
        last = self.stt.last_success
        if last is None or time.monotonic() - last > PROOF_SECONDS:
            try:
                self.stt.probe().result(timeout=_PROBE_SECONDS)
            except FutureTimeoutError:
                reason = f"no inference finished within {_PROBE_SECONDS:.0f} s"
                return Health(healthy=False, model_loaded=True, reason=reason)
            except RTAPException as error:
                return Health(healthy=False, model_loaded=True, reason=str(error))
        facts = self._models.facts
        warning = "" if facts is None else facts.warning
        return Health(healthy=True, model_loaded=True, reason="", warning=warning)

    def model(self) -> ModelFacts | None:
        """None until a model is loaded."""
        return self._models.facts

    def models(self) -> list[StoredModel]:
        """All that can be loaded."""
        return self._models.models()

    def use_model(self, name: str) -> None:
        """Load another model; returns at once.

        Raises:
            ModelError: there is none of this name, or it is damaged.
        """
        self._models.choose(name)
        self.stt.reload()
        self._publish_readiness()

    def listening(self) -> bool | None:
        """Whether the microphone is heard; None where there is none."""
        return self._hands_free.is_listening

    def set_listening(self, *, enabled: bool) -> None:
        """Open or close the microphone; nothing where there is none."""
        self._hands_free.set_listening(enabled=enabled)

    def cancel_listening(self) -> None:
        """Wait for the wake word again; what was said to its end is still carried out."""
        self._hands_free.cancel_listening()

    def stop_answer(self) -> bool:
        """End the answer that is being spoken, and forget those that wait; whether there was one."""
        return self._hands_free.stop_answer()

    # ---- life

    async def start(self) -> None:
        """Listen on every port but the API's, load the model in the background, and open the microphone.

        Raises:
            TransportError: a port is in use.
            ConfigurationError: the microphone or the wake word cannot be had as configured.
        """
        for publisher in make_publishers(self, self._snapshot):
            self._publishers.append(publisher)
            await publisher.start()
        self._hands_free.open()
        self.stt.start()
        self.assistant.start()
        self._publish_readiness()
        self._hands_free.run()
        self._watchdog = Watchdog(
            lambda: self.stt.work,
            lambda: self.stt.thread_id,
            hang_seconds=self.config.stt.hang_seconds,
            manager=self._manager,
        )
        self._watchdog.start()
        self._manager.say("READY=1")

    async def finish_speech(self) -> None:
        """Listen no more; what is being said is transcribed and published."""
        self.telemetry.ready(ready=False)
        await asyncio.to_thread(self._hands_free.finish, _SHUTDOWN_SECONDS)
        await asyncio.to_thread(self.stt.stop, _SHUTDOWN_SECONDS)

    async def stop(self) -> None:
        """Finish what is being said, then close everything. Does nothing where nothing was started."""
        self._manager.say("STOPPING=1")
        if self._watchdog is not None:
            await asyncio.to_thread(self._watchdog.stop)
            self._watchdog = None
        await self.finish_speech()
        await asyncio.to_thread(self._hands_free.leave_standby)
        await asyncio.to_thread(self.assistant.stop, _SHUTDOWN_SECONDS)
        await asyncio.to_thread(self._hands_free.close)
        while self._publishers:
            await self._publishers.pop().stop()
        _log.info("stopped")

    def wait_for_source(self) -> None:
        """Block until the source of audio has ended; a microphone's never does."""
        self._hands_free.wait()

    # ---- parts

    def _microphone_session(
        self, session_id: str, publish: Callable[[Event], None]
    ) -> SpeechSession:
        equipment = make_equipment(self.config, self.stt, self._annotator, is_clean=True)
        return SpeechSession(session_id, "microphone", equipment, self.options(), publish)

    def _load_engine(self, device: str) -> WhisperEngine:
        """Called in the worker's thread."""
        engine = self._models.load(device)
        self._annotator.load()
        return engine

    def _report_refused_model(self, error: RTAPException) -> None:
        self.publish(ErrorOccurred("stt", type(error).__name__, str(error), time.time()))

    def _break(self, reason: str) -> None:
        if not self.broken.done():
            self.broken.set_result(reason)

    # ---- events

    def _publish_readiness(self) -> None:
        """Set the ready gauge as soon as the model has proved that it works."""

        def proved(future: Future[float]) -> None:
            is_ready = not future.cancelled() and future.exception() is None
            self.telemetry.ready(ready=is_ready)

        self.stt.probe().add_done_callback(proved)

    def _snapshot(self) -> Snapshot:
        last = None if self._last is None else event_message(self._last)
        facts = self._models.facts
        return Snapshot(
            timestamp=time.time(),
            state=self._hands_free.state,
            model=None if facts is None else facts.name,
            version=__version__,
            listening=self.listening(),
            wake_words=self._hands_free.wake_words,
            publishing=self._hands_free.is_publishing,
            last_transcript=last if isinstance(last, TranscriptMessage) else None,
        )


def create_app() -> FastAPI:
    """For ``uvicorn rtap.app:create_app --factory``: the API, and everything else while it runs.

    Add ``--no-proxy-headers``: ``output.trusted_proxies`` says who is believed, and uvicorn itself would
    believe every program on this machine.
    """
    config = UnifiedConfigLoader.from_environment(os.environ).load()
    logs.set_up(config.logging, sys.stderr)
    return application_api(RTAPApplication(config))


def application_api(application: RTAPApplication) -> FastAPI:
    """The API for port 8000; the rest of the service starts and stops with it."""

    @contextlib.asynccontextmanager
    async def running(_api: FastAPI) -> AsyncIterator[None]:
        await application.start()
        # The server that runs this is not ours, but it ends as it should at this signal.
        application.broken.add_done_callback(lambda _: os.kill(os.getpid(), signal.SIGTERM))
        try:
            yield
        finally:
            await application.stop()

    return create_api(application, running).app
