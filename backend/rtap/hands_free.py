"""The service's own microphone and loudspeaker, and whether this one of a standby pair is heard."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from rtap.assistant.spoken_answers import NoEar, SpokenAnswers, loudspeaker
from rtap.events import ErrorOccurred, Event, LevelMeasured, ListeningChanged, State
from rtap.pipeline.assembly import make_pipeline
from rtap.stages.capture import AudioSource, make_source
from rtap.standby.link import Instance, StandbyLink
from rtap.standby.rules import Span

if TYPE_CHECKING:
    from rtap.assistant.assistant import Assistant
    from rtap.bus import EventBus
    from rtap.config import Config
    from rtap.pipeline.microphone import AudioPipeline, SessionFactory
    from rtap.telemetry import Telemetry

_UNGATED: Final = ListeningChanged | ErrorOccurred | LevelMeasured
"""What each of a standby pair says for itself; levels are measured by the one that publishes."""


class HandsFree:
    """Hears and answers whoever is in the car. Opened, run and closed once.

    Args:
        publish: takes what this instance tells the world.
        make_session: makes a session for the microphone.
        is_ready: whether speech becomes text.
    """

    def __init__(
        self,
        config: Config,
        bus: EventBus,
        telemetry: Telemetry,
        assistant: Assistant,
        publish: Callable[[Event], None],
        make_session: SessionFactory,
        is_ready: Callable[[], bool],
    ) -> None:
        self._config = config
        self._bus = bus
        self._telemetry = telemetry
        self._assistant = assistant
        self._publish = publish
        self._make_session = make_session
        self._is_ready = is_ready
        self._pipeline: AudioPipeline | None = None
        self._thread: threading.Thread | None = None
        self._standby: StandbyLink | None = None
        self._is_finishing = False
        self.spoken: SpokenAnswers | None = None
        """Says answers aloud; None before :meth:`open`."""

    # ---- life

    def open(self) -> None:
        """Make all that is configured, and take part in the standby; nothing is heard yet.

        Raises:
            ConfigurationError: the microphone or the wake word cannot be had as configured.
        """
        self._pipeline = self._make_pipeline()
        self.spoken = SpokenAnswers(
            loudspeaker(self._config.answers, self._publish),
            self._pipeline or NoEar(),
            self._publish,
            self._answer_was_spoken,
            # Sound from a file is nobody who waits for an answer.
            speaks_to_microphone=self._config.audio.source == "microphone",
        )
        self.spoken.start()
        if self._config.standby.role != "none":
            self._standby = StandbyLink(
                self._config.standby,
                self._config.output,
                Instance(self._can_hear, self._is_quiet, self._publish),
                self._telemetry,
            )
            self._standby.start()

    def run(self) -> None:
        """Begin to hear, in a thread."""
        if self._pipeline is not None:
            self._thread = threading.Thread(target=self._pipeline.run, name="pipeline")
            self._thread.start()

    def wait(self) -> None:
        """Block until the source of audio has ended; a microphone's never does."""
        if self._thread is not None:
            self._thread.join()

    def finish(self, seconds: float) -> None:
        """Hear no more; what is being said is still published."""
        self._is_finishing = True
        if self._pipeline is not None and self._thread is not None:
            self._pipeline.stop()
            self._thread.join(seconds)

    def leave_standby(self) -> None:
        """Let the other one publish."""
        if self._standby is not None:
            self._standby.stop()

    def close(self) -> None:
        """Fall silent."""
        if self.spoken is not None:
            self.spoken.close()

    # ---- what clients ask and wish

    @property
    def state(self) -> State:
        """What the pipeline does."""
        return State.IDLE if self._pipeline is None else self._pipeline.state

    @property
    def wake_words(self) -> tuple[str, ...]:
        """As people say them; none where there is no microphone."""
        return () if self._pipeline is None else self._config.wakeword.spoken

    @property
    def is_publishing(self) -> bool:
        """Whether this instance is the one that is followed."""
        return self._standby is None or self._standby.publishing

    @property
    def is_listening(self) -> bool | None:
        """Whether the microphone is heard; None where there is none."""
        return None if self._pipeline is None else self._pipeline.is_enabled

    def set_listening(self, *, enabled: bool) -> None:
        """Open or close the microphone; nothing where there is none."""
        if self._pipeline is not None:
            self._pipeline.set_listening(enabled=enabled)

    def cancel_listening(self) -> None:
        """Wait for the wake word again; what was said to its end is still carried out."""
        if self.spoken is not None:
            self.spoken.cancel_listening()

    def stop_answer(self) -> bool:
        """End the answer that is being spoken, and forget those that wait; whether there was one."""
        return self.spoken is not None and self.spoken.stop()

    # ---- parts

    def _make_pipeline(self) -> AudioPipeline | None:
        config = self._config
        if config.audio.source == "none":
            return None
        # Opened once before anything runs: what cannot work at all is told at start, not by a retry.
        first = make_source(config.audio)
        assert first is not None
        waiting = [first]

        def next_source() -> AudioSource:
            source = waiting.pop() if waiting else make_source(config.audio)
            assert source is not None
            return source

        pipeline = make_pipeline(
            config,
            make_source=next_source,
            make_session=self._make_session,
            publish=self._publish_heard,
            telemetry=self._telemetry,
        )
        pipeline.wants_levels = lambda: self.is_publishing and self._bus.wants_levels
        return pipeline

    def _publish_heard(self, event: Event) -> None:
        """What the pipeline says; all of it that another instance would say as well goes to the gate."""
        if self._standby is None or isinstance(event, _UNGATED):
            self._publish(event)
        else:
            self._standby.offer(event)

    def _answer_was_spoken(self, began: float, ended: float) -> None:
        self._assistant.answer_was_spoken()
        if self._standby is not None:
            # The other one hears it too, and does not know whose words they are.
            self._standby.disown(Span(began, ended))

    def _can_hear(self) -> bool:
        """Whether this instance is fit to publish what its microphone hears."""
        if self._is_finishing:
            return True  # what was said last is still to be published
        return self._is_ready() and (self._pipeline is None or self._pipeline.is_receiving_audio)

    def _is_quiet(self) -> bool:
        return self._pipeline is None or self._pipeline.is_quiet
