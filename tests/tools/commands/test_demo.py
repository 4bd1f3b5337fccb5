"""tools/demo: what a newcomer sees first."""

import json
import shutil
from pathlib import Path

import pytest
import soundfile

from tools.commands import demo
from tools.model.evaluation import people
from tools.root import ROOT


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
    demo._print("said by a person", heard, demo.error_rate(heard))
    out = capsys.readouterr().out
    assert "turn on the heating" in out
    assert "(nothing)" in out
    assert "2 recordings, 6 words, word error rate 66.7 %, real-time factor 0.020" in out


def test_numbers_in_digits_are_no_errors() -> None:
    said = "set the temperature to twenty one degrees"
    heard = demo.Heard(said, "Set the temperature to 21 degrees.", 2.0, 0.1)
    assert demo.error_rate([heard]) == 0


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the package's recordings: somebody says "navigate home"."""
    file = tmp_path / "Front_Center.wav"
    shutil.copy(ROOT / "tests/audio/navigate_home.wav", file)
    monkeypatch.setattr(people, "recordings", lambda: {file: "navigate home"})
    return file


@pytest.mark.slow
@pytest.mark.usefixtures("person")
def test_people_and_synthesisers_are_judged_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--json", "--model", "cabin-en"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["model"] == "cabin-en"
    assert [one["heard"] for one in report["a person"]["transcripts"]] == ["navigate home"]
    spoken = report["a synthesiser"]
    assert len(spoken["transcripts"]) in (len(demo.SPOKEN), len(demo.RECORDED))
    assert spoken["word_error_rate"] <= 0.15


@pytest.mark.usefixtures("person")
def test_without_the_model_the_bundled_one_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "find_default_model", lambda _: None)
    models = []

    def listen(files: dict[Path, str], _place: Path, model: str, _threads: int) -> list[demo.Heard]:
        models.append(model)
        return [demo.Heard(text, text, 1.0, 0.1) for text in files.values()]

    monkeypatch.setattr(demo, "listen", listen)
    assert demo.main([]) == 0
    assert models == ["cabin-en"]
    out = capsys.readouterr().out
    assert out.index("said by a person") < out.index("said by a synthesiser")
    assert "rtap listen" in out
