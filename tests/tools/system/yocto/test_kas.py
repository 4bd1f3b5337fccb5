"""tools.system.yocto.kas: the environment that kas gets, and what it is installed from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tools.system.image_checks.conftest import make_workshop
from tools.system.yocto.kas import LOCK, Kas
from tools.system.yocto.ordinary_user import PATH


@pytest.fixture
def kas(tmp_path: Path) -> Kas:
    return make_workshop(tmp_path / "cache").kas


def test_the_callers_settings_stay_outside(kas: Kas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    monkeypatch.setenv("https_proxy", "http://proxy")
    environment = kas.environment(Path("/work"), Path("/build"))
    assert environment["PATH"] == PATH
    assert environment["https_proxy"] == "http://proxy"
    assert environment["HOME"].startswith(str(kas.cache))
    assert "PYTHONPATH" not in environment
    assert "GITCONFIG_FILE" not in environment


def test_mirrors_may_be_shallow(kas: Kas) -> None:
    mirrored = Kas(kas.user, kas.cache, Path("/mirrors"))
    environment = mirrored.environment(Path("/work"), Path("/build"))
    assert environment["GITCONFIG_FILE"] == "/mirrors"
    assert environment["KAS_CLONE_DEPTH"] == "1"


def test_the_lock_is_complete_hashed_and_names_no_registry() -> None:
    text = LOCK.read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert {"kas", "oelint-adv", "pyyaml"} <= {entry.split("==")[0] for entry in entries}
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
