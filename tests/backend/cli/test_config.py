"""rtap config check | show."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import rtap
from rtap.__main__ import main
from rtap.config.loader import UnifiedConfigLoader
from tests.backend.model_directories import make_model

BUNDLED = Path(rtap.__file__).parent / "models" / "cabin-en"
VARIABLES = (
    "RTAP_ENVIRONMENT RTAP_LOG_LEVEL LOG_LEVEL AUDIO_DEVICE RTAP_AUDIO_MOCK MODEL_NAME MODELS_DIR "
    "CACHE_DIR ONNX_NUM_THREADS RTAP_API_KEY RTAP_ALLOWED_HOSTS RTAP_ALLOWED_ORIGINS RTAP_TRUSTED_PROXIES"
)


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in VARIABLES.split():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("RTAP_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "default.yaml").write_text("stt: {beam_size: 2}\n")
    (tmp_path / "car.yaml").write_text(
        "inherits: default\noutput:\n  api_key: hush\naudio:\n  device: ${MIC:Gerät}\ncache_dir: /c\n"
    )
    return tmp_path


def test_check(profiles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--profile", "car"]) == 0
    shown = capsys.readouterr().out
    assert shown == (
        f"ok: profile car ({profiles}/car.yaml, {profiles}/default.yaml)\n"
        f"ok: model cabin-en (int8, {BUNDLED})\n"
    )
    assert main(["config", "check", "--file", str(profiles / "car.yaml")]) == 0
    assert capsys.readouterr().out == shown


def test_check_of_what_the_environment_chooses(
    profiles: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "check"]) == 0
    assert first_line(capsys) == f"ok: profile default ({profiles}/default.yaml)"
    (profiles / "default.yaml").unlink()
    assert main(["config", "check"]) == 0
    assert first_line(capsys) == "ok: profile default (built in)"
    monkeypatch.setenv("RTAP_ENVIRONMENT", "bus")
    assert main(["config", "check"]) == 2
    assert "no profile bus (RTAP_ENVIRONMENT says so)" in capsys.readouterr().err


def first_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize(
    ("profile", "fault"),
    [
        ("stt: {model_name: whisper-large}", "no model whisper-large: there are"),
        ("stt: {model_name: cut-off}", "config.json has 1 bytes instead of"),
        ("stt: {model_name: damaged}", "config.json is damaged"),
        ("stt: {compute_dtype: float32}", "stt.compute_dtype is float32, but cabin-en is int8"),
    ],
)
def test_check_looks_for_the_model(
    profile: str, fault: str, profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = profiles / "models"
    file = make_model(models / "cut-off") / "config.json"
    file.write_text("{")
    file = make_model(models / "damaged") / "config.json"
    file.write_text(file.read_text().replace("whisper", "whispes"))
    (profiles / "default.yaml").write_text(f"{profile}\nmodels_dir: {models}\n")
    assert main(["config", "check"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    assert fault in line


def test_check_of_a_model_that_was_asked_for(
    profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_model(profiles / "models" / "base")
    (profiles / "default.yaml").write_text(
        f"stt: {{model_name: base, compute_dtype: int8}}\nmodels_dir: {path.parent}\n"
    )
    assert main(["config", "check"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[1] == f"ok: model base (int8, {path})"
    assert captured.err == ""


def test_check_lists_every_fault_on_a_line(
    profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = profiles / "default.yaml"
    path.write_text("vad:\n  threshold: 3\n  treshold: 1\n")
    assert main(["config", "check"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"rtap: error: {path}:2: vad.threshold is 3: it must be from 0 to 1",
        f"rtap: error: {path}:3: vad.treshold is unknown: did you mean vad.threshold?",
    ]
    assert main(["config", "show"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_profile_and_file_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--profile", "car", "--file", "x.yaml"]) == 2
    assert "not allowed with" in capsys.readouterr().err


def test_show_says_where_values_come_from(
    profiles: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONNX_NUM_THREADS", "3")
    assert main(["config", "show", "--profile", "car"]) == 0
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    for line in (
        ["#", "profile", "car"],
        ["output:"],
        ["beam_size:", "2", f"# {profiles}/default.yaml:1"],
        ["device:", '"Gerät"', f"# {profiles}/car.yaml:5 (MIC)"],
        ["num_threads:", "3", "# ONNX_NUM_THREADS"],
        ["frame_ms:", "20", "# built-in default"],
        ["cache_dir:", '"/c"', f"# {profiles}/car.yaml:6"],
        ["api_key:", '"***"', f"# {profiles}/car.yaml:3"],
        ["access_key:", '""', "# built-in default"],
    ):
        assert line in lines


def model_shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The line on the model, without its padding."""
    assert main(["config", "show", *arguments]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if "model_name:" in line]
    return " ".join(line.split())


def test_show_says_which_model_auto_is(
    profiles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    auto = 'model_name: "auto" #'
    assert model_shown(capsys) == (
        f"{auto} built-in default; auto is cabin-en "
        f"(there is no whisper-base-int8 in {tmp_path}/data/rtap/models)"
    )
    make_model(tmp_path / "models" / "whisper-base")
    assert main(["models", "use", str(tmp_path / "models" / "whisper-base")]) == 0
    capsys.readouterr()
    (profiles / "van.yaml").write_text("stt: {model_name: auto}\n")
    assert model_shown(capsys, "--profile", "van") == (
        f"{auto} {profiles}/van.yaml:1; auto is {tmp_path}/models/whisper-base "
        "(`rtap models use` chose it)"
    )
    (tmp_path / "config" / "rtap" / "model.json").write_text("{")
    assert "run `rtap models use NAME` again" in model_shown(capsys)
    assert main(["config", "show", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["config"]["stt"]["model_name"] == "auto"
    assert "run `rtap models use NAME` again" in document["origins"]["stt.model_name"]


@pytest.mark.parametrize("variable", ["whisper-tiny", ""])
def test_show_says_who_names_the_model(
    variable: str,
    profiles: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (profiles / "van.yaml").write_text("stt: {model_name: whisper-base}\n")
    monkeypatch.setenv("MODEL_NAME", variable)
    expected = (
        'model_name: "whisper-tiny" # MODEL_NAME'
        if variable
        else f'model_name: "whisper-base" # {profiles}/van.yaml:1'
    )
    assert model_shown(capsys, "--profile", "van") == expected


@pytest.mark.usefixtures("profiles")
def test_show_is_a_profile_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show"]) == 0
    shown = tmp_path / "shown.yaml"
    shown.write_text(capsys.readouterr().out)
    loader = UnifiedConfigLoader([tmp_path], {})
    assert loader.load(file=shown).stt == loader.load().stt
    assert main(["config", "show", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["config"] == yaml.safe_load(shown.read_text())


def test_show_json(profiles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--profile", "car", "--json"]) == 0
    text = capsys.readouterr().out
    document = json.loads(text)
    assert document["profile"] == "car"
    assert document["files"] == [f"{profiles}/car.yaml", f"{profiles}/default.yaml"]
    assert document["config"]["output"]["api_key"] == "***"
    assert document["config"]["stt"]["hotwords"] == []
    assert document["origins"]["stt.beam_size"] == f"{profiles}/default.yaml:1"
    assert "hush" not in text


def test_help_reads_no_yaml() -> None:
    code = (
        "import sys, rtap.__main__ as m; m.build_parser();"
        "print([name for name in ('yaml', 'rtap.config.loader') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
