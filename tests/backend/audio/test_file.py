"""rtap.audio.file: every kind of file, and every kind of broken file."""

import errno
import io
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from rtap.audio.decoding.kinds import parts_of
from rtap.audio.decoding.source import Source
from rtap.audio.file import AudioFile, DearAudioError
from rtap.audio.format import SAMPLE_RATE
from rtap.errors import AudioError, StorageError

RATE = SAMPLE_RATE


def tone(seconds: float, rate: int = RATE, channels: int = 1) -> NDArray[np.float32]:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def encoded(
    samples: NDArray[np.float32], kind: str = "WAV", subtype: str | None = None, rate: int = RATE
) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def read(source: bytes | Path | BinaryIO, seconds: float = 10.0) -> NDArray[np.float32]:
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    with AudioFile.open(stream, "x.wav", warn=pytest.fail) as audio:
        return np.concatenate([np.empty(0, np.float32), *audio.blocks(seconds)])


def pitch(samples: NDArray[np.float32]) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(spectrum.argmax() * RATE / len(samples))


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_24"),
        ("WAV", "FLOAT"),
        ("WAV", "ULAW"),
        ("FLAC", None),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", None),
    ],
)
def test_formats(kind: str, subtype: str | None) -> None:
    samples = read(encoded(tone(2.0), kind, subtype))
    assert len(samples) == pytest.approx(2.0 * RATE, rel=0.02)
    assert pitch(samples) == pytest.approx(440, abs=2)
    assert np.quantile(np.abs(samples), 0.9) == pytest.approx(0.47, abs=0.07)
    assert samples.dtype == np.float32


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_rates_and_channels(rate: int, channels: int) -> None:
    samples = read(encoded(tone(1.0, rate, channels), rate=rate))
    assert len(samples) == pytest.approx(RATE, abs=2)
    assert pitch(samples) == pytest.approx(440, abs=2)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.05)


def test_channels_are_averaged() -> None:
    stereo = np.stack([np.full(100, 0.75), np.full(100, 0.25)], axis=1).astype(np.float32)
    np.testing.assert_allclose(read(encoded(stereo, subtype="FLOAT")), 0.5)


def test_blocks_have_the_size_asked_for_and_lose_nothing() -> None:
    wave = tone(2.3)
    with AudioFile.open(io.BytesIO(encoded(wave, subtype="FLOAT")), "x") as audio:
        assert audio.duration == pytest.approx(2.3)
        blocks = list(audio.blocks(0.5))
    assert [len(block) for block in blocks] == [8000] * 4 + [4800]
    np.testing.assert_array_equal(np.concatenate(blocks), wave[:, 0])


def test_overshoot_is_clipped() -> None:
    assert np.abs(read(encoded(3 * tone(0.1), subtype="FLOAT"))).max() == 1.0


@pytest.mark.parametrize("rate", [16000, 44100, 192000])
def test_one_sample(rate: int) -> None:
    assert len(read(encoded(tone(1, rate)[:1], rate=rate))) <= 1


def test_silence() -> None:
    assert not read(encoded(0 * tone(1.0))).any()


def test_the_name_says_nothing(tmp_path: Path) -> None:
    for name in ("song.mp3", "notes.txt", "data.raw", "none"):
        path = tmp_path / name
        path.write_bytes(encoded(tone(0.5)))
        assert len(read(path)) == RATE // 2


def test_length_not_known_when_the_header_was_written() -> None:
    content = bytearray(encoded(tone(1.0)))
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    assert len(read(bytes(content))) == RATE


class Pipe(io.BytesIO):
    """Bytes that can be read once, such as standard input."""

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = 0) -> int:
        raise io.UnsupportedOperation


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_pipes(kind: str) -> None:
    content = encoded(tone(1.0), kind)
    assert len(read(Pipe(content))) == len(read(content))


def test_named_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = encoded(tone(1.0))
    code = f"import sys; open({str(pipe)!r}, 'wb').write(sys.stdin.buffer.read())"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as writer:
        assert writer.stdin is not None
        writer.stdin.write(content)
        writer.stdin.close()
        assert len(read(pipe)) == RATE


def test_no_room_to_spool(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", fail)
    pipe = Pipe(b"")
    with pytest.raises(StorageError, match=r"^x cannot be kept .*No space left.*TMPDIR"):
        AudioFile.open(pipe, "x")
    assert pipe.closed


def with_sample(value: float) -> bytes:
    samples = tone(1.0)
    samples[8000] = value
    return encoded(samples, subtype="FLOAT")


def with_field(offset: int, value: bytes) -> bytes:
    content = bytearray(encoded(tone(1.0)))
    content[offset : offset + len(value)] = value
    return bytes(content)


def corrupted(content: bytes) -> bytes:
    middle = len(content) // 4
    return content[:middle] + b"\x5a" * 200 + content[middle + 200 :]


LONG_FLAC = encoded(
    np.random.default_rng(0).uniform(-0.5, 0.5, 20 * RATE).astype(np.float32), "FLAC"
)

BAD = {
    "empty": (b"", "is empty (0 bytes)"),
    "one byte": (b"R", "is not audio"),
    "text": (b"Ladies and gentlemen\n" * 100, "is not audio"),
    "zeros": (bytes(20000), "is not audio"),
    "mp4": (b"\0\0\0\x20ftypM4A isomiso2" + bytes(3000), "or convert it"),
    "wav header cut": (encoded(tone(1.0))[:20], "cut off"),
    "wav without data": (encoded(tone(1.0))[:44], "no audio"),
    "wav with zero frames": (encoded(tone(1.0)[:0]), "no audio"),
    "flac header cut": (encoded(tone(1.0), "FLAC")[:44], "cut off"),
    "ogg header cut": (encoded(tone(1.0), "OGG")[:44], "cut off"),
    "ogg cut": (encoded(tone(3.0), "OGG")[:-1000], "cut off"),
    "mp3 cut at once": (encoded(tone(1.0), "MP3")[:30], "cut off"),
    "flac damaged": (corrupted(LONG_FLAC), "damaged at 4."),
    "nan": (with_sample(np.nan), "not numbers (NaN or infinite) at 0.5 s"),
    "infinite": (with_sample(-np.inf), "not numbers"),
    "not scaled": (with_sample(-32768.0), "divide them by 32768"),
    "9 channels": (encoded(tone(0.1, channels=9)), "9 channels, 8 at most"),
    "rate above 192 kHz": (encoded(tone(0.1, 200_000), rate=200_000), "200000 samples a second"),
    "g726": (with_field(20, b"\x45\0"), "is WAV with G.726, which is not read: convert it"),
    "aiff": (encoded(tone(1.0), "AIFF"), "is AIFF, which is not read"),
    "caf": (encoded(tone(1.0), "CAF"), "is CAF, which is not read"),
    "au": (encoded(tone(1.0), "AU"), "is AU, which is not read"),
    "webm": (b"\x1aE\xdf\xa3" + bytes(3000), "is WebM or Matroska, which is not read"),
    "ogg of speex": (
        b"OggS\0\x02" + bytes(20) + b"\x01\x50Speex   " + bytes(100),
        "without Vorbis",
    ),
    "rate of 1 Hz": (with_field(24, b"\1\0\0\0"), "samples a second"),
    "rate of 0 Hz": (with_field(24, b"\0\0\0\0"), "cut off or damaged"),
    "rate of 2 GHz": (with_field(24, b"\xff\xff\xff\x7f"), "samples a second"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_audio(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    content, message = BAD[name]
    with pytest.raises(AudioError) as caught:
        read(content)
    assert str(caught.value).startswith("x.wav ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "least"),
    [
        ("wav", encoded(tone(3.0))[:60000], 1.8),
        ("wav, one frame missing", encoded(tone(3.0))[:-2], 2.99),
        ("flac", LONG_FLAC[: len(LONG_FLAC) // 2], 9.0),
        ("opus", encoded(tone(3.0), "OGG", "OPUS")[:-3000], 0.5),
        ("mp3", encoded(tone(3.0), "MP3")[:2500], 1.4),
    ],
)
def test_cut_off_audio_is_read_as_far_as_it_goes(name: str, content: bytes, least: float) -> None:
    warnings: list[str] = []
    with AudioFile.open(io.BytesIO(content), "x", warnings.append) as audio:
        seconds = sum(len(block) for block in audio.blocks()) / RATE
    assert least <= seconds
    assert len(warnings) == 1
    assert warnings[0].startswith(f"x breaks off after {seconds:.1f} s")


def read_with_warnings(content: bytes) -> tuple[NDArray[np.float32], list[str]]:
    warnings: list[str] = []
    with AudioFile.open(io.BytesIO(content), "x", warnings.append) as audio:
        return np.concatenate(list(audio.blocks())), warnings


def noise(seconds: float, rate: int = RATE) -> NDArray[np.float32]:
    """Faint, then loud, so that frames of unsteady bit rate differ."""
    rng = np.random.default_rng(1)
    samples = rng.uniform(-0.5, 0.5, round(seconds * rate)).astype(np.float32)
    samples[: samples.size // 2] *= 0.001
    return samples


def test_flac_of_unknown_length_is_read_to_its_end() -> None:
    wave = tone(1.03)
    content = bytearray(encoded(wave, "FLAC"))
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    assert len(read(bytes(content))) == len(wave)


@pytest.mark.parametrize("stated", [0, 4_096])
def test_wav_that_counts_less_than_there_is(stated: int) -> None:
    content = bytearray(encoded(tone(1.0), subtype="PCM_16"))
    content[4:8] = (stated + 36).to_bytes(4, "little")
    content[40:44] = stated.to_bytes(4, "little")
    samples, warnings = read_with_warnings(bytes(content))
    np.testing.assert_array_equal(samples, read(encoded(tone(1.0))))
    counted = f"{stated / 32000:.1f} s"
    assert len(warnings) == 1
    assert warnings[0].startswith(f"x has 1.0 s of audio where its header counts {counted}: all")


@pytest.mark.parametrize(
    "behind",
    [
        b"LIST\x04\0\0\0INFO",
        b"abcd\x03\0\0\0xyz\0" + b"id3 \x02\0\0\0ab",
        b"LIST\xff\0\0\0cut off",
        bytes(512),
    ],
    ids=["chunk", "two chunks", "chunk cut off", "padding"],
)
def test_what_is_no_audio_behind_the_audio_of_wav(behind: bytes) -> None:
    assert len(read(encoded(tone(1.0)) + behind)) == RATE


def test_wav_without_audio_but_with_notes() -> None:
    with pytest.raises(AudioError, match="no audio in it"):
        read(encoded(tone(1.0)[:0]) + b"LIST\x04\0\0\0INFO")


@pytest.mark.parametrize("kind", ["WAV", "OGG", "MP3", "FLAC"])
def test_several_recordings_in_one_file(kind: str) -> None:
    one, other = encoded(tone(1.0), kind), encoded(tone(2.0, 8000), kind, rate=8000)
    samples = read(one + other + one)
    apart = sum(len(read(part)) for part in (one, other, one))
    assert len(samples) == pytest.approx(apart, abs=0.4 * RATE)  # MP3 has silence around it
    assert pitch(samples[-RATE:]) == pytest.approx(440, abs=2)


def test_links_of_opus() -> None:
    one = encoded(tone(1.0), "OGG", "OPUS")
    assert len(read(one * 3)) == 3 * len(read(one))


def test_wav_that_breaks_off_in_its_second_recording() -> None:
    whole = encoded(tone(1.0))
    samples, warnings = read_with_warnings(whole + whole[: 44 + RATE])
    assert len(samples) == RATE * 3 // 2
    assert warnings == ["x breaks off after 0.5 s: the rest is missing, copy or record it again"]


def in_ogg(flac: bytes) -> bytes:
    """FLAC in pages of Ogg, as its mapping says; checksums are left out."""
    packets = [b"\x7fFLAC\x01\0\0\x01" + flac[:42]]
    packets += [flac[at : at + 5000] for at in range(42, len(flac), 5000)]
    pages = []
    for number, packet in enumerate(packets):
        table = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
        kind = b"\x02" if number == 0 else b"\0"
        head = b"OggS\0" + kind + bytes(8) + b"\1\2\3\4" + number.to_bytes(4, "little") + bytes(4)
        pages.append(head + bytes([len(table)]) + table + packet)
    return b"".join(pages)


def test_flac_in_ogg() -> None:
    content = encoded(noise(2.0), "FLAC")
    np.testing.assert_array_equal(read(in_ogg(content)), read(content))
    np.testing.assert_array_equal(read(in_ogg(content) * 2), np.tile(read(content), 2))


def without_count(mp3: bytes) -> bytes:
    """An MP3 file without its first frame, which says how many there are, as a pipe makes it."""
    assert b"Xing" in mp3[:64] or b"Info" in mp3[:64]
    return mp3[mp3.index(mp3[:2], 4) :]


def test_mp3_of_unsteady_bit_rate_without_a_count() -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, noise(8.0), RATE, format="MP3", bitrate_mode="VARIABLE")
    content = buffer.getvalue()
    for behind in (b"", b"TAG" + bytes(125)):
        samples = read(without_count(content) + behind)
        assert len(samples) / RATE == pytest.approx(8.0, abs=0.2)
        assert np.abs(samples[-RATE // 2 :]).max() > 0.3


def test_mp3_with_other_bytes_in_the_middle() -> None:
    content = without_count(encoded(noise(4.0), "MP3"))
    middle = content.index(content[:3], len(content) // 2)
    samples, _ = read_with_warnings(content[:middle] + b"\xff\0other" * 50 + content[middle:])
    assert len(samples) == pytest.approx(len(read(content)), abs=0.1 * RATE)


def test_mp3_is_the_same_in_small_reads() -> None:
    content = encoded(noise(4.0), "MP3")
    expected, _ = soundfile.read(io.BytesIO(content), dtype="float32")
    np.testing.assert_allclose(read(content), np.clip(expected, -1, 1), atol=1e-5)


@pytest.mark.parametrize("strength", [0.99, 0.9])
def test_channels_that_cancel_each_other(strength: float) -> None:
    wave = np.concatenate([0 * tone(0.5), tone(1.0)])
    stereo = np.hstack([strength * wave, -wave])
    samples, warnings = read_with_warnings(encoded(stereo, subtype="FLOAT"))
    np.testing.assert_array_equal(samples, -wave[:, 0])
    assert len(warnings) == 1
    assert warnings[0].startswith("x has channels that cancel each other")
    assert "channel 2 alone" in warnings[0]


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_sound_that_is_dear(rate: int) -> None:
    content = encoded(tone(2.0, rate, 8), "FLAC", rate=rate)
    for stated in (True, False):
        if not stated:
            content = content[:21] + bytes([content[21] & 0xF0]) + bytes(4) + content[26:]
        AudioFile.open(io.BytesIO(content), "x", most_values=16 * rate).close()
        with (
            pytest.raises(DearAudioError, match=f"{rate} Hz, 8 channels"),
            AudioFile.open(io.BytesIO(content), "x", most_values=16 * rate - 1) as audio,
        ):
            list(audio.blocks())


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Callable[..., Source]]:
    with ExitStack() as files:

        def make(content: bytes, most_values: int) -> Source:
            path = tmp_path / "x"
            path.write_bytes(content)
            file = files.enter_context(path.open("rb"))
            return Source(file.fileno(), len(content), "x", most_values)

        yield make


def test_frames_of_mp3_are_not_counted_beyond_what_may_be_decoded(
    source: Callable[..., Source],
) -> None:
    content = b"\xff\xf3\x14\xc4".ljust(24, b"\0") * 1_000
    with pytest.raises(DearAudioError, match="24000 Hz, 1 channels"):
        parts_of(source(content, 999 * 576))
    assert parts_of(source(content, 1_000 * 576))


OGG_HEAD = b"OggS\0\x02" + bytes(20) + b"\x01\x33"
ATTACKS = {
    "chunks": b"RIFF\0\0\0\0WAVE" + b"abcd\0\0\0\0" * 3_000_000,
    "chunks behind": encoded(tone(0.1)) + b"abcd\0\0\0\0" * 3_000_000,
    "wav files": encoded(tone(0.01)) * 50_000,
    "links": encoded(tone(0.1), "OGG") * 5_000,
    "flac pages": OGG_HEAD
    + b"\x7fFLAC\x01\0\0\x01fLaC\0\0\0\x22"
    + bytes(34)
    + (b"OggS\0\0" + bytes(20) + b"\x01\x01a") * 800_000,
    "no frames": (b"\xff\xfb\x90\0" + bytes(20)) * 1_000_000,
    "small frames": b"\xff\xf3\x14\xc4".ljust(24, b"\0") * 1_000_000,
    "id3": (b"ID3\4\0\0" + bytes(4)) * 2_000_000,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_made_up_files_take_little_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(ATTACKS[name])
    code = f"""
import resource
from pathlib import Path
from rtap.audio.file import AudioFile, DearAudioError
from rtap.errors import AudioError
def most(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = most()
try:
    with AudioFile.open(Path({str(path)!r}), "x", most_values=57_600_000) as audio:
        for block in audio.blocks(): pass
except AudioError: pass
print(most() - before, resource.getrusage(resource.RUSAGE_SELF).ru_utime)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    kilobytes, seconds = (float(word) for word in done.stdout.split())
    assert kilobytes < 50_000
    assert seconds < 20


def test_no_room_for_a_copy(tmp_path: Path) -> None:
    content = encoded(noise(40.0))
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(StorageError, match="cannot be rewritten in a temporary file"):
        AudioFile.open(io.BytesIO(content + content), "x", directory=blocked / "tmp")


def test_unreadable_in_the_middle(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(encoded(tone(30.0)))
    stream = path.open("rb")
    with (
        AudioFile.open(stream, "x.wav") as audio,
        Path(os.devnull).open("wb") as write_only,
    ):
        blocks = audio.blocks(1.0)
        next(blocks)
        os.dup2(write_only.fileno(), stream.fileno())
        with pytest.raises(AudioError, match=r"^x\.wav cannot be read any further at "):
            list(blocks)
    assert capfd.readouterr().err == ""


def test_paths_that_cannot_be_opened(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path, "is a directory"),
        (tmp_path / "none.wav", "does not exist"),
        (Path("/dev/null/x"), "cannot be opened"),
        (Path("a\0b"), "cannot be opened"),
    ):
        with pytest.raises(AudioError, match=message):
            AudioFile.open(path, "x")


def test_no_permission(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = tmp_path / "x.wav"
    path.touch(mode=0)
    request.getfixturevalue("ordinary_user")
    with pytest.raises(AudioError, match="may not be read"):
        AudioFile.open(path, "x")


def test_no_permission_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> BinaryIO:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(AudioError, match="may not be read"):
        AudioFile.open(Path("x"), "x")


def test_files_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(encoded(tone(0.1)))
    stream = path.open("rb")
    with AudioFile.open(stream, "x"):
        pass
    assert stream.closed
    broken = io.BytesIO(b"no audio")
    with pytest.raises(AudioError):
        AudioFile.open(broken, "x")
    assert broken.closed


@pytest.mark.parametrize(
    ("seconds", "rate", "channels", "kind"),
    [(7200, 16000, 1, "FLAC"), (60, 192000, 8, "WAV")],
)
@pytest.mark.slow
def test_memory_does_not_grow(
    tmp_path: Path, seconds: int, rate: int, channels: int, kind: str
) -> None:
    path = tmp_path / "long"
    with soundfile.SoundFile(path, "w", rate, channels, format=kind, subtype="PCM_16") as file:
        second = tone(1.0, rate, channels)
        for _ in range(seconds):
            file.write(second)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with AudioFile.open(path, "x") as audio:
        assert sum(len(block) for block in audio.blocks()) == pytest.approx(seconds * RATE, abs=2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
