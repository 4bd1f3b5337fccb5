"""The recordings that users' programs made and that once failed, where they are at hand.

They are no part of the repository: ``RTAP_CASES`` names their folder, or they lie in ``../shared/cases``.
"""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from rtap.audio.file import AudioFile, NotAudioError
from rtap.audio.format import SAMPLE_RATE
from rtap.errors import AudioError


def cases_folder() -> Path | None:
    named = os.environ.get("RTAP_CASES")
    parents = Path(__file__).resolve().parents
    places = [Path(named)] if named else [parent / "shared" / "cases" for parent in parents]
    return next((place for place in places if place.is_dir()), None)


FOLDER = cases_folder()
pytestmark = pytest.mark.skipif(
    FOLDER is None, reason="the cases are not here: set RTAP_CASES to their folder"
)
MISCOUNTED = r"3\.1 s of audio where its header counts 0\.\d s"


def read(name: str) -> tuple[np.ndarray, list[str]]:
    assert FOLDER is not None
    path, warnings = FOLDER / name, list[str]()
    if not path.exists():
        pytest.skip(f"{path} is missing")
    with AudioFile.open(path, "x", warnings.append) as audio:
        return np.concatenate(list(audio.blocks())), warnings


@pytest.mark.parametrize(
    ("name", "samples", "warning"),
    [
        ("01/piped_1.0s.flac", 16_000, None),
        ("02/size0.wav", 49_263, MISCOUNTED),
        ("02/avaudio_crash.wav", 49_263, MISCOUNTED),
        ("03/antiphase.wav", 49_263, "cancel each other"),
        ("05/concat.wav", 2 * 49_263, None),
        ("05/oggflac.ogg", 49_263, None),
        ("05/pywave_first_chunk.wav", 49_263, MISCOUNTED),
        ("10/six.lame_pipe.mp3", 248_052, None),
        ("10/six.ffmpeg_pipe.mp3", 248_052, None),
        ("10/six.seekable.mp3", 248_052, None),
        ("11/chained_opus.ogg", 49_263 + 22_765, None),
        ("11/chained_vorbis.ogg", 49_263 + 22_765, None),
        ("14/pywave_first_chunk.wav", 49_263, MISCOUNTED),
        ("14/truncated.wav", 24_631, r"breaks off after 1\.5 s"),
    ],
)
def test_all_of_it_is_read(name: str, samples: int, warning: str | None) -> None:
    sound, warnings = read(name)
    # MP3 without a count keeps the decoder's delay.
    assert samples <= sound.size <= samples + 1_200
    assert len(warnings) == (warning is not None)
    assert warning is None or re.search(warning, warnings[0])
    assert np.abs(sound).max() > 0.1
    assert 0 < sound.size / SAMPLE_RATE < 20


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("04/rec.webm", NotAudioError, "WebM"),
        ("04/m4a_aac.m4a", NotAudioError, "M4A"),
        ("05/g726.wav", AudioError, "G.726"),
    ],
)
def test_what_is_not_read_says_how_to_convert_it(
    name: str, kind: type[AudioError], words: str
) -> None:
    with pytest.raises(kind, match=rf"^x is .*{re.escape(words)}.*`ffmpeg -i ") as caught:
        read(name)
    assert type(caught.value) is kind
