"""The two sizes of .venv: what the smaller one is enough for, and how a tool gets the rest."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.tools.model.conversion.ctranslate2_files import tiny_ctranslate2
from tools.root import ROOT
from tools.setup import environment

LINKS = sorted(path.name for path in (ROOT / "tools").iterdir() if path.is_symlink())
REFUSE = """
import importlib, json, sys
refused = set(json.loads(sys.argv[1]))
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"refused: {name}", name=name)
sys.meta_path.insert(0, Refuse())
"""
MAKE_AND_COUNT = """
from pathlib import Path
from tools.commands import demo
from tools.model.conversion.installed_model import ensure_model
ensure_model(sys.argv[2], models=Path(sys.argv[3]))
print(demo.error_rate([demo.Heard("turn it to twenty one", "Turn it to 21.", 1.0, 0.1)]))
"""
START_ALL = """
for name in sys.argv[2:]:
    importlib.import_module(f"tools.commands.{name}")
"""


def beyond_the_small_lock() -> list[str]:
    """Modules that are installed here, of packages that requirements-demo.lock does not have."""
    text = (ROOT / "requirements-demo.lock").read_text()
    locked = {*re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE), "rtap"}
    return [
        module
        for module, packages in packages_distributions().items()
        if not locked & {re.sub(r"[-_.]+", "-", package).lower() for package in packages}
    ]


def in_small(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", REFUSE + program, json.dumps(beyond_the_small_lock()), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_small_lock_is_without_what_is_large() -> None:
    refused = {"torch", "transformers", "optimum", "sympy", "scipy", "pytest", "mypy", "playwright"}
    assert refused <= set(beyond_the_small_lock())


def test_the_demonstration_needs_the_small_lock_only(tmp_path: Path) -> None:
    tiny_ctranslate2(tmp_path / "whisper-tiniest")
    models = tmp_path / "models"
    out = in_small(MAKE_AND_COUNT, str(tmp_path / "whisper-tiniest"), str(models))
    assert out == "0.0\n"
    assert [path.name for path in models.iterdir()] == ["whisper-tiniest-int8"]


def test_every_tool_starts_with_the_small_lock() -> None:
    in_small(START_ALL, *LINKS)


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for this checkout, whose tools/setup/setup.sh does nothing yet, and whose .venv this is."""
    script = tmp_path / "tools/setup/setup.sh"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setattr(sys, "argv", ["tools/commands/verify_model.py"])
    monkeypatch.syspath_prepend(tmp_path / "packages")
    return script


@pytest.mark.usefixtures("setup")
def test_nothing_is_said_where_nothing_is_missing(capfd: pytest.CaptureFixture[str]) -> None:
    environment.require("counting", "json")
    assert capfd.readouterr() == ("", "")


def test_what_is_missing_is_installed_after_one_sentence(
    setup: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    package = setup.parents[2] / "packages/rtap_large.py"
    setup.write_text(f"#!/bin/sh\necho installing\nmkdir {package.parent}\ntouch {package}\n")
    environment.require("comparing", "json", "rtap_large")
    out, said = capfd.readouterr()
    # What a tool prints may be JSON.
    assert out == ""
    assert said.splitlines()[0].startswith("verify_model: comparing takes rtap_large: installed")
    assert said.splitlines()[1:] == ["installing"]


@pytest.mark.parametrize("last", ["exit 2", "true"])
def test_where_it_cannot_be_installed_the_command_is_named(setup: Path, last: str) -> None:
    setup.write_text(f"#!/bin/sh\n{last}\n")
    with pytest.raises(ConfigurationError, match="network, then run `make setup`"):
        environment.require("comparing", "rtap_large")


def test_the_environment_of_another_is_left_alone(
    setup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.write_text("#!/bin/sh\ntouch called\n")
    monkeypatch.setattr(sys, "prefix", "/usr")
    with pytest.raises(ConfigurationError, match="rtap_large, not installed here: run `make setup"):
        environment.require("comparing", "rtap_large")
    assert not Path("called").exists()
