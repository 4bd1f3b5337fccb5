"""Puts sessions and the microphone's pipeline together as configured, for the service and `rtap listen`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtap.audio.ring_buffer import AudioRingBuffer
from rtap.pipeline.microphone import AudioPipeline
from rtap.pipeline.session import Equipment
from rtap.stages.denoise import Denoiser
from rtap.stages.vad import Vad
from rtap.stages.wakeword import make_wake_word

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtap.config import Config, PreprocessConfig
    from rtap.events import Event
    from rtap.pipeline.microphone import SessionFactory
    from rtap.pipeline.session import Recognizer
    from rtap.stages.capture import AudioSource
    from rtap.stages.language import Annotator
    from rtap.telemetry import Telemetry


def make_equipment(
    config: Config,
    recognizer: Recognizer,
    annotator: Annotator,
    *,
    is_clean: bool = False,
    partials: bool = True,
    speculation: bool = True,
) -> Equipment:
    """What one session works with.

    Args:
        is_clean: the sound was cleaned before it comes to the session.
        partials: whether there are partial results, which cost inferences.
        speculation: whether to transcribe at a pause, where that is configured.
    """
    return Equipment(
        vad=Vad(),
        cleaner=Denoiser(0, 0) if is_clean else _denoiser(config.preprocess),
        vad_config=config.vad,
        recognizer=recognizer,
        annotate=annotator.annotate,
        partial_interval=config.stt.partial_interval_ms / 1000 if partials else None,
        speculation=config.stt.decode_at_pause and speculation,
    )


def make_pipeline(
    config: Config,
    *,
    make_source: Callable[[], AudioSource],
    make_session: SessionFactory,
    publish: Callable[[Event], None],
    telemetry: Telemetry,
) -> AudioPipeline:
    """The way of the microphone's sound. It cleans the sound itself, since the wake word needs it clean too.

    Raises:
        ConfigurationError: the wake word cannot be had as configured.
    """
    return AudioPipeline(
        config,
        make_source=make_source,
        denoiser=_denoiser(config.preprocess),
        wake_word=make_wake_word(config.wakeword),
        make_session=make_session,
        ring_buffer=AudioRingBuffer(config.audio.ring_buffer_size_ms, config.audio.frame_ms),
        publish=publish,
        telemetry=telemetry,
    )


def _denoiser(config: PreprocessConfig) -> Denoiser:
    return Denoiser(config.noise_suppression, config.auto_gain_dbfs)
