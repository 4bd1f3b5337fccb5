"""What our own code costs beside the models: per utterance and per 20 ms of sound."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rtap.config import Config
from tools.benchmarks.figures import distribution
from tools.benchmarks.result import Figure, Result, percentiles
from tools.benchmarks.service.pipeline_rig import Rig, ScriptedEngine, ScriptedVad
from tools.benchmarks.service.plan import Plan

if TYPE_CHECKING:
    from rtap.stages.stt_jobs import Engine

NAME: Final = "overhead"
WHAT: Final = """\
The microphone's pipeline in this process, one frame of 20 ms after the other: capture thread, ring buffer,
noise suppression, voice activity, segmenter, inference worker, language and sentiment, metrics, bus. Not in
it: the wake word (a model of its own, which runs only before a session), and the network.

- *per utterance*: from the source handing over the last frame that is needed, the one after which the
  segmenter sees the end of the utterance, until a subscriber of the bus has the transcript; without the time
  in which the voice activity model or the speech model was at work, for a partial result too.
- *per frame*: what the pipeline does with one frame, without the time in the voice activity model.

*Scripted* has both models replaced by answers that are known beforehand. *Real models* has the real ones,
whose time is measured around their calls and taken off; what they leave behind in the caches is in it."""

TARGET_MS: Final = 2.34
_UTTERANCES, _QUICK_UTTERANCES = 1_000, 20
_REAL_UTTERANCES, _REAL_QUICK_UTTERANCES = 200, 3


def measure(plan: Plan) -> Result:
    """The overhead with scripted models, then with real ones."""
    scripted = Rig(ScriptedVad(), ScriptedEngine)
    scripted.run(plan.size(_UTTERANCES, _QUICK_UTTERANCES))
    real = _real_rig(plan)
    real.run(plan.size(_REAL_UTTERANCES, _REAL_QUICK_UTTERANCES))
    return Result(
        NAME,
        WHAT,
        (*_figures(scripted, "scripted", TARGET_MS), *_figures(real, "real models", None)),
        (_amount(scripted, "scripted"), _amount(real, "with real models")),
    )


def _figures(rig: Rig, kind: str, limit: float | None) -> Iterable[Figure]:
    per_utterance = distribution([1000 * one for one in rig.per_utterance])
    per_frame = distribution([1000 * one for one in rig.per_frame])
    yield from percentiles(f"per utterance, {kind}", per_utterance, "ms", limit)
    yield from percentiles(f"per frame, {kind}", per_frame, "ms")


def _amount(rig: Rig, kind: str) -> str:
    return f"{len(rig.per_utterance)} utterances, {len(rig.per_frame)} frames {kind}."


def _real_rig(plan: Plan) -> Rig:
    from rtap.stages.vad import Vad
    from rtap.whisper.engine import WhisperEngine
    from rtap.whisper.load_model import load_model
    from tools.benchmarks.service.model import find_model

    def load() -> Engine:
        model = load_model(
            find_model(plan.settings), plan.settings.threads or Config().stt.num_threads
        )
        return WhisperEngine(model, Vad)

    return Rig(Vad(), load)
