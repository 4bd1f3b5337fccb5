"""Carries out what is said: one utterance after the other, in a thread of its own."""

from __future__ import annotations

import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from rtap import logs
from rtap.assistant.conversations import (
    DRIVERS_CONVERSATION,
    Conversation,
    Conversations,
    Speaker,
    speaker_named,
    speaker_of,
)
from rtap.errors import ConfigurationError, VehicleUnreachableError
from rtap.events import (
    ActionCompleted,
    AnswerGiven,
    ErrorOccurred,
    Event,
    IntentRecognized,
    Transcript,
)
from rtap.intents.dialogue import Turn
from rtap.intents.question import Kind

if TYPE_CHECKING:
    from rtap.answers.answer import Answer
    from rtap.assistant.parts import Parts
    from rtap.intents.dialogue import Dialogue
    from rtap.intents.intent import Intent, Understanding
    from rtap.telemetry import Telemetry
    from rtap.vehicle.instruments import Reading
    from rtap.vehicle.result import ActionResult

_log = logs.get("assistant")

MOST_WAITING: Final = 16
"""Utterances; each takes a few milliseconds, or as long as the car needs, which is bounded."""
_LOOK_SECONDS: Final = 0.5
"""How long a look at the car waits while it is being loaded."""

Wish = Literal["none", "understand", "execute"]
"""What whoever speaks wants of the commands in it: nothing, to be told of them, or that they are done."""


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a text."""

    understanding: Understanding
    result: ActionResult | None
    """None: it is no command, or was not to be carried out."""
    answer: Answer | None
    """What to say to whoever said it; None: nothing."""
    question: Kind | None = None
    """Why it is asked before anything is done."""


@dataclass(frozen=True, slots=True)
class _Heard:
    transcript: Transcript
    execute: bool
    publish: Callable[[Event], None]
    conversation: str | None


class Assistant:
    """Understands what was said, has the car do it, and publishes both. All methods are for any thread.

    Args:
        load: makes what it works with, which takes a second or two; called in its thread.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        load: Callable[[], Parts],
        telemetry: Telemetry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._load = load
        self._telemetry = telemetry
        self._clock = clock
        self._changed = threading.Condition()
        self._parts: Parts | None = None
        self._loading = threading.Lock()
        self._waiting: deque[_Heard] = deque()
        self._open: Counter[str] = Counter()
        """Utterances of each session that are not done with."""
        self._answered_at: float | None = None
        self._conversations = Conversations()
        self._talking = threading.Lock()
        """For a turn of a conversation, by voice or by a text."""
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Utterances that are still to be understood."""
        return len(self._waiting)

    def start(self) -> None:
        """Load, then work on what is heard."""
        self._thread = threading.Thread(target=self._run, name="assistant")
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Finish what was heard, for so many seconds at most, and let go of the car."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)
            with self._changed:
                self._waiting.clear()
        with self._loading:
            if self._parts is not None:
                self._parts.close()

    def hear(
        self,
        transcript: Transcript,
        publish: Callable[[Event], None],
        wish: Wish,
        conversation: str | None = None,
    ) -> None:
        """Handle an utterance soon.

        Args:
            publish: gets what comes of it, in this object's thread.
            conversation: of a stream, so that another of the same may answer, or the microphone if it is
                DRIVERS_CONVERSATION; None: its session is one.
        """
        if wish == "none" or transcript.source == "file" or not transcript.text:
            return
        heard = _Heard(transcript, wish == "execute", publish, conversation)
        with self._changed:
            is_full = len(self._waiting) >= MOST_WAITING or self._stopping
            if not is_full:
                self._waiting.append(heard)
                self._open[transcript.session_id] += 1
                self._changed.notify_all()
        if is_full:
            self._fail(heard, "Overloaded", "the assistant is too busy: say it again")

    def answer_was_spoken(self) -> None:
        """The driver was answered only now, and has from here on for the next turn."""
        self._answered_at = self._clock()

    def wait_until_idle(self, session_id: str | None, seconds: float) -> bool:
        """Wait until all is published that comes of what a session said; False where it takes longer.

        Args:
            session_id: None: whoever said it.
        """

        def is_idle() -> bool:
            return not (self._open if session_id is None else self._open[session_id])

        with self._changed:
            return self._changed.wait_for(is_idle, seconds)

    def handle(
        self,
        text: str,
        language: str,
        *,
        execute: bool,
        utterance_id: str | None = None,
        conversation: str | None = None,
    ) -> Handled:
        """Understand a text and carry it out, here and now.

        Args:
            language: a code, such as de.
            utterance_id: where it was said: what is brought again is not done again.
            conversation: what is carried out is its next turn; None: it has nothing to do with others.

        Raises:
            ConfigurationError: intents are switched off, or the language has none, or there are faults in its
                sentences.
        """
        if execute and conversation is not None:
            with self._talking:
                return self._reply(text, language, utterance_id, speaker_named(conversation))
        understanding = self._loaded().understander.understand(text, language)
        self._count(understanding)
        intent = understanding.intent
        result = self._act(intent, utterance_id) if execute and intent is not None else None
        return Handled(understanding, result, self._answer(understanding, result))

    def examples(self, language: str) -> Mapping[str, str]:
        """What can be said: a sentence for each command.

        Args:
            language: a code, such as de.

        Raises:
            ConfigurationError: see :meth:`handle`.
        """
        return self._loaded().examples(language)

    def signals(self) -> tuple[Reading, ...]:
        """What the car shows now.

        Raises:
            VehicleError: there is no car, or no way to it.
        """
        # Whoever looks comes again soon, and a service that is stopped meanwhile would wait for the answer.
        if not self._loading.acquire(timeout=_LOOK_SECONDS):
            raise VehicleUnreachableError(
                "the commands and the car are being loaded: try again in a few seconds"
            )
        self._loading.release()
        return self._loaded().actor.instruments.readings()

    def _reply(
        self, text: str, language: str, utterance_id: str | None, speaker: Speaker
    ) -> Handled:
        """The text as the next turn of its speaker's dialogue."""
        conversation = self._conversation(speaker)
        turn = conversation.dialogue.hear(text, language, 1.0, self._clock())
        self._count(turn.understanding)
        result = None if turn.intent is None else self._act(turn.intent, utterance_id)
        answer = self._answer(_asked_back(turn), result, conversation.answer)
        conversation.answer = answer or conversation.answer
        asked = None if turn.question is None else turn.question.kind
        return Handled(turn.understanding, result, answer, asked)

    def _answer(
        self,
        understanding: Understanding,
        result: ActionResult | None,
        before: Answer | None = None,
    ) -> Answer | None:
        answerer = self._loaded().answerer
        return None if answerer is None else answerer.answer(understanding, result, before)

    def _count(self, understanding: Understanding) -> None:
        intent = understanding.intent
        self._telemetry.intent(None if intent is None else intent.name)

    def _act(self, intent: Intent, utterance_id: str | None) -> ActionResult:
        result = self._loaded().actor.execute(intent, utterance_id)
        self._telemetry.action(result.intent, result.outcome)
        _log.info("acted", intent=result.intent, outcome=result.outcome.value)
        return result

    def _loaded(self) -> Parts:
        with self._loading:
            if self._parts is None:
                self._parts = self._load()
            return self._parts

    # ---- the thread

    def _run(self) -> None:
        self._loaded()
        while (heard := self._next()) is not None:
            try:
                with self._talking:
                    self._work_on(heard)
            except Exception as error:  # noqa: BLE001 (the next utterance is to be understood nevertheless)
                # Not the message: it may quote what was said.
                place = traceback.extract_tb(error.__traceback__)[-1]
                told = _log.warning if self._stopping else _log.error
                told(
                    "an utterance was not handled",
                    error_type=type(error).__name__,
                    place=f"{Path(place.filename).name}:{place.lineno}",
                    stopping=self._stopping,
                )
                self._fail(heard, type(error).__name__, "the assistant failed: say it again")
            finally:
                self._settle(heard.transcript.session_id)

    def _next(self) -> _Heard | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            return self._waiting.popleft() if self._waiting else None

    def _settle(self, session_id: str) -> None:
        with self._changed:
            self._open[session_id] -= 1
            if not self._open[session_id]:
                del self._open[session_id]
            self._changed.notify_all()

    def _work_on(self, heard: _Heard) -> None:
        said = heard.transcript
        if said.language not in self._loaded().languages:
            return
        assert said.language is not None
        assert said.source != "file"
        conversation = self._conversation(speaker_of(said, heard.conversation))
        try:
            turn = self._turn(said, said.language, conversation.dialogue)
        except ConfigurationError:  # its sentences were reported when they were loaded
            return
        self._count(turn.understanding)
        place = (said.session_id, said.utterance_id)
        asked = None if turn.question is None else turn.question.kind
        now = self._clock()
        heard.publish(IntentRecognized(turn.understanding, asked, *place, said.source, now))
        if not heard.execute:
            return
        result = None
        if turn.intent is not None:
            result = self._act(turn.intent, said.utterance_id)
            now = self._clock()
            self._telemetry.acted_after(now - (said.timestamp - said.latency))
            heard.publish(ActionCompleted(result, *place, now))
        if turn.understanding.intent is None and asked is None and not self._is_addressed(said):
            return
        answer = self._answer(_asked_back(turn), result, conversation.answer)
        if answer is not None:
            conversation.answer = answer
            heard.publish(AnswerGiven(answer, *place, said.source, now))

    def _conversation(self, speaker: Speaker) -> Conversation:
        """What is remembered of a speaker. The driver's time for an answer began when it was spoken."""
        one = self._conversations.of(speaker, self._loaded().understander)
        if speaker == speaker_named(DRIVERS_CONVERSATION) and self._answered_at is not None:
            one.dialogue.ended(self._answered_at)
            self._answered_at = None
        return one

    def _turn(self, said: Transcript, language: str, dialogue: Dialogue) -> Turn:
        """The text as a turn of its speaker's dialogue."""
        began = said.timestamp - said.latency - said.duration
        turn = dialogue.hear(said.text, language, said.confidence, self._clock(), began)
        if turn.question and turn.question.kind is Kind.MEANT and not self._is_addressed(said):
            # What people say to each other is like some command often enough, and nobody wants to be asked.
            dialogue.forget()
            return Turn(turn.understanding)
        return turn

    def _is_addressed(self, said: Transcript) -> bool:
        """Whether the speaker is sure to speak to the assistant."""
        return said.source != "microphone" or self._loaded().is_called

    def _fail(self, heard: _Heard, kind: str, message: str) -> None:
        self._telemetry.error("assistant", kind)
        heard.publish(ErrorOccurred("assistant", kind, message, self._clock()))


def _asked_back(turn: Turn) -> Understanding:
    """What was understood, with the sentence to ask for where it was heard badly: what was heard."""
    understanding = turn.understanding
    if turn.question is None or turn.question.kind is not Kind.SURE:
        return understanding
    return replace(understanding, alternatives=(), did_you_mean=understanding.text.rstrip(".!? "))
