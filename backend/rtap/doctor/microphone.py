"""Whether sound comes in."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from rtap.audio.native_stderr import decoder_notes_hidden
from rtap.config import AudioConfig, Config
from rtap.doctor.finding import Finding
from rtap.doctor.packages import require_packages
from rtap.doctor.system_files import system_file
from rtap.errors import ConfigurationError, PipelineError

if TYPE_CHECKING:
    from rtap.stages.capture import Microphone

_LISTEN_SECONDS: Final = 0.5
_TOO_QUIET, _TOO_LOUD = -80.0, -3.0
"""dBFS: of a microphone that is muted, and of one whose gain cuts the peaks off."""


def check_microphone(config: Config) -> Finding:
    """Whether the configured one opens, and hears something."""
    audio = config.audio
    require_packages()
    if audio.source != "microphone":
        return _judge_other_source(audio)
    from rtap.stages.capture import Microphone

    microphone = Microphone(audio)
    try:
        with decoder_notes_hidden():  # ALSA's library writes notes too
            level, names = _listen(microphone, audio.frame_ms)
    except PipelineError as error:
        return Finding("problem", str(error), container_hint())
    said = (
        f"{audio.device}: {round(level)} dBFS in {_LISTEN_SECONDS} s; there are {'; '.join(names)}"
    )
    if level <= _TOO_QUIET:
        return Finding("warning", said, "it is muted: raise its level with `alsamixer -V capture`")
    if level >= _TOO_LOUD:
        return Finding("warning", said, "too loud: lower its level with `alsamixer -V capture`")
    return Finding("ok", said)


def _judge_other_source(audio: AudioConfig) -> Finding:
    if audio.source != "file":
        return Finding("ok", f"not used, audio.source is {audio.source}")
    from rtap.audio.file import AudioFile

    if audio.file is None:
        raise ConfigurationError("audio.source is file: set audio.file to the file to play")
    with AudioFile.open(audio.file, str(audio.file)):
        return Finding("ok", f"not used, audio.source is file ({audio.file})")


def _listen(microphone: Microphone, frame_ms: int) -> tuple[float, list[str]]:
    """The level in dBFS, and the names of all devices that record."""
    import numpy as np
    import sounddevice

    from rtap.audio.level import dbfs

    chunks = microphone.chunks()
    try:
        wanted = max(1, round(1000 * _LISTEN_SECONDS / frame_ms))
        sound = [chunk.samples for chunk in islice(chunks, wanted)]
        devices = [one for one in sounddevice.query_devices() if one["max_input_channels"] > 0]
    finally:
        microphone.close()
        for _ in chunks:  # it closes the device at its end
            pass
    return dbfs(np.concatenate(sound)), [str(device["name"]) for device in devices]


def container_hint() -> str:
    """What a container without sound cards lacks; empty elsewhere."""
    marks = (system_file(".dockerenv"), system_file("run/.containerenv"))
    if system_file("dev/snd").exists() or not any(mark.exists() for mark in marks):
        return ""
    return (
        "this is a container without /dev/snd: start it with `--device /dev/snd --group-add audio`"
    )
