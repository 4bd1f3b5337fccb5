"""Our engine when it pads everything to 30 s, as others do: what the short context is worth."""

from __future__ import annotations

from rtap.whisper.features import MAX_FRAMES
from tools.benchmarks.asr.adapters import rtap_engine


class Engine(rtap_engine.Engine):
    """See :class:`tools.benchmarks.asr.engine.Engine`."""

    def frames(self, samples: int) -> int:  # noqa: ARG002
        """Log-mel frames that are encoded."""
        return MAX_FRAMES
