"""How much of what was meant was understood: one utterance, and summed up. Nothing here knows a grammar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tools.model.evaluation.bootstrap import Interval, interval
from tools.model.evaluation.meaning import Meaning

_HOUR = 3_600


class Verdict(StrEnum):
    """What became of an utterance."""

    RIGHT = "right"
    """The intent that was meant, with its slots."""
    OTHER_SLOTS = "other slots"
    """The intent that was meant, with other slots."""
    OTHER_INTENT = "other intent"
    MISSED = "missed"
    """A command was meant, and nothing understood."""
    FALSE = "false"
    """No command was meant, and one understood."""
    LEFT_ALONE = "left alone"
    """No command was meant, and none understood."""


class Cause(StrEnum):
    """Why something was not understood as it was meant."""

    HEARD_WRONG = "heard wrong"
    """The words that were said would have been understood."""
    MATCHED_WRONG = "matched wrong"
    """The words that were said mean something else to the grammar."""
    NOT_IN_GRAMMAR = "not in the grammar"
    """The words that were said mean nothing to the grammar."""


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """Slots that were meant, and what is wrong with those that were understood."""

    meant: int = 0
    wrong: int = 0
    """With another value."""
    missing: int = 0
    added: int = 0

    @property
    def errors(self) -> int:
        """All of them."""
        return self.wrong + self.missing + self.added

    def __add__(self, other: SlotCounts) -> SlotCounts:
        return SlotCounts(
            self.meant + other.meant,
            self.wrong + other.wrong,
            self.missing + other.missing,
            self.added + other.added,
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was meant by one utterance, and what was understood."""

    meant: Meaning
    said: Meaning
    """What the words that were said mean to the grammar."""
    understood: Meaning
    """What the words that were heard mean to it."""
    acts: bool
    """Whether what was understood does more than answer a question."""
    seconds: float
    """Length of the audio."""
    is_asked: bool = False
    """Whether the speaker is asked before it is done, as it was not heard well."""

    @property
    def verdict(self) -> Verdict:
        """How both compare."""
        if self.understood == self.meant:
            return Verdict.RIGHT if self.meant else Verdict.LEFT_ALONE
        if not self.meant:
            return Verdict.FALSE
        if not self.understood:
            return Verdict.MISSED
        same = self.understood.intent == self.meant.intent
        return Verdict.OTHER_SLOTS if same else Verdict.OTHER_INTENT

    @property
    def is_wrong_action(self) -> bool:
        """Whether something is done that was not asked for."""
        is_done = self.acts and bool(self.understood) and not self.is_asked
        return is_done and self.understood != self.meant

    @property
    def cause(self) -> Cause | None:
        """Why it is not right; None where it is."""
        if self.understood == self.meant:
            return None
        if self.said == self.meant:
            return Cause.HEARD_WRONG
        return Cause.MATCHED_WRONG if self.said else Cause.NOT_IN_GRAMMAR

    @property
    def slots(self) -> SlotCounts:
        """Of a command whose intent is right; 0 for all others, whose slots cannot be compared."""
        if self.verdict not in (Verdict.RIGHT, Verdict.OTHER_SLOTS):
            return SlotCounts()
        meant, understood = dict(self.meant.slots), dict(self.understood.slots)
        return SlotCounts(
            meant=len(meant),
            wrong=sum(understood[name] != meant[name] for name in meant.keys() & understood.keys()),
            missing=len(meant.keys() - understood.keys()),
            added=len(understood.keys() - meant.keys()),
        )


@dataclass(frozen=True, slots=True)
class IntentSummary:
    """Figures of several utterances. Those that are no commands are counted apart."""

    commands: int
    intents_right: int
    right: int
    """Intent and slots."""
    asked: int
    """Those that are right, and done only when the speaker has said yes."""
    missed: int
    wrong_actions: int
    """Commands for which something else was done."""
    slots: SlotCounts
    intents_interval: Interval | None
    """In which the share of the right intents would be with other commands of this kind."""
    right_interval: Interval | None
    others: int
    """Utterances that are no commands, and files in which nobody speaks."""
    other_seconds: float
    """Length of their audio."""
    other_intents: int
    """Those for which any intent was understood."""
    other_actions: int
    """Those for which something was done."""

    @property
    def intent_rate(self) -> float | None:
        """Share of the commands whose intent is right; None without commands."""
        return self.intents_right / self.commands if self.commands else None

    @property
    def right_rate(self) -> float | None:
        """Share of the commands whose intent and slots are right; None without commands."""
        return self.right / self.commands if self.commands else None

    @property
    def slot_error_rate(self) -> float | None:
        """Errors per slot that was meant; None where no slot was."""
        return self.slots.errors / self.slots.meant if self.slots.meant else None

    @property
    def wrong_action_rate(self) -> float | None:
        """Share of the commands for which something else was done; None without commands."""
        return self.wrong_actions / self.commands if self.commands else None

    @property
    def other_actions_per_hour(self) -> float | None:
        """What is done per hour of audio without a command; None without such audio."""
        return self.other_actions * _HOUR / self.other_seconds if self.other_seconds else None


def summarize_intents(judgements: Iterable[Judgement]) -> IntentSummary:
    """Add up."""
    everything = list(judgements)
    commands = [one for one in everything if one.meant]
    others = [one for one in everything if not one.meant]
    intents = [int(one.understood.intent == one.meant.intent) for one in commands]
    right = [int(one.verdict is Verdict.RIGHT) for one in commands]
    return IntentSummary(
        commands=len(commands),
        intents_right=sum(intents),
        right=sum(right),
        asked=sum(one.verdict is Verdict.RIGHT and one.is_asked for one in commands),
        missed=sum(one.verdict is Verdict.MISSED for one in commands),
        wrong_actions=sum(one.is_wrong_action for one in commands),
        slots=sum((one.slots for one in commands), SlotCounts()),
        intents_interval=interval([(one, 1) for one in intents]),
        right_interval=interval([(one, 1) for one in right]),
        others=len(others),
        other_seconds=sum(one.seconds for one in others),
        other_intents=sum(one.verdict is Verdict.FALSE for one in others),
        other_actions=sum(one.is_wrong_action for one in others),
    )
