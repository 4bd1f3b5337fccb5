"""Whether the models are there and work: speech, wake word, language and sentiment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from rtap.config import Config
from rtap.doctor.finding import MB, Finding
from rtap.doctor.packages import REINSTALL, require_packages
from rtap.whisper.model_store import ModelStore

if TYPE_CHECKING:
    from rtap.whisper.model_directory import ModelDirectory

_INFERENCE_SECONDS: Final = 120.0
_SLOW_SECONDS: Final = 1.0
"""A second of audio may not take longer than itself."""


def check_model(config: Config) -> Finding:
    """The configured model: every byte of it, and an inference as the service makes it."""
    require_packages()
    from rtap.app import RTAPApplication

    directory = configured_model(config)
    directory.verify()
    manifest = directory.manifest
    said = f"{manifest.name} ({manifest.precision}, {manifest.bytes / MB:.1f} MB), SHA-256 correct"
    stt = RTAPApplication(config).stt
    stt.start()
    try:
        seconds = stt.probe().result(timeout=_INFERENCE_SECONDS)
    except TimeoutError:
        fix = "choose a smaller model (stt.model_name), or end what else runs"
        return Finding("problem", f"{said}; no inference in {_INFERENCE_SECONDS:.0f} s", fix)
    finally:
        stt.stop(1.0)
    said += f", a second of audio takes {seconds:.2f} s"
    if seconds > _SLOW_SECONDS:
        fix = "choose a smaller model (`rtap models list`, stt.model_name), or one in int8"
        return Finding("warning", said, fix)
    if _store(config).choose(config.stt.model_name).warning:
        return Finding("warning", f"{said}; it does not understand people reliably", "`make model`")
    return Finding("ok", said)


def check_wake_word(config: Config) -> Finding:
    """Whether the engine starts and takes sound."""
    if not config.wakeword.enabled:
        return Finding("ok", "off (wakeword.enabled)")
    require_packages()
    import numpy as np

    from rtap.audio.format import SAMPLE_RATE
    from rtap.stages.wakeword import make_wake_word

    wake_word = make_wake_word(config.wakeword)
    assert wake_word is not None
    wake_word.detect(np.zeros(SAMPLE_RATE // 2, dtype=np.float32))
    return Finding("ok", f"{config.wakeword.keyword} ({config.wakeword.engine})")


def check_language(config: Config) -> Finding:
    """Whether the models that judge a text are there: tried on one that both must have an opinion of."""
    wanted = config.language
    if not (wanted.detection or wanted.sentiment):
        return Finding("ok", "off (language.detection, language.sentiment)")
    require_packages()
    from rtap.events import Transcript
    from rtap.stages.language import Annotator

    text = "thank you, that was a wonderful drive through the mountains"
    plain = Transcript(text, "", "", "en", 0.5, 1.0, 0.0, 0.0, 0.0, 1.0, "file")
    judged = Annotator(wanted, ()).annotate(plain)
    missing = []
    if wanted.detection and judged.language_probability == plain.language_probability:
        missing.append("detection")
    if wanted.sentiment and judged.sentiment is None:
        missing.append("sentiment")
    if missing:
        settings = " and ".join(f"language.{name}" for name in missing)
        fix = f"`{REINSTALL}`, or set {settings} to false"
        return Finding("warning", f"no {' and no '.join(missing)}, transcripts go without", fix)
    here = ["detection"] * wanted.detection + ["sentiment"] * wanted.sentiment
    return Finding("ok", ", ".join(here))


def configured_model(config: Config) -> ModelDirectory:
    """The one that the service takes.

    Raises:
        ModelError: it is not there, or damaged.
    """
    return _store(config).resolve(config.stt.model_name)


def _store(config: Config) -> ModelStore:
    return ModelStore.from_environment(os.environ, config.models_dir)
