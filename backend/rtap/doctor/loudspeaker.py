"""Whether answers are heard."""

from __future__ import annotations

from rtap.audio.native_stderr import decoder_notes_hidden
from rtap.config import Config
from rtap.doctor.finding import Finding
from rtap.doctor.microphone import container_hint
from rtap.doctor.packages import require_packages
from rtap.errors import SpeakerError


def check_loudspeaker(config: Config) -> Finding:
    """Whether the configured voice is installed, and the loudspeaker opens."""
    require_packages()
    from rtap.answers.output import Loudspeaker
    from rtap.answers.voice.choice import make_voice

    answers = config.answers
    if not answers.enabled:
        return Finding("ok", "not used, answers.enabled is false")
    voice = make_voice(answers)
    if voice is None and not answers.earcons:
        return Finding("ok", "not used, answers.voice and answers.earcons are off")
    try:
        with decoder_notes_hidden():  # ALSA's library writes notes
            Loudspeaker(answers.device).open().close()
    except SpeakerError as error:
        # Commands are understood and done nevertheless.
        return Finding("warning", str(error), container_hint())
    finally:
        if voice is not None:
            voice.close()
    if voice is None and answers.voice == "auto":
        return Finding(
            "warning",
            f"{answers.device}: tones only, as there is no voice",
            "run `apt-get install espeak-ng`, or set answers.voice to none",
        )
    return Finding("ok", answers.device)
