import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tools.benchmarks.asr.adapters import ENGINES, NOT_MEASURED, EngineKind
from tools.benchmarks.asr.process import Worker
from tools.benchmarks.asr.weights import FORMATS, prepared

ROOT = Path(__file__).resolve().parents[4]
INSTALLED = ROOT / ".cache/benchmark-asr/venv/bin/python"
PYTHON = INSTALLED if INSTALLED.exists() else Path(sys.executable)
ALWAYS_THERE = {"rtap", "rtap-30s", "transformers", "optimum"}
"""What set-up installs is enough for these."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adapters")


@pytest.fixture(scope="module")
def samples(place: Path) -> Path:
    seconds, rate = 1.5, 16_000
    noise = np.random.default_rng(0).standard_normal(int(seconds * rate))
    np.save(place / "samples.npy", (0.1 * noise).astype(np.float32))
    return place / "samples.npy"


def missing(kind: EngineKind) -> str:
    program = "import sys; [__import__(name) for name in sys.argv[1:]]"
    done = subprocess.run(
        [str(PYTHON), "-c", program, *kind.requires], capture_output=True, text=True, check=False
    )
    return done.stderr.strip().rsplit("\n", 1)[-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_decodes_exactly_as_many_tokens_as_it_is_told(
    name: str, place: Path, samples: Path
) -> None:
    kind = ENGINES[name]
    fault = missing(kind)
    if fault:
        assert name not in ALWAYS_THERE, fault
        pytest.skip(f"{fault}: start tools/benchmark asr --install to test it")
    weights = prepared(kind.weights, "mini", place, PYTHON)
    with Worker(PYTHON, kind.module, weights, 1) as worker:
        assert any(character.isdigit() for character in worker.version)
        # More than one call: none may depend on what the one before left.
        assert [worker.transcribe(samples, count).tokens for count in (7, 3, 13)] == [7, 3, 13]


@pytest.mark.parametrize("kind", ENGINES.values(), ids=lambda kind: kind.name)
def test_every_engine_has_its_module_and_its_weights(kind: EngineKind) -> None:
    assert ENGINES[kind.name] is kind
    assert importlib.util.find_spec(kind.module) is not None
    assert kind.weights in FORMATS
    assert kind.weights.endswith(kind.precision) or kind.weights == "checkpoint"
    assert kind.padded == ("30 s" in kind.title)


def test_no_engine_is_both_measured_and_left_out() -> None:
    assert not ENGINES.keys() & NOT_MEASURED.keys()
