"""How much is to be measured, and on which service."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.benchmarks.service.service_process import ServiceSettings


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asks for."""

    is_quick: bool = False
    """Whether it is enough to see that everything can be measured."""
    minutes: float | None = None
    """For what is watched over time; None: as long as the measurement finds right."""
    settings: ServiceSettings = field(default_factory=ServiceSettings)

    def size(self, whole: int, quick: int) -> int:
        """One of the two."""
        return quick if self.is_quick else whole
