import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from rtap.audio.format import SAMPLE_RATE
from tools.benchmarks.asr.adapters import ENGINES, NOT_MEASURED, EngineKind
from tools.benchmarks.asr.environment import installed_python
from tools.benchmarks.asr.process import Worker
from tools.benchmarks.asr.weights import FORMATS, Source, prepared
from tools.model.conversion.elastic_mark import write_mark
from tools.model.conversion.sources import open_checkpoint
from tools.root import ROOT

PYTHON = installed_python(ROOT / ".cache/benchmark-asr")
ALWAYS_THERE = {"rtap", "rtap-30s", "rtap-30s-fp32", "transformers", "optimum"}
"""What set-up installs is enough for these."""


@pytest.fixture(scope="module")
def source(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Source:
    place = tmp_path_factory.mktemp("adapters")
    copied = place / "whisper-mini"
    shutil.copytree(checkpoint, copied)
    write_mark(copied, "native", {"margin": 0.5})
    return Source.of(open_checkpoint(str(copied)), place)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("samples") / "samples.npy"
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE * 5 // 2)
    np.save(path, (0.1 * noise).astype(np.float32))
    return path


def missing(kind: EngineKind) -> str:
    program = "import sys; [__import__(name) for name in sys.argv[1:]]"
    done = subprocess.run(
        [str(PYTHON), "-c", program, *kind.requires], capture_output=True, text=True, check=False
    )
    return done.stderr.strip().rsplit("\n", 1)[-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_hears_the_same_again_and_says_in_what_context(
    name: str, source: Source, samples: Path
) -> None:
    kind = ENGINES[name]
    fault = missing(kind)
    if fault:
        assert name not in ALWAYS_THERE, fault
        pytest.skip(f"{fault}: start tools/benchmark asr --install to test it")
    weights = prepared(kind.weights, source, PYTHON)
    with Worker(PYTHON, kind.module, weights, 1) as worker:
        assert any(character.isdigit() for character in worker.version)
        one, other = (worker.transcribe(samples, "en") for _ in range(2))
    assert one.text == other.text
    assert one.peak > 10e6
    if kind.padded:
        assert one.contexts == (30.0,)
    else:
        assert list(one.contexts) == pytest.approx([3.0]), "2.5 s and a margin of 0.5 s"


@pytest.mark.parametrize("kind", ENGINES.values(), ids=lambda kind: kind.name)
def test_every_engine_has_its_module_and_its_weights(kind: EngineKind) -> None:
    assert ENGINES[kind.name] is kind
    assert importlib.util.find_spec(kind.module) is not None
    assert kind.weights in FORMATS
    assert kind.weights.endswith(kind.precision) or kind.weights == "checkpoint"
    assert kind.padded == ("30 s" in kind.title)


def test_no_engine_is_both_measured_and_left_out() -> None:
    assert not ENGINES.keys() & NOT_MEASURED.keys()
