"""What was before, for undoing: the last few actions, also in a form for a file."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

from rtap.intents.intent import Value

LONGEST: Final = 16
"""Actions that can be undone, one after the other."""
Before = Mapping[str, Value]
"""The values by path that an action replaced; empty: it cannot be undone."""


class History:
    """The last few actions, the newest last. Knows no thread: its owner locks."""

    def __init__(self) -> None:
        self._actions: deque[Before] = deque(maxlen=LONGEST)

    @property
    def last(self) -> Before | None:
        """Of the last action that was not taken back."""
        return self._actions[-1] if self._actions else None

    def add(self, before: Before) -> None:
        """Something was done."""
        self._actions.append(dict(before))

    def drop(self) -> None:
        """The last action was taken back."""
        self._actions.pop()

    def plain(self) -> list[dict[str, Value]]:
        """For JSON."""
        return [dict(before) for before in self._actions]

    def restore(self, plain: object) -> None:
        """Take over what :meth:`plain` gave; what is not of that form is left out."""
        for before in plain if isinstance(plain, list) else ():
            if isinstance(before, dict):
                self.add({path: value for path, value in before.items() if _is_value(value)})


def _is_value(value: object) -> bool:
    return isinstance(value, str | int | float)
