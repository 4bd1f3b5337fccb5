"""tools/convert_whisper: what it writes, and that it writes nothing when it is stopped."""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
from transformers import WhisperForConditionalGeneration

from rtap.__main__ import main as rtap
from rtap.whisper.model_directory import MANIFEST_NAME, ModelDirectory
from rtap.whisper.model_store import ModelStore
from tests.deadlines import SOON
from tests.tools.conftest import SmallDisk, Start
from tests.tools.model.conversion.tiny_checkpoints import tiny_checkpoint
from tools.commands import convert_whisper
from tools.model.conversion import whisper_graphs
from tools.model.conversion.convert import convert
from tools.model.conversion.graph_writer import OPSET
from tools.model.conversion.sources import open_checkpoint
from tools.model.conversion.staging import StagedDirectory
from tools.root import ROOT

STAGES = ["tokenizer and configuration", "encoder", "decoder", "manifest"]

STOPS_IN_THE_DECODER = """
import sys, time
from pathlib import Path
from tools.console.command_line import run
from tools.commands.convert_whisper import main
from tools.model.conversion.graph_writer import GraphWriter

finish = GraphWriter.save
reached = Path(sys.argv.pop())

def save(writer, name):
    if name == "whisper_decoder":
        reached.touch()
        time.sleep(60)
    finish(writer, name)

GraphWriter.save = save
run(main)
"""
"""A conversion on a disk that hangs after the decoder's weights, before its graph."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "whisper-tiniest"
    tiny_checkpoint(path)
    return path


@pytest.fixture
def undisturbed(source: Path, tmp_path: Path) -> Path:
    """What a conversion of the source gives when nothing comes between."""
    path = tmp_path / "undisturbed" / "graphs"
    convert(open_checkpoint(str(source)), path, verify=False)
    return path


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def assert_identical(one: Path, other: Path) -> None:
    assert names(one) == names(other)
    _, different, unreadable = filecmp.cmpfiles(one, other, names(one), shallow=False)
    assert (different, unreadable) == ([], [])


def progress(done_err: str) -> list[str]:
    """Steps in the order in which they were reported."""
    lines = [line for line in done_err.splitlines() if line.endswith(" ...")]
    return [line.removeprefix("convert_whisper: ").removesuffix(" ...") for line in lines]


def test_what_is_written(converted: Path, checkpoint: Path) -> None:
    assert names(converted) == [
        "config.json",
        "decoder.onnx",
        "decoder.onnx.data",
        "encoder.onnx",
        "encoder.onnx.data",
        "generation_config.json",
        MANIFEST_NAME,
        "preprocessor_config.json",
        "tokenizer.json",
    ]
    manifest = json.loads((converted / MANIFEST_NAME).read_text())
    assert set(manifest["files"]) == {*names(converted)} - {MANIFEST_NAME}
    for name, record in manifest["files"].items():
        content = (converted / name).read_bytes()
        assert record == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert manifest["bytes"] == sum(record["bytes"] for record in manifest["files"].values())
    assert (manifest["layout"], manifest["precision"]) == ("rtap", "fp32")
    assert (manifest["source"], manifest["elastic"]) == (checkpoint.name, "guarded")
    ModelDirectory.open(converted).verify()


def test_parameters_are_torchs(converted: Path, checkpoint: Path) -> None:
    model = WhisperForConditionalGeneration.from_pretrained(checkpoint)
    assert ModelDirectory.open(converted).manifest.parameters == model.num_parameters()


@pytest.mark.parametrize("graph", ["encoder.onnx", "decoder.onnx"])
def test_graphs_are_valid_and_of_the_stated_opset(graph: str, converted: Path) -> None:
    # By path, so that the checker follows the weights into their own file.
    onnx.checker.check_model(converted / graph)
    model = onnx.load(converted / graph, load_external_data=False)
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    assert opset == OPSET == ModelDirectory.open(converted).manifest.opset


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_files_may_be_read_by_all(converted: Path, quantized: Path) -> None:
    # The device's service is another user than the one that converts.
    for path in [*converted.iterdir(), *quantized.iterdir()]:
        assert path.stat().st_mode & 0o444 == 0o444, path


def test_twice_gives_the_same_bytes(source: Path, undisturbed: Path, tmp_path: Path) -> None:
    convert(open_checkpoint(str(source)), tmp_path / "graphs", verify=False)
    assert_identical(tmp_path / "graphs", undisturbed)


SHAPES: dict[str, dict[str, Any]] = {
    "128 mels": {"num_mel_bins": 128},
    "English only": {"multilingual": False},
    "like turbo": {"encoder_layers": 4, "decoder_layers": 1},
    "deep decoder": {"encoder_layers": 1, "decoder_layers": 3},
    "more encoder heads": {"encoder_attention_heads": 4, "decoder_attention_heads": 2},
    "more decoder heads": {"encoder_attention_heads": 1, "decoder_attention_heads": 4},
    "heads of 8": {"decoder_attention_heads": 4, "encoder_attention_heads": 4},
    "heads of 16": {},
    "encoder heads of 36": {
        "d_model": 144,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 3,
    },
    "heads of 64": {"d_model": 128},
    "one head": {"encoder_attention_heads": 1, "decoder_attention_heads": 1},
    "narrow feed-forward": {"encoder_ffn_dim": 40, "decoder_ffn_dim": 24},
    "odd vocabulary": {"vocab_size": 1999},
    "long context": {"max_source_positions": 600},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_computes_what_torch_computes(shape: str, tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "source", **SHAPES[shape])
    # Raises when the figures are outside the tolerance.
    manifest = convert(open_checkpoint(str(tmp_path / "source")), tmp_path / "graphs")
    assert manifest.parity["passed"]
    assert manifest.parity["decoder"][0]["distinct_tokens"] > 1
    ModelDirectory.open(tmp_path / "graphs").verify()


def test_decoder_heads_of_a_size_that_the_graphs_cannot_hold(tmp_path: Path, start: Start) -> None:
    tiny_checkpoint(tmp_path / "source", d_model=72)
    done = start(convert_whisper.main, tmp_path / "source", tmp_path / "graphs")
    assert done.status == 2
    assert done.complaints == [
        (
            "tool: error: source has decoder heads of 36 values, "
            "and our graphs take multiples of 8: add --layout optimum"
        )
    ]
    assert names(tmp_path) == ["source", "tiny.tiktoken"]


def test_graphs_that_compute_something_else_are_not_kept(
    source: Path, tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper_graphs, "LAYER_NORM_EPSILON", 0.1)
    done = start(convert_whisper.main, source, tmp_path / "graphs")
    assert (done.status, done.out) == (1, "")
    assert len(done.complaints) == 1
    assert "do not compute what whisper-tiniest computes" in done.complaints[0]
    assert not (tmp_path / "graphs").exists()
    assert start(convert_whisper.main, source, tmp_path / "graphs", "--no-verify").status == 0


def test_old_checkpoint(source: Path, tmp_path: Path) -> None:
    """From before transformers 4.26: slow tokenizer files, decoding settings in config.json."""
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    (source / "vocab.json").write_text(json.dumps(tokenizer["model"]["vocab"]))
    merges = [" ".join(pair) for pair in tokenizer["model"]["merges"]]
    (source / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    (source / "added_tokens.json").write_text(json.dumps(added))
    config = json.loads((source / "config.json").read_text())
    settings = {"suppress_tokens": [1, 2], "begin_suppress_tokens": [3]}
    (source / "config.json").write_text(json.dumps(config | settings))
    for name in ("tokenizer.json", "generation_config.json", "preprocessor_config.json"):
        (source / name).unlink()

    convert(open_checkpoint(str(source)), tmp_path / "graphs", verify=False)

    made = json.loads((tmp_path / "graphs/tokenizer.json").read_text())
    assert made["model"]["vocab"] == tokenizer["model"]["vocab"]
    assert {token["content"]: token["id"] for token in made["added_tokens"]} == added
    generation = json.loads((tmp_path / "graphs/generation_config.json").read_text())
    assert generation["suppress_tokens"] == [1, 2]
    assert generation["begin_suppress_tokens"] == [3]
    preprocessor = json.loads((tmp_path / "graphs/preprocessor_config.json").read_text())
    assert preprocessor["feature_size"] == config["num_mel_bins"]
    assert preprocessor["chunk_length"] == config["max_source_positions"] // 50


def test_mel_filters_are_left_out(source: Path, tmp_path: Path) -> None:
    preprocessor = {"feature_size": 80, "mel_filters": [[0.0] * 201] * 80, "hop_length": 160}
    (source / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    convert(open_checkpoint(str(source)), tmp_path / "graphs", verify=False)
    written = json.loads((tmp_path / "graphs/preprocessor_config.json").read_text())
    assert written == {"feature_size": 80, "hop_length": 160}


def test_a_distilled_checkpoint_with_its_teachers_heads(
    source: Path, tmp_path: Path, start: Start
) -> None:
    """Case 07: they name layers that the decoder does not have."""
    file = source / "generation_config.json"
    document = json.loads(file.read_text()) | {"alignment_heads": [[2, 2], [3, 0], [3, 2]]}
    file.write_text(json.dumps(document))
    output = tmp_path / "distilled"
    done = start(convert_whisper.main, source, output, "--no-verify")
    assert done.status == 0
    assert any("alignment heads" in line for line in done.complaints)
    written = json.loads((output / "generation_config.json").read_text())
    del document["alignment_heads"]
    assert written == document


def test_heads_that_the_decoder_has_stay(source: Path, tmp_path: Path, start: Start) -> None:
    file = source / "generation_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"alignment_heads": [[0, 1]]}))
    output = tmp_path / "whole"
    assert start(convert_whisper.main, source, output, "--no-verify").complaints == []
    assert filecmp.cmp(output / file.name, file, shallow=False)


def test_command_line(source: Path, tmp_path: Path, start: Start) -> None:
    done = start(convert_whisper.main, source, tmp_path / "graphs", "--json", "--elastic", "native")
    assert done.status == 0
    manifest = json.loads(done.out)
    assert (manifest["name"], manifest["elastic"]) == ("graphs", "native")
    assert manifest["parity"]["passed"]
    assert progress(done.err) == [*STAGES, "verify"]


def test_the_default_place_is_where_rtap_looks(
    source: Path, tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    assert start(convert_whisper.main, source, "--no-verify").status == 0
    ModelDirectory.open(tmp_path / "models" / source.name)


@pytest.mark.parametrize("arguments", [[], ["a", "b", "--layout", "tflite"], ["a", "--speed"]])
def test_mistyped(arguments: list[str], start: Start) -> None:
    done = start(convert_whisper.main, *arguments)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert "tools/convert_whisper --help" in done.err


def test_an_output_that_exists_is_kept(source: Path, undisturbed: Path, start: Start) -> None:
    before = (undisturbed / MANIFEST_NAME).stat()
    done = start(convert_whisper.main, source, undisturbed)
    assert done.status == 2
    assert done.complaints == [
        f"tool: error: {undisturbed} exists already: add --force to replace it"
    ]
    assert (undisturbed / MANIFEST_NAME).stat() == before
    assert names(undisturbed.parent) == ["graphs"]


def test_force_replaces_a_model(undisturbed: Path, tmp_path: Path, start: Start) -> None:
    tiny_checkpoint(tmp_path / "other", seed=1)
    before = ModelDirectory.open(undisturbed).manifest
    done = start(convert_whisper.main, tmp_path / "other", undisturbed, "--force", "--no-verify")
    assert done.status == 0
    assert ModelDirectory.open(undisturbed).manifest != before
    assert names(undisturbed.parent) == ["graphs"]


def test_force_replaces_nothing_else(source: Path, tmp_path: Path, start: Start) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/wedding.jpg").touch()
    (tmp_path / "letter.txt").touch()
    for place in ("photos", "letter.txt", "whisper-tiniest", "."):
        done = start(convert_whisper.main, source, tmp_path / place, "--force")
        assert done.status == 2
        assert "not a model directory, so --force does not replace it" in done.complaints[0]
    assert names(tmp_path / "photos") == ["wedding.jpg"]
    assert (source / "model.safetensors").is_file()


def test_a_place_that_cannot_be(source: Path, tmp_path: Path, start: Start) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "graphs", tmp_path / ("x" * 300)):
        done = start(convert_whisper.main, source, place)
        assert done.status == 2, done
        assert len(done.complaints) == 1
        assert "choose another place" in done.complaints[0]


def stopped_in_the_decoder(
    source: Path, output: Path, with_signal: signal.Signals
) -> tuple[int, str, str]:
    reached = output.with_name("reached")
    command = [sys.executable, "-c", STOPS_IN_THE_DECODER, str(source), str(output), "--no-verify"]
    with subprocess.Popen(
        [*command, str(reached)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not reached.exists():
            assert process.poll() is None, process.communicate()
        process.send_signal(with_signal)
        out, err = process.communicate(timeout=SOON)
    return process.returncode, out, err


@pytest.mark.slow
def test_killed_and_started_again(
    source: Path, undisturbed: Path, tmp_path: Path, start: Start
) -> None:
    output = tmp_path / "graphs"
    status, out, _ = stopped_in_the_decoder(source, output, signal.SIGKILL)
    assert (status, out) == (-signal.SIGKILL, "")
    assert not output.exists()

    done = start(convert_whisper.main, source, output, "--no-verify")
    assert done.status == 0
    assert progress(done.err) == [
        STAGES[0],
        f"{STAGES[0]}: done by an earlier run",
        "encoder",
        "encoder: done by an earlier run",
        "decoder",
        "manifest",
    ]
    assert_identical(output, undisturbed)
    assert not [name for name in names(tmp_path) if name.startswith(".")]


@pytest.mark.slow
def test_interrupted(source: Path, tmp_path: Path) -> None:
    status, out, err = stopped_in_the_decoder(source, tmp_path / "graphs", signal.SIGINT)
    assert (status, out) == (130, "")
    lines = [line for line in err.splitlines() if not line.endswith(" ...")]
    assert len(lines) == 1
    assert lines[0].endswith("interrupted: nothing was left half written")
    assert not (tmp_path / "graphs").exists()
    staged = tmp_path / ".graphs.partial"
    assert not [name for name in names(staged) if name.startswith(("decoder", ".scratch"))]


class PowerCut(BaseException):
    """Stops a conversion as a signal would."""


def stop_before(graph: str, monkeypatch: pytest.MonkeyPatch, *arguments: Any) -> None:
    """Run a conversion up to a graph."""

    def stop(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(whisper_graphs, f"write_{graph}", stop)
        with pytest.raises(PowerCut):
            convert(*arguments, verify=False)


@pytest.mark.parametrize("changed", ["model.safetensors", "config.json", "tokenizer.json"])
def test_parts_of_a_checkpoint_that_has_changed_are_thrown_away(
    changed: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    output = tmp_path / "graphs"
    stop_before("decoder", monkeypatch, open_checkpoint(str(source)), output)
    os.utime(source / changed, ns=(0, 0))
    done = start(convert_whisper.main, source, output, "--no-verify")
    assert progress(done.err) == STAGES


def test_another_layout_starts_afresh(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    output = tmp_path / "graphs"
    stop_before("decoder", monkeypatch, open_checkpoint(str(source)), output)
    done = start(convert_whisper.main, source, output, "--no-verify", "--elastic", "native")
    assert progress(done.err) == STAGES


def test_a_staged_model_is_not_listed(source: Path, tmp_path: Path) -> None:
    convert(open_checkpoint(str(source)), tmp_path / "models" / "whole", verify=False)
    half = tmp_path / "models" / "half"
    with StagedDirectory(half, "", replace=False) as staged:
        # As after the manifest, while the graphs are being compared.
        (staged.path / MANIFEST_NAME).write_text("{}")
        store = ModelStore.from_environment({"MODELS_DIR": str(tmp_path / "models")})
        user = [model.name for model in store.list_models() if not model.bundled]
    assert user == ["whole"]


def test_two_at_once(source: Path, tmp_path: Path, start: Start) -> None:
    output = tmp_path / "graphs"
    with StagedDirectory(output, "of the first run", replace=False) as first:
        first.step("encoder", lambda path: (path / "encoder.onnx").touch())
        done = start(convert_whisper.main, source, output)
        assert done.status == 2
        assert done.complaints == [
            f"tool: error: another run is writing {output}: wait for it to end"
        ]
        assert (first.path / "encoder.onnx").is_file()
    assert start(convert_whisper.main, source, output, "--no-verify").status == 0


# The whole takes 700 kB: these end in the tokenizer, the encoder and the decoder.
@pytest.mark.parametrize("kilobytes", [4, 40, 300, 500])
def test_full_disk(
    kilobytes: int, small_disk: SmallDisk, source: Path, undisturbed: Path, start: Start
) -> None:
    small_disk.resize(kilobytes)
    output = small_disk.path / "graphs"
    done = start(convert_whisper.main, source, output, "--no-verify")
    assert (done.status, done.out) == (2, "")
    assert len(done.complaints) == 1
    assert done.complaints[0].startswith("tool: error: the disk is full: free some space")
    assert not output.exists()

    small_disk.resize(8000)
    assert start(convert_whisper.main, source, output, "--no-verify").status == 0
    assert_identical(output, undisturbed)


@pytest.mark.slow
def test_optimum_layout(tmp_path: Path, start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    # These graphs take 30 s and nothing else.
    tiny_checkpoint(tmp_path / "source", max_source_positions=1500)
    output = tmp_path / "graphs"
    done = start(convert_whisper.main, tmp_path / "source", output, "--layout", "optimum", "--json")
    assert done.status == 0, done.err
    manifest = json.loads(done.out)
    assert (manifest["layout"], manifest["elastic"]) == ("optimum", "no")
    assert manifest["parity"]["passed"]
    assert manifest["parity"]["encoder"] == []
    assert {name for name in manifest["files"] if name.endswith(".onnx")} == {
        "encoder_model.onnx",
        "decoder_model.onnx",
        "decoder_with_past_model.onnx",
    }
    audio = ROOT / "tests/audio/navigate_home.wav"
    arguments = ["transcribe", str(audio), "--model", str(output), "--language", "en"]
    assert rtap([*arguments, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["language"] == "en"
    assert rtap([*arguments, "--word-timestamps"]) == 2
    assert "tools/convert_whisper --layout rtap" in capsys.readouterr().err
