"""tools/demo: what a newcomer sees first."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from tools import demo

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", demo.RECORDED)
def test_recordings_are_what_a_microphone_delivers(name: str) -> None:
    info = soundfile.info(ROOT / "tests/audio" / name)
    assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
    assert (ROOT / "tests/audio" / name).stat().st_size < 110_000


def test_recordings_are_listed_with_what_they_say() -> None:
    table = (ROOT / "tests/audio/README.md").read_text()
    for name, text in demo.RECORDED.items():
        assert f"| `{name}` | {text} |" in table


def test_speaks_where_it_can(tmp_path: Path) -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("apt-get install espeak-ng")
    files = demo.speak(tmp_path)
    assert list(files.values()) == [text for _, text in demo.SPOKEN]
    assert all(soundfile.info(file).duration > 0.4 for file in files)


def test_falls_back_to_recordings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    files = demo.speak(tmp_path)
    assert list(files.values()) == list(demo.RECORDED.values())
    assert all(file.exists() for file in files)


def test_reports_what_failed(tmp_path: Path) -> None:
    with pytest.raises(demo.DemoError, match=r"failed with status 2: .*no model nonsense"):
        demo.listen(demo.speak(tmp_path), tmp_path, "nonsense", 1)


def test_counts_errors_over_all_words(capsys: pytest.CaptureFixture[str]) -> None:
    heard = [
        demo.Heard("navigate home", "navigate home", 1.0, 0.01),
        demo.Heard("turn on the heating", "", 3.0, 0.07),
    ]
    demo._print(heard, 4 / 6, "cabin-en")
    out = capsys.readouterr().out
    assert "turn on the heating" in out
    assert "(nothing)" in out
    assert "2 commands, 6 words, word error rate 66.7 %, real-time factor 0.020" in out


@pytest.mark.slow
def test_bundled_model_understands_the_demonstration() -> None:
    command = [sys.executable, "-m", "tools.demo", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["model"] == "cabin-en"
    assert len(report["transcripts"]) in (len(demo.SPOKEN), len(demo.RECORDED))
    assert report["word_error_rate"] <= 0.15
