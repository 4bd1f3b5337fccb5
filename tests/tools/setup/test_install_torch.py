"""tools/setup/install_torch: a build for the processor, from whatever place has one, and no CUDA unasked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from tools.setup import install_torch
from tools.setup.install_torch import CPU_INDEX, cuda_packages, install

CPU = ["filelock", "sympy>=1.13.3", 'setuptools; python_version >= "3.12"']
CUDA = [*CPU, 'nvidia-cudnn-cu13==9.1; platform_system == "Linux"', "triton==3.5"]
Pip = Callable[..., list[str]]


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Pip:
    """A machine without torch, whose pip finds it only where it is told; returns what pip was asked."""

    def prepare(*places: str, requires: list[str] | None = None, installed: str = "") -> list[str]:
        asked: list[str] = []

        def answer(*arguments: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
            asked.append(" ".join(arguments))
            is_marked = arguments[-1].endswith("+cpu")
            place = "pytorch" if CPU_INDEX in arguments else "own"
            found = place in places if is_marked else requires is not None
            report = json.dumps({"install": [{"metadata": {"requires_dist": requires or []}}]})
            return subprocess.CompletedProcess(arguments, 0 if found else 1, report, "not found")

        number, _, mark = installed.partition("+")
        monkeypatch.setattr(install_torch, "_pip", answer)
        monkeypatch.setattr(install_torch, "_installed", lambda: (number, mark))
        return asked

    return prepare


def test_a_marked_build_of_ones_own_index_comes_first(pip: Pip) -> None:
    asked = pip("own", "pytorch", requires=CPU)
    assert install("torch==2.13.0") == 0
    assert asked == ["install --no-deps torch==2.13.0+cpu"]


def test_then_that_of_pytorch(pip: Pip) -> None:
    asked = pip("pytorch", requires=CUDA)
    assert install("torch==2.13.0") == 0
    assert len(asked) == 2
    assert CPU_INDEX in asked[1]


def test_an_unmarked_one_is_taken_where_it_asks_for_no_cuda(pip: Pip) -> None:
    asked = pip(requires=CPU)
    assert install("torch==2.13.0") == 0
    assert asked[-1] == "install --no-deps torch==2.13.0"


def test_one_with_cuda_is_never_taken_unasked(pip: Pip, capsys: pytest.CaptureFixture[str]) -> None:
    asked = pip(requires=CUDA)
    assert install("torch==2.13.0") == 1
    assert "--dry-run" in asked[-1]
    assert "2 CUDA packages (nvidia-cudnn-cu13 and others)" in capsys.readouterr().out
    asked.clear()
    assert install("torch==2.13.0", with_cuda=True) == 0
    assert asked == ["install torch==2.13.0"]


def test_where_there_is_none_pip_says_why(pip: Pip, capsys: pytest.CaptureFixture[str]) -> None:
    pip()
    assert install("torch==2.13.0") == 1
    assert capsys.readouterr().out == "not found\n"


def test_what_is_there_stays(pip: Pip) -> None:
    for installed in ("2.13.0+cpu", "2.13.0", "2.13.0+cu130"):
        asked = pip(installed=installed)
        assert install("torch==2.13.0") == 0
        assert asked == []
    asked = pip(requires=CUDA, installed="2.13.0+cpu")
    assert install("torch==2.13.0", with_cuda=True) == 0
    assert asked == ["uninstall --yes torch", "install torch==2.13.0"]


def test_only_what_this_machine_would_get_counts() -> None:
    assert cuda_packages(CPU) == []
    assert cuda_packages(['nvidia-cublas; platform_machine == "no-such"', "cuda-bindings"]) == [
        "cuda-bindings"
    ]
    assert cuda_packages(['triton; extra == "more"']) == []
