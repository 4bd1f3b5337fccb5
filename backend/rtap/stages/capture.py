"""Where sound comes from: a microphone, a file, or sound made up for tests, as 16 kHz chunks."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from rtap import logs
from rtap.audio import portaudio
from rtap.audio.downmix import mixed
from rtap.audio.file import AudioFile
from rtap.audio.format import SAMPLE_RATE, Samples
from rtap.errors import ConfigurationError, PipelineError
from rtap.events import AudioChunk

if TYPE_CHECKING:
    from rtap.config import AudioConfig

_log = logs.get("capture")

STALL_SECONDS: Final = 2.0
"""A microphone that delivers nothing for so long is lost."""
_BACKLOG_SECONDS: Final = 2.0
"""What a microphone keeps for a reader who is late."""


class AudioSource(Protocol):
    """A stream of sound."""

    def chunks(self) -> Iterator[AudioChunk]:
        """Wait for sound and give it, all chunks of the same length; ends with the source or :meth:`close`.

        Raises:
            PipelineError: the source was lost; it may be opened again later.
        """

    def close(self) -> None:
        """End :meth:`chunks` within 0.2 s, from any thread; chunks come no more."""


def make_source(config: AudioConfig) -> AudioSource | None:
    """The configured source, not yet opened; None when nothing is to be captured.

    Raises:
        ConfigurationError: the source cannot be had as configured.
    """
    if config.source == "none":
        return None
    if config.source == "mock":
        return MockSource(config.frame_ms)
    if config.source == "microphone":
        return Microphone(config)
    if config.file is None:
        raise ConfigurationError("audio.source is file: set audio.file to the file to play")
    return FileSource(config.file, config.frame_ms, real_time=config.real_time)


class FileSource:
    """Plays an audio file of any kind once. The last chunk is filled up with silence.

    Args:
        path: an audio file.
        frame_ms: length of a chunk.
        real_time: a chunk comes when it would have been spoken, not as soon as it can be read.

    :meth:`chunks` raises AudioError where the file cannot be read.
    """

    def __init__(self, path: Path, frame_ms: int, real_time: bool) -> None:  # noqa: FBT001 (its name says it)
        self._path = path
        self._frame = _frame_samples(frame_ms)
        self._real_time = real_time
        self._closed = threading.Event()

    def chunks(self) -> Iterator[AudioChunk]:
        """See :meth:`AudioSource.chunks`."""
        pace = Pace(self._closed)
        with AudioFile.open(self._path, str(self._path), _log.warning) as file:
            for block in file.blocks(self._frame / SAMPLE_RATE):
                if self._real_time:
                    pace.wait(self._frame)
                if self._closed.is_set():
                    return
                missing = self._frame - block.size
                yield AudioChunk(np.pad(block, (0, missing)) if missing else block, time.time())

    def close(self) -> None:
        """See :meth:`AudioSource.close`."""
        self._closed.set()


class MockSource:
    """Faint noise, with something like a spoken command of a second in every six; the same in each run.

    Args:
        frame_ms: length of a chunk.
        is_silent: digital silence instead.
        real_time: at the speed of sound, not as fast as possible.
    """

    def __init__(self, frame_ms: int, *, is_silent: bool = False, real_time: bool = True) -> None:
        self._frame = _frame_samples(frame_ms)
        self._period = _mock_silence() if is_silent else _mock_speech()
        self._real_time = real_time
        self._closed = threading.Event()

    def chunks(self) -> Iterator[AudioChunk]:
        """See :meth:`AudioSource.chunks`; never ends by itself."""
        pace = Pace(self._closed)
        position = np.arange(self._frame)
        while True:
            if self._real_time:
                pace.wait(self._frame)
            if self._closed.is_set():
                return
            yield AudioChunk(np.take(self._period, position, mode="wrap"), time.time())
            position = (position + self._frame) % self._period.size

    def close(self) -> None:
        """See :meth:`AudioSource.close`."""
        self._closed.set()


class Microphone:
    """A capture device of this machine, through PortAudio. One may be open in a process at a time.

    Each :meth:`chunks` looks for devices anew and opens the configured one, so a microphone that was
    unplugged is found again. A device that does not run at 16 kHz mono runs at its own rate and number of
    channels and is converted: two channels are averaged, unless they cancel each other; of more the first
    is taken, where microphone arrays put their processed signal. A chunk's time is when PortAudio handed it
    over.

    Args:
        config: ``device`` is default, an ALSA name such as ``plughw:CARD=Device``, or a part of PortAudio's
            name. The card of an ALSA name is opened directly; conversion is done here.
        stall_seconds: a device that delivers nothing for so long is lost.

    Raises:
        ConfigurationError: PortAudio is not installed.
    """

    def __init__(self, config: AudioConfig, *, stall_seconds: float = STALL_SECONDS) -> None:
        self._sounddevice = portaudio.import_sounddevice("microphones", "set audio.source to none")
        self._wanted = config.device
        self._frame = _frame_samples(config.frame_ms)
        self._stall_seconds = stall_seconds
        self._closed = threading.Event()
        self._blocks: queue.SimpleQueue[_Block | None] = queue.SimpleQueue()
        self.overflows = 0
        """How often sound was lost, in the driver or because nobody took the chunks."""

    def chunks(self) -> Iterator[AudioChunk]:
        """See :meth:`AudioSource.chunks`.

        Raises:
            PipelineError: there is no such device, it cannot be opened, or it was unplugged.
        """
        # The end of an earlier stream may still be in the earlier queue.
        blocks = self._blocks = queue.SimpleQueue()
        if self._closed.is_set():
            return
        with portaudio.listed(self._sounddevice, "input", wait=True) as devices:
            device = self._find_device(devices)
            rate, channels = self._choose_format(device)
            stream = self._open(device, rate, channels, blocks)
        with contextlib.closing(stream):
            yield from self._listen(blocks, rate)
        if not self._closed.is_set():
            with portaudio.listed(self._sounddevice, "input", wait=False) as devices:
                raise PipelineError(
                    f"the microphone {device['name']} delivers no sound any more: plug it in again. "
                    f"{_say_devices(devices)}"
                )

    def close(self) -> None:
        """See :meth:`AudioSource.close`."""
        self._closed.set()
        self._blocks.put(None)

    def _listen(self, blocks: queue.SimpleQueue[_Block | None], rate: int) -> Iterator[AudioChunk]:
        """Chunks, until there are no more blocks."""
        convert = _Converter(rate, self._frame)
        while not self._closed.is_set():
            try:
                block = blocks.get(timeout=self._stall_seconds)
            except queue.Empty:
                return
            if block is None:
                return
            yield from convert.chunks(block)

    def _find_device(self, devices: Sequence[portaudio.Device]) -> portaudio.Device:
        if not devices:
            raise PipelineError(
                "no microphone was found: plug one in (`arecord -l` lists them), or set audio.source to none"
            )
        try:
            return portaudio.find(self._sounddevice, devices, self._wanted, "input")
        except portaudio.NoDeviceError as error:
            raise PipelineError(
                f"no microphone is called {self._wanted}: plug it in, or set audio.device (AUDIO_DEVICE) to "
                f"another. {_say_devices(devices)}"
            ) from error

    def _choose_format(self, device: portaudio.Device) -> tuple[int, int]:
        """Rate and channels that the device takes, as near to 16 kHz mono as it can."""
        try:
            return portaudio.choose_format(self._sounddevice, device, "input", SAMPLE_RATE)
        except portaudio.NoDeviceError as error:
            raise _cannot_open(device, error) from error

    def _open(
        self,
        device: portaudio.Device,
        rate: int,
        channels: int,
        blocks: queue.SimpleQueue[_Block | None],
    ) -> portaudio.OpenStream:
        blocksize = round(rate * self._frame / SAMPLE_RATE)
        backlog = max(2, round(_BACKLOG_SECONDS * rate / blocksize))

        def hear(sound: NDArray[np.float32], _frames: int, _times: object, status: Any) -> None:
            # In PortAudio's thread: nothing here may wait.
            self.overflows += bool(status.input_overflow)
            if blocks.qsize() >= backlog:
                self.overflows += 1
            else:
                blocks.put(_Block(sound.copy(), time.time()))

        try:
            stream = self._sounddevice.InputStream(
                device=device["index"],
                samplerate=rate,
                channels=channels,
                dtype="float32",
                blocksize=blocksize,
                latency=portaudio.LATENCY_SECONDS,
                callback=hear,
                finished_callback=lambda: blocks.put(None),
            )
        except self._sounddevice.PortAudioError as error:
            raise _cannot_open(device, error) from error
        opened = portaudio.OpenStream(stream)
        try:
            stream.start()
        except self._sounddevice.PortAudioError as error:
            opened.close()
            raise _cannot_open(device, error) from error
        return opened


class Pace:
    """Waits until the next samples are due. Counted from the first call on, so lateness does not add up.

    Args:
        closed: ends every wait.
        clock: seconds, from any beginning.
    """

    def __init__(
        self, closed: threading.Event, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._closed = closed
        self._clock = clock
        self._start: float | None = None
        self._samples = 0

    def wait(self, samples: int) -> None:
        """Until these samples, which follow those of the last call, would have been spoken."""
        now = self._clock()
        if self._start is None:
            self._start = now
        self._samples += samples
        self._closed.wait(max(0.0, self._start + self._samples / SAMPLE_RATE - now))


class _Block(NamedTuple):
    """What PortAudio hands over at a time."""

    sound: NDArray[np.float32]
    """Shape (frames, channels), at the device's rate."""
    captured_at: float


class _Converter:
    """Makes 16 kHz mono chunks of one length from blocks of any rate and number of channels."""

    def __init__(self, rate: int, frame: int) -> None:
        self._frame = frame
        self._resampler = None
        if rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        self._remainder: Samples = np.empty(0, dtype=np.float32)
        self._channel: int | None = None
        """The one that is used since the other cancelled it."""

    def chunks(self, block: _Block) -> Iterator[AudioChunk]:
        """Those that this block completes."""
        mono = self._mono(block.sound)
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(np.ascontiguousarray(mono))
        joined = np.concatenate((self._remainder, np.clip(mono, -1.0, 1.0)))
        whole = joined.size - joined.size % self._frame
        self._remainder = joined[whole:].copy()
        for end in range(self._frame, whole + 1, self._frame):
            behind = (joined.size - end) / SAMPLE_RATE
            yield AudioChunk(joined[end - self._frame : end], block.captured_at - behind)

    def _mono(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        if sound.shape[1] != 2:
            return sound[:, 0]
        before = self._channel
        mono, self._channel = mixed(sound, before)
        if self._channel is not None and before is None:
            _log.warning(
                "the two channels of the microphone cancel each other: channel %d alone is used, check how "
                "it is wired",
                self._channel + 1,
            )
        return mono


def _frame_samples(frame_ms: int) -> int:
    return frame_ms * SAMPLE_RATE // 1000


def _say_devices(devices: Sequence[portaudio.Device]) -> str:
    names = "; ".join(str(device["name"]) for device in devices)
    return f"Microphones here: {names or 'none'}"


def _cannot_open(device: portaudio.Device, error: Exception | None) -> PipelineError:
    return PipelineError(
        f"the microphone {device['name']} cannot be opened ({error}): end the program that holds it "
        f"(`fuser -v /dev/snd/*` shows it), or set audio.device to another"
    )


def _mock_silence() -> Samples:
    return np.zeros(SAMPLE_RATE, dtype=np.float32)


def _mock_speech() -> Samples:
    """Six seconds: noise, and syllables of a buzzing voice whose loudest overtones are those of vowels."""
    rng = np.random.default_rng(0)
    seconds = 6
    noise = rng.normal(0.0, 0.001, seconds * SAMPLE_RATE)
    time_ = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    pitch = 2 * np.pi * np.cumsum(120 + 15 * np.sin(2 * np.pi * 1.5 * time_)) / SAMPLE_RATE
    formants = np.repeat(
        rng.permutation([(700, 1200), (300, 2200), (500, 900), (400, 1900)]),
        SAMPLE_RATE // 4,
        axis=0,
    )
    voice = np.zeros(SAMPLE_RATE)
    for overtone in range(1, 30):
        distance = np.abs(120.0 * overtone - formants)
        voice += np.exp(-distance / 150).sum(axis=1) * np.sin(overtone * pitch)
    syllables = np.sin(np.pi * 4 * time_) ** 2
    noise[2 * SAMPLE_RATE : 3 * SAMPLE_RATE] += 0.3 * syllables * voice / np.abs(voice).max()
    return noise.astype(np.float32)
