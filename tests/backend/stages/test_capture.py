"""Files, made-up sound, and the microphone, on a module with the documented API of sounddevice."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import rtap.audio.portaudio
from rtap.config import AudioConfig
from rtap.errors import AudioError, ConfigurationError, PipelineError
from rtap.events import AudioChunk
from rtap.stages import capture
from rtap.stages.capture import AudioSource, FileSource, Microphone, MockSource, Pace, make_source
from rtap.stages.vad import Vad
from tests.deadlines import SOON

Sound = NDArray[np.float32]
Heard = Callable[[Sound, int, object, Any], None]


def device(name: str, inputs: int = 1, rate: float = 16_000.0) -> dict[str, Any]:
    return {"name": name, "hostapi": 0, "max_input_channels": inputs, "default_samplerate": rate}


USB = device("USB Audio Device: - (hw:1,0)")
ARRAY = device("ReSpeaker: Array (hw:2,0)", 6)
SPEAKER = device("vc4-hdmi: MAI PCM (hw:0,0)", 0, 48_000.0)


class FakeStream:
    """sounddevice.InputStream; what it hears is played in start, as if by PortAudio's thread."""

    def __init__(
        self,
        module: FakeSoundDevice,
        *,
        samplerate: float,
        blocksize: int,
        latency: float,
        device: int,
        channels: int,
        dtype: str,
        callback: Heard,
        finished_callback: Callable[[], None],
    ) -> None:
        self.module = module
        self.settings: dict[str, Any] = {
            "samplerate": samplerate,
            "blocksize": blocksize,
            "latency": latency,
            "device": device,
            "channels": channels,
            "dtype": dtype,
        }
        self.hear = callback
        self.finish = finished_callback
        self.closed = False

    def play(self, sound: Sound, *, overflow: bool = False) -> None:
        blocksize, channels = self.settings["blocksize"], self.settings["channels"]
        indata = np.empty((blocksize, channels), dtype=np.float32)
        for block in sound.reshape(-1, blocksize, channels):
            indata[:] = block  # PortAudio uses its memory again
            self.hear(indata, blocksize, None, SimpleNamespace(input_overflow=overflow))

    def start(self) -> None:
        if self.module.fails_to_start:
            raise self.module.PortAudioError("Device unavailable")
        self.module.on_start(self)
        self.module.started.set()

    def close(self) -> None:
        self.closed = True


class FakeSoundDevice(ModuleType):
    """The documented part of sounddevice that the microphone uses."""

    class PortAudioError(Exception):
        pass

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.plugged = [SPEAKER, USB]
        self.devices: list[dict[str, Any]] = []
        self.default: dict[str, Any] | None = USB
        self.formats: set[tuple[int, int]] | None = None
        self.fails_to_start = False
        self.on_start: Callable[[FakeStream], None] = lambda stream: None
        self.streams: list[FakeStream] = []
        self.started = threading.Event()

    def _terminate(self) -> None:
        self.devices = []

    def _initialize(self) -> None:
        self.devices = list(self.plugged)

    def query_devices(self, device: int | None = None, kind: str | None = None) -> Any:
        if kind is None:
            return tuple(self.devices)
        if self.default is None:
            raise self.PortAudioError("Error querying device -1")
        return self.default

    def check_input_settings(
        self, device: int, channels: int, dtype: str, samplerate: float
    ) -> None:
        if channels > self.devices[device]["max_input_channels"]:
            raise self.PortAudioError("Invalid number of channels")
        if self.formats is not None and (samplerate, channels) not in self.formats:
            raise self.PortAudioError("Invalid sample rate")

    def InputStream(self, **settings: Any) -> FakeStream:  # noqa: N802 (its name)
        self.streams.append(FakeStream(self, **settings))
        return self.streams[-1]


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> FakeSoundDevice:
    fake = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def microphone(name: str = "default", **options: Any) -> Microphone:
    return Microphone(AudioConfig(device=name), **options)


def sine(samples: int, rate: int = 16_000, channels: int = 1) -> Sound:
    one = 0.5 * np.sin(2 * np.pi * 440 * np.arange(samples) / rate)
    return np.repeat(one[:, None], channels, axis=1).astype(np.float32)


def samples_of(chunks: list[AudioChunk]) -> Sound:
    return np.concatenate([chunk.samples for chunk in chunks])


def take(source: AudioSource, count: int) -> list[AudioChunk]:
    """The first chunks; the source is then closed."""
    taken = []
    for chunk in source.chunks():
        taken.append(chunk)
        if len(taken) == count:
            source.close()
    return taken


class TestMicrophone:
    def test_sixteen_kilohertz_mono(self, portaudio: FakeSoundDevice) -> None:
        sound = sine(3_200)
        portaudio.on_start = lambda stream: stream.play(sound)
        source = microphone()
        before = time.time()
        chunks = take(source, 10)
        np.testing.assert_array_equal(samples_of(chunks), sound[:, 0])
        assert {chunk.samples.size for chunk in chunks} == {320}
        assert all(before - 0.2 <= chunk.captured_at <= time.time() for chunk in chunks)
        assert source.overflows == 0
        (stream,) = portaudio.streams
        assert stream.closed
        assert stream.settings == {
            "samplerate": 16_000,
            "blocksize": 320,
            "latency": 0.1,
            "device": 1,
            "channels": 1,
            "dtype": "float32",
        }

    @pytest.mark.parametrize(("rate", "channels"), [(44_100, 1), (48_000, 2), (8_000, 1)])
    def test_other_rates_and_channels(
        self, portaudio: FakeSoundDevice, rate: int, channels: int
    ) -> None:
        portaudio.plugged = [device("USB", channels, float(rate))]
        portaudio.formats = {(rate, channels)}
        blocksize = rate // 50
        sound = sine(100 * blocksize, rate, channels)
        portaudio.on_start = lambda stream: stream.play(sound)
        got = samples_of(take(microphone(), 90))
        middle = slice(4_000, 24_000)
        np.testing.assert_allclose(got[middle], sine(90 * 320)[middle, 0], atol=0.01)

    def test_a_chunk_knows_when_its_last_sample_was_captured(self) -> None:
        convert = capture._Converter(16_000, 320)
        blocks = [capture._Block(sine(800), 100.05), capture._Block(sine(800), 100.1)]
        times = [chunk.captured_at for block in blocks for chunk in convert.chunks(block)]
        assert times == pytest.approx([100.02, 100.04, 100.06, 100.08, 100.1])

    def test_two_channels_are_averaged_of_more_the_first_is_taken(
        self, portaudio: FakeSoundDevice
    ) -> None:
        for channels, expected in ((2, 0.5), (6, 0.0)):
            portaudio.plugged = [device("Array", channels)]
            portaudio.formats = {(16_000, channels)}
            sound = np.tile(np.arange(channels, dtype=np.float32), (320, 1))
            portaudio.on_start = partial(FakeStream.play, sound=sound)
            (chunk,) = take(microphone(), 1)
            assert chunk.samples.tolist() == [expected] * 320

    def test_two_channels_that_cancel_each_other(
        self, portaudio: FakeSoundDevice, caplog: pytest.LogCaptureFixture
    ) -> None:
        portaudio.plugged = [device("Array", 2)]
        portaudio.formats = {(16_000, 2)}
        wave = sine(640)
        portaudio.on_start = partial(FakeStream.play, sound=np.hstack([wave, -0.9 * wave]))
        np.testing.assert_array_equal(samples_of(take(microphone(), 2)), wave[:, 0])
        assert caplog.text.count("cancel each other: channel 1 alone is used") == 1

    def test_overflows_are_counted(self, portaudio: FakeSoundDevice) -> None:
        def play(stream: FakeStream) -> None:
            stream.play(sine(640))
            stream.play(sine(320), overflow=True)

        portaudio.on_start = play
        source = microphone()
        assert len(take(source, 3)) == 3
        assert source.overflows == 1

    def test_a_late_reader_does_not_fill_the_memory(self, portaudio: FakeSoundDevice) -> None:
        portaudio.on_start = lambda stream: stream.play(sine(320 * 150))
        source = microphone()
        take(source, 100)
        assert source.overflows == 50

    def test_unplugged_while_running(self, portaudio: FakeSoundDevice) -> None:
        def play(stream: FakeStream) -> None:
            stream.play(sine(640))
            portaudio.plugged = [SPEAKER, ARRAY]
            stream.finish()

        portaudio.on_start = play
        source = microphone("usb")
        chunks = source.chunks()
        assert [next(chunks).samples.size for _ in range(2)] == [320, 320]
        with pytest.raises(PipelineError, match=r"USB Audio.*plug it in again.*ReSpeaker"):
            next(chunks)
        assert portaudio.streams[0].closed
        # It is still away, then it is back.
        with pytest.raises(PipelineError, match=r"no microphone is called usb.*ReSpeaker"):
            next(source.chunks())
        portaudio.plugged = [SPEAKER, ARRAY, USB]
        portaudio.on_start = lambda stream: stream.play(sine(320))
        assert len(take(source, 1)) == 1
        assert portaudio.streams[-1].settings["device"] == 2

    def test_a_device_that_falls_silent_is_lost(self, portaudio: FakeSoundDevice) -> None:
        portaudio.on_start = lambda stream: stream.play(sine(320))
        chunks = microphone(stall_seconds=0.01).chunks()
        next(chunks)
        with pytest.raises(PipelineError, match="delivers no sound any more"):
            next(chunks)
        assert portaudio.streams[0].closed

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("default", 2),
            ("", 2),
            ("usb audio", 1),
            ("USB Audio Device: - (hw:1,0)", 1),
            ("array", 2),
            ("plughw:CARD=Device", 1),
            ("plughw:CARD=Device,DEV=0", 1),
            ("hw:Device,0", 1),
            ("plughw:2,0", 2),
            ("sysdefault:CARD=ArrayUAC10", 2),
        ],
    )
    def test_which_device(
        self,
        portaudio: FakeSoundDevice,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        name: str,
        found: int,
    ) -> None:
        (tmp_path / "Device").symlink_to("card1")
        (tmp_path / "ArrayUAC10").symlink_to("card2")
        monkeypatch.setattr(rtap.audio.portaudio, "ALSA_CARDS", tmp_path)
        portaudio.plugged = [SPEAKER, USB, ARRAY]
        portaudio.default = ARRAY
        portaudio.on_start = lambda stream: stream.play(sine(320))
        take(microphone(name), 1)
        assert portaudio.streams[0].settings["device"] == found

    @pytest.mark.parametrize("name", ["plughw:CARD=Gone", "plughw:1,3", "vc4-hdmi", "bluetooth"])
    def test_no_such_device(self, portaudio: FakeSoundDevice, name: str) -> None:
        message = rf"no microphone is called {name}.*set audio\.device.*Microphones here: USB Audio"
        with pytest.raises(PipelineError, match=message):
            next(microphone(name).chunks())

    def test_no_device_at_all(self, portaudio: FakeSoundDevice) -> None:
        portaudio.plugged = [SPEAKER]
        with pytest.raises(PipelineError, match="no microphone was found: plug one in"):
            next(microphone().chunks())

    def test_without_a_default_the_first_is_taken(self, portaudio: FakeSoundDevice) -> None:
        portaudio.default = None
        portaudio.on_start = lambda stream: stream.play(sine(320))
        assert len(take(microphone(), 1)) == 1

    def test_a_device_that_takes_no_format(self, portaudio: FakeSoundDevice) -> None:
        portaudio.formats = set()
        with pytest.raises(PipelineError, match=r"cannot be opened \(Invalid sample rate\).*fuser"):
            next(microphone().chunks())

    def test_a_device_that_is_taken(self, portaudio: FakeSoundDevice) -> None:
        portaudio.fails_to_start = True
        with pytest.raises(PipelineError, match=r"cannot be opened \(Device unavailable\)"):
            next(microphone().chunks())
        assert portaudio.streams[0].closed

    def test_close_unblocks(self, portaudio: FakeSoundDevice) -> None:
        source = microphone(stall_seconds=60.0)
        with listening(source):
            assert portaudio.started.wait(SOON)
        assert portaudio.streams[0].closed
        assert list(source.chunks()) == []

    def test_portaudio_is_missing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
        monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ConfigurationError, match="apt-get install libportaudio2"):
            microphone()


@contextmanager
def listening(source: AudioSource) -> Iterator[None]:
    """Takes a source's chunks in a thread; on leaving, closes the source and sees the thread end.

    The sources here would let it wait for a minute.
    """
    thread = threading.Thread(target=lambda: list(source.chunks()), daemon=True)
    thread.start()
    yield
    source.close()
    thread.join(SOON)
    assert not thread.is_alive()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Is set when a source begins to wait for the next chunk."""
    begun = threading.Event()

    class SaysWhenItWaits(Pace):
        def wait(self, samples: int) -> None:
            begun.set()
            super().wait(samples)

    monkeypatch.setattr(capture, "Pace", SaysWhenItWaits)
    return begun


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    soundfile.write(path, sine(1_000), 16_000, subtype="FLOAT")
    return path


class TestFile:
    def test_chunks_of_one_length(self, wav: Path) -> None:
        chunks = list(FileSource(wav, 20, real_time=False).chunks())
        assert [chunk.samples.size for chunk in chunks] == [320] * 4
        expected = np.concatenate([sine(1_000)[:, 0], np.zeros(280, dtype=np.float32)])
        np.testing.assert_array_equal(samples_of(chunks), expected)

    def test_other_rates(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "cd.wav", sine(44_100, 44_100, 2), 44_100)
        chunks = list(FileSource(tmp_path / "cd.wav", 20, real_time=False).chunks())
        assert len(chunks) == 50

    def test_real_time(self, wav: Path) -> None:
        start = time.monotonic()
        assert len(list(FileSource(wav, 20, real_time=True).chunks())) == 4
        assert time.monotonic() - start >= 0.08

    def test_close_unblocks(self, wav: Path, waiting: threading.Event) -> None:
        source = FileSource(wav, 60_000, real_time=True)
        with listening(source):
            assert waiting.wait(SOON)
        assert list(source.chunks()) == []

    def test_no_such_file(self, tmp_path: Path) -> None:
        with pytest.raises(AudioError, match="does not exist"):
            next(FileSource(tmp_path / "no.wav", 20, real_time=False).chunks())

    def test_a_file_that_breaks_off_is_said(
        self, wav: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        wav.write_bytes(wav.read_bytes()[:-2_000])
        assert list(FileSource(wav, 20, real_time=False).chunks())
        assert "breaks off" in caplog.text


class TestMock:
    def test_is_the_same_in_each_run(self) -> None:
        first, second = (samples_of(take(MockSource(20, real_time=False), 700)) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        assert first.size == 700 * 320
        assert np.abs(first).max() <= 1.0
        # Its period is no multiple of a chunk here, and nothing is lost at the seam.
        odd = samples_of(take(MockSource(35, real_time=False), 400))
        np.testing.assert_array_equal(odd, first[: odd.size])

    def test_sounds_like_speech_now_and_then(self) -> None:
        audio = samples_of(take(MockSource(20, real_time=False), 300))
        spoken = np.flatnonzero(Vad().probabilities(audio) >= 0.5) * 0.032
        assert spoken.min() > 1.9
        assert spoken.max() < 3.2
        assert spoken.size > 15

    def test_silence(self) -> None:
        source = MockSource(20, is_silent=True, real_time=False)
        assert not samples_of(take(source, 60)).any()

    def test_close_unblocks(self, waiting: threading.Event) -> None:
        source = MockSource(60_000)
        with listening(source):
            assert waiting.wait(SOON)


class FakeTime(threading.Event):
    """A clock that only waiting moves on, each time a little too far."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.now += timeout + 0.003
        return False


def test_pace_does_not_drift() -> None:
    clock = FakeTime()
    pace = Pace(clock, lambda: clock.now)
    for _ in range(1_000):
        pace.wait(320)
    assert clock.now == pytest.approx(100 + 20, abs=0.01)
    clock.now += 1.0  # a reader who was late for a second
    for _ in range(100):
        pace.wait(320)
    assert clock.now == pytest.approx(100 + 22, abs=0.01)


class TestMakeSource:
    def test_none(self) -> None:
        assert make_source(AudioConfig(source="none")) is None

    def test_mock(self) -> None:
        assert isinstance(make_source(AudioConfig(source="mock")), MockSource)

    def test_microphone(self, portaudio: FakeSoundDevice) -> None:
        assert isinstance(make_source(AudioConfig()), Microphone)
        assert portaudio.streams == []  # not opened before it is asked for chunks

    def test_file(self, wav: Path) -> None:
        source = make_source(AudioConfig(source="file", file=wav, real_time=False, frame_ms=10))
        assert isinstance(source, FileSource)
        assert len(list(source.chunks())) == 7

    def test_file_without_a_file(self) -> None:
        with pytest.raises(ConfigurationError, match=r"set audio\.file"):
            make_source(AudioConfig(source="file"))
