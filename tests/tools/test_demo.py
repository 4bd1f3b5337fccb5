"""tools/demo: the chain that a newcomer sees first."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from rtap.errors import ConfigurationError
from tools import demo

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", demo.SPOKEN)
def test_spoken_files_are_what_a_microphone_delivers(name: str) -> None:
    info = soundfile.info(ROOT / "tests/audio" / name)
    assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
    assert (ROOT / "tests/audio" / name).stat().st_size < 100_000


def test_refuses_a_directory_in_use(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ConfigurationError, match="not an empty directory"):
        demo.main(["--keep", str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_reports_the_link_that_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = "#!/bin/sh\necho progress >&2\necho 'quantize: the disk is full' >&2\nexit 2\n"
    broken = tmp_path / "python"
    broken.write_text(program)
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    chain = demo.Chain(tmp_path, verbose=False)
    with pytest.raises(demo.DemoError, match=r"tools\.quantize failed .* the disk is full$"):
        chain.quantize()


def test_gibberish_cannot_spoil_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["\x1b[2J\n\x07" + "x" * 1000, ""]
    demo._print_transcripts([demo.Heard("a.wav", "navigate home", {"text": t}) for t in texts])
    lines = capsys.readouterr().out.splitlines()
    assert all(line.isprintable() and len(line) <= 100 for line in lines)
    assert [line for line in lines if "heard" in line][1] == "  heard   (nothing)"


@pytest.mark.slow
def test_whole_chain(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    command = [sys.executable, "-m", "tools.demo", "--json", "--keep", str(keep)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["random_weights"] is True
    assert len(report["steps"]) == 4 + len(demo.SPOKEN)
    assert [heard["said"] for heard in report["transcripts"]] == list(demo.SPOKEN.values())
    for heard in report["transcripts"]:
        assert heard["transcript"]["language"] == "en"
        assert heard["transcript"]["rtf"] > 0
    assert (keep / "demo-int8/manifest.json").is_file()
