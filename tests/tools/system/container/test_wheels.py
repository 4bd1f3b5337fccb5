"""rtap's own wheel, made from the checkout."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rtap import __version__
from tools.process.programs import BuildError
from tools.root import ROOT
from tools.system.container.architecture import ARCHITECTURES
from tools.system.container.lock import Locked
from tools.system.container.wheels import install_locked, install_rtap

ARM64 = ARCHITECTURES["arm64"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("rtap")
    wheel = install_rtap(ROOT, ARM64, place / "app", place)
    assert (wheel.name, wheel.version, wheel.licence) == ("rtap", __version__, "MIT")
    assert wheel.is_expression
    assert len(wheel.sha256) == 64
    return place / "app"


def test_everything_is_there(installed: Path) -> None:
    source = ROOT / "backend/rtap"
    wanted = {
        path.relative_to(source)
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = {path.relative_to(installed / "rtap") for path in (installed / "rtap").rglob("*")}
    assert wanted <= found


def test_nothing_of_this_machine(installed: Path) -> None:
    (information,) = installed.glob("*.dist-info")
    names = {path.name for path in information.iterdir()}
    assert "METADATA" in names
    assert not names & {"RECORD", "direct_url.json", "INSTALLER", "REQUESTED"}
    assert not (installed / "bin").exists()
    assert not list(installed.rglob("*.pyc"))


@pytest.mark.slow
def test_what_an_earlier_build_left_is_not_shipped(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    shutil.copytree(
        ROOT / "backend/rtap", root / "backend/rtap", ignore=shutil.ignore_patterns("*.onnx*")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, root)
    stale = root / "build/lib/rtap/gone.py"
    stale.parent.mkdir(parents=True)
    stale.touch()
    install_rtap(root, ARM64, tmp_path / "app", tmp_path)
    assert not (tmp_path / "app/rtap/gone.py").exists()
    assert stale.exists()


def test_wrong_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    shutil.make_archive(str(wheels / "thing-1.0-py3-none-any"), "zip", ROOT / "conf")
    (wheels / "thing-1.0-py3-none-any.zip").rename(wheels / "thing-1.0-py3-none-any.whl")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    locked = [Locked("thing", "1.0", "", ("sha256:" + "0" * 64,))]
    with pytest.raises(BuildError, match=r"pip failed with status 1 .*DO NOT MATCH THE HASHES"):
        install_locked(locked, ARM64, tmp_path / "target", tmp_path)
    assert not (tmp_path / "target").exists()
