"""Turns of one speaker: what continues the turn before, what answers a question, and what is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol

from rtap.errors import ConfigurationError
from rtap.intents.context import NOTHING_BEFORE, Context
from rtap.intents.intent import Intent, Understanding, Value
from rtap.intents.question import Kind, Question

DIALOGUE_SECONDS: Final = 10.0
"""How long the turn before counts, from its end to the beginning of the next one."""
LEAST_CONFIDENCE: Final = 0.5
"""Of hearing times matching; an intent that acts is asked for below it.

whisper-base-int8, English, recordings of people, half of the commands with the noise of a car at 5 or 0 dB:
of 104 commands that were transcribed rightly none is below it, of 63 single words one; of 100 that were not,
21.
"""

CONFIRM: Final = "Confirm"
REFUSE: Final = "Refuse"
CANCEL: Final = "Cancel"
UNDO: Final = "Undo"
REPEAT: Final = "Repeat"
_ANSWERS: Final = frozenset({CONFIRM, REFUSE, CANCEL, REPEAT})
"""Nobody is asked whether "yes" was meant."""


class Understands(Protocol):
    """What a dialogue needs of :class:`rtap.intents.understander.Understander`."""

    def understand(
        self, text: str, language: str, confidence: float = 1.0, context: Context = NOTHING_BEFORE
    ) -> Understanding:
        """The intent of a text after a turn."""

    def acts(self, intent: str, language: str) -> bool:
        """Whether an intent does something, and not only answers."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What becomes of one text."""

    understanding: Understanding
    """With the intent as the turn before completes it. Its intent is None where nothing may be done."""
    intent: Intent | None = None
    """What is to be carried out or answered now. Confirm, Refuse and Cancel never are: they end questions."""
    question: Question | None = None
    """What is to be asked now; never together with an intent."""
    dropped: Question | None = None
    """The question that ended with this turn and without what it asked for."""


@dataclass(frozen=True, slots=True)
class _Memory:
    """All that is kept between two turns."""

    context: Context
    language: str
    until: float
    """On the clock of whoever hands in the time, in seconds."""


class Dialogue:
    """The turns of one speaker, such as the microphone or a client of ``/stream``.

    It remembers one turn, for DIALOGUE_SECONDS. For one thread at a time; it reads no clock.

    Args:
        understander: understands single texts.
        least_confidence: of hearing times matching, 0 to 1. Below it an intent that acts is asked for.
    """

    def __init__(
        self, understander: Understands, least_confidence: float = LEAST_CONFIDENCE
    ) -> None:
        self._understander = understander
        self._least = least_confidence
        self._memory: _Memory | None = None

    def hear(
        self, text: str, language: str, confidence: float, now: float, began: float | None = None
    ) -> Turn:
        """Take the next text. What it says is taken for done: nobody reports it.

        Args:
            text: as Whisper writes it, or as typed.
            language: a code, such as de.
            confidence: of hearing, 0 to 1; 1 for text that was typed.
            now: seconds on any clock that does not go back.
            began: when the speaker began to speak, on the same clock, as this decides whether the turn before
                is forgotten; by default now.

        Raises:
            ConfigurationError: see :meth:`rtap.intents.understander.Understander.understand`.
        """
        memory = self._memory
        if memory is not None and (now if began is None else began) > memory.until:
            memory = self._memory = None
        context = memory.context if memory else NOTHING_BEFORE
        understood = self._understood(text, language, confidence, memory)
        if not text.strip():
            return Turn(understood)
        turn = self._turn(understood, context, confidence)
        after = _after(turn, context)
        if after == NOTHING_BEFORE:
            self._memory = None
        elif turn.intent or turn.question or memory is None:
            self._memory = _Memory(after, understood.language, now + DIALOGUE_SECONDS)
        return turn

    def ended(self, now: float) -> None:
        """The last turn ended only now, as its answer was spoken until here."""
        if self._memory is not None:
            self._memory = replace(self._memory, until=now + DIALOGUE_SECONDS)

    def forget(self) -> None:
        """End the dialogue, as if its time were over."""
        self._memory = None

    def _understood(
        self, text: str, language: str, confidence: float, memory: _Memory | None
    ) -> Understanding:
        """The text in its language or, if that says nothing, in the one of the turn before.

        The language of a word such as "no" is often detected wrongly.
        """
        context = memory.context if memory else NOTHING_BEFORE
        other = memory.language if memory else language
        try:
            understood = self._understander.understand(text, language, confidence, context)
            if language == other or understood.intent is not None:
                return understood
        except ConfigurationError:
            if language == other:
                raise
            understood = None
        again = self._understander.understand(text, other, confidence, context)
        return again if understood is None or again.intent is not None else understood

    def _turn(self, understood: Understanding, context: Context, confidence: float) -> Turn:
        question = context.question
        name = understood.intent.name if understood.intent else None
        if name == REPEAT:
            return Turn(understood, understood.intent)
        if name in (REFUSE, CANCEL):
            return Turn(understood, dropped=question)
        if name == CONFIRM:
            return self._confirmed(understood, question)
        turn = self._first(understood, confidence)
        if question is None:
            return turn
        wanted = turn.question.options[0] if turn.question else turn.intent
        if wanted is None:
            return _unanswered(turn, question)
        answered = any(_is_same(wanted, option) for option in question.options)
        return turn if answered else replace(turn, dropped=question)

    def _confirmed(self, understood: Understanding, question: Question | None) -> Turn:
        if question is None:
            return Turn(understood)
        if question.kind is Kind.WHICH or self._is_unsure(understood.intent):
            return _asked_again(Turn(replace(understood, intent=None)), question)
        intent = question.options[0]
        return Turn(replace(understood, intent=intent), intent)

    def _first(self, understood: Understanding, confidence: float) -> Turn:
        """A text that says by itself, or with the turn before, what is wanted."""
        intent = understood.intent
        if intent is not None:
            if self._is_unsure(intent) and self._acts(intent, understood):
                return _asked(understood, Question(Kind.SURE, (intent,)))
            return Turn(understood, intent)
        if len(options := understood.alternatives) > 1:
            return _asked(understood, Question(Kind.WHICH, options, slot=_difference(options)))
        if (sentence := understood.did_you_mean) is not None:
            language = understood.language
            meant = self._understander.understand(sentence, language, confidence).intent
            if meant is not None and meant.name not in _ANSWERS:
                return _asked(understood, Question(Kind.MEANT, (meant,), sentence=sentence))
        return Turn(understood)

    def _acts(self, intent: Intent, understood: Understanding) -> bool:
        return self._understander.acts(intent.name, understood.language)

    def _is_unsure(self, intent: Intent | None) -> bool:
        return intent is not None and intent.confidence * intent.matching < self._least


def _asked(understood: Understanding, question: Question) -> Turn:
    """A question is put, and until it is answered the text has no intent."""
    alternatives = () if question.kind is Kind.MEANT else question.options
    return Turn(replace(understood, intent=None, alternatives=alternatives), question=question)


def _unanswered(turn: Turn, question: Question) -> Turn:
    """A text that is no answer: which one of several is asked once more, else nothing is done."""
    if question.kind is Kind.WHICH:
        return _asked_again(turn, question)
    return replace(turn, dropped=question)


def _asked_again(turn: Turn, question: Question) -> Turn:
    if question.again:
        return replace(turn, dropped=question)
    return replace(turn, question=replace(question, again=True))


def _is_same(intent: Intent, other: Intent) -> bool:
    """Whether two intents do the same, in whatever words."""
    return intent.name == other.name and _values(intent) == _values(other)


def _values(intent: Intent) -> dict[str, Value]:
    return {slot.name: slot.value for slot in intent.slots}


def _difference(options: tuple[Intent, ...]) -> str | None:
    """The slot in which options differ, if they are the same in everything else."""
    if len({option.name for option in options}) > 1:
        return None
    names = {slot.name for option in options for slot in option.slots}
    differing = [name for name in names if len({option.value(name) for option in options}) > 1]
    return differing[0] if len(differing) == 1 else None


def _after(turn: Turn, before: Context) -> Context:
    """What the next turn has to know."""
    understood = turn.understanding.intent
    if turn.question is not None:
        return Context(question=turn.question)
    if turn.intent is not None and turn.intent.name != REPEAT:
        return NOTHING_BEFORE if turn.intent.name == UNDO else Context(previous=turn.intent)
    if turn.dropped is not None or (understood is not None and understood.name == CANCEL):
        return NOTHING_BEFORE
    return before
