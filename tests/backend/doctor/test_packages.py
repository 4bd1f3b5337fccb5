"""Whether packages load: tried on modules of the tests' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtap.config import Config
from rtap.doctor import microphone, models, packages
from rtap.errors import ConfigurationError

CONFIG = Config()


def module(path: Path, name: str, code: str) -> None:
    (path / f"{name}.py").write_text(code)


def test_imports_are_tried_where_they_can_do_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module(tmp_path, "well", "")
    module(tmp_path, "ill", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    module(tmp_path, "odd", "raise ImportError('no\\nluck')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    faults = packages._import_faults(("well", "ill", "odd", "nowhere_to_be_found"))
    assert faults == {
        "ill": "ends with SIGILL: it is built for another processor",
        "odd": "does not load (ImportError: no luck)",
        "nowhere_to_be_found": (
            "does not load (ModuleNotFoundError: No module named 'nowhere_to_be_found')"
        ),
    }


def test_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_import_faults", lambda names: {})
    good = packages.check_packages(CONFIG)
    assert good.verdict == "ok"
    assert "ONNX Runtime 1." in good.message
    monkeypatch.setattr(packages, "_import_faults", lambda names: {"onnxruntime": "ends"})
    bad = packages.check_packages(CONFIG)
    assert (bad.verdict, "onnxruntime ends" in bad.message) == ("problem", True)
    assert "requirements.lock" in bad.fix
    monkeypatch.setattr(packages, "_import_faults", lambda names: {})
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    without_network = packages.check_packages(CONFIG)
    assert (without_network.verdict, "silero-vad" in without_network.message) == ("problem", True)
    monkeypatch.setattr(packages, "_import_faults", lambda names: {"onnxruntime": "ends"})
    for check in (models.check_model, models.check_wake_word, microphone.check_microphone):
        with pytest.raises(ConfigurationError, match="onnxruntime does not load"):
            check(CONFIG)
