"""What an adaptation achieved, and whether that is enough to go without padding."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from tools.model.adaptation.agreement import Agreement

if TYPE_CHECKING:
    from rtap.whisper.model_directory import Elastic
    from tools.model.adaptation.training import Losses

ALLOWED: Final = 0.02
"""Word errors that a short context may add before a model is still called native."""


@dataclass(frozen=True, slots=True)
class Result:
    """Figures on the held-out clips; full is the context that the checkpoint was trained on, 30 s."""

    losses: Losses
    original_full: Agreement
    original_short: Agreement
    adapted_short: Agreement
    adapted_full: Agreement

    @property
    def elastic(self) -> Elastic:
        """Native where the adapted model hears short what the original hears in full; that nothing is heard
        proves nothing.
        """
        short, full = self.adapted_short.text_error_rate, self.original_full.text_error_rate
        if short is None or full is None:
            short, full = self.adapted_short.error_rate, 0.0
        if short is None:
            return "guarded"
        return "native" if short <= full + ALLOWED else "guarded"

    def to_json(self) -> dict[str, Any]:
        """For the mark beside the weights."""
        return asdict(self)

    def __str__(self) -> str:
        rows = [
            ("original, full", self.original_full),
            ("original, short", self.original_short),
            ("adapted, short", self.adapted_short),
            ("adapted, full", self.adapted_full),
        ]
        lines = [f"{'context':17}{'as original':>12}{'word errors':>13}{'against texts':>15}"]
        lines += [
            f"{name:17}{f'{row.same}/{row.clips}':>12}{_percent(row.error_rate):>13}"
            f"{_percent(row.text_error_rate):>15}"
            for name, row in rows
        ]
        return "\n".join(lines)


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"
