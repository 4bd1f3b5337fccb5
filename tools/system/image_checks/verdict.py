"""What a check of ``tools/image_check`` is, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rtap.errors import RTAPException
from tools.system.image_checks.workshop import Workshop


class CheckFailed(RTAPException):
    """What was checked is not as it shall be."""


class CannotCheck(RTAPException):
    """Something that the check needs is not here; the message says how to get it."""


Outcome = Literal["ok", "failed", "skipped"]

Need = Callable[[Workshop], None]
"""Raises CannotCheck where it is not met."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table."""

    name: str
    what: str
    run: Callable[[Workshop], str]
    """Returns what was seen; raises CheckFailed, CannotCheck or another error of this project."""
    needs: Sequence[Need] = ()
    is_quick: bool = False
    """Whether it takes seconds, without bitbake and without mirrors."""

    def require(self, workshop: Workshop) -> None:
        """Raises: CannotCheck: the machine lacks something that it needs."""
        for need in self.needs:
            need(workshop)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a check ended."""

    name: str
    verdict: Outcome
    message: str
    seconds: float
