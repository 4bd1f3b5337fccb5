"""What the container takes from the lock file, and what it leaves out."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rtap.errors import ConfigurationError
from tools.root import ROOT
from tools.system.container.architecture import ARCHITECTURES
from tools.system.container.lock import LEFT_OUT, for_container, read_lock

ARM64 = ARCHITECTURES["arm64"]
HASH = "sha256:" + "0" * 64
TEXT = f"""\
# A comment.
one==1.0 ; python_full_version < '3.15' and sys_platform == 'linux' \\
    --hash={HASH} \\
    --hash=sha256:{"1" * 64}
    # via
    #   two
new==2.0 ; python_full_version >= '3.14' \\
    --hash={HASH}
arm==3.0 ; platform_machine == 'aarch64' \\
    --hash={HASH}
plain==4.0 \\
    --hash={HASH}
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.lock"
    file.write_text(TEXT)
    return file


def test_reads_names_versions_and_hashes(lock: Path) -> None:
    one, *others = read_lock(lock)
    assert one.requirement == f"one==1.0 --hash={HASH} --hash=sha256:{'1' * 64}"
    assert [package.name for package in others] == ["new", "arm", "plain"]


@pytest.mark.parametrize(
    ("architecture", "names"), [("arm64", ["one", "arm", "plain"]), ("amd64", ["one", "plain"])]
)
def test_markers_are_judged_for_the_container(
    lock: Path, architecture: str, names: list[str]
) -> None:
    chosen = for_container(read_lock(lock), ARCHITECTURES[architecture], left_out=())
    assert [package.name for package in chosen] == names


def test_left_out(lock: Path) -> None:
    chosen = for_container(read_lock(lock), ARM64, left_out={"one", "arm"})
    assert [package.name for package in chosen] == ["plain"]


def test_left_out_must_be_there(lock: Path) -> None:
    with pytest.raises(ConfigurationError, match="no nobody any more: take it out of LEFT_OUT"):
        for_container(read_lock(lock), ARM64, left_out={"nobody"})


@pytest.mark.parametrize(
    ("text", "says"), [("one==1.0\n", "no hash for one"), ("# nothing\n", "no package")]
)
def test_bad_lock(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "requirements.lock"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=f"{says}: run `make lock`"):
        read_lock(file)


def test_missing_lock(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"No such file.*run `make lock`"):
        read_lock(tmp_path / "none.lock")


def container_packages() -> set[str]:
    lock = read_lock(ROOT / "requirements.lock")
    return {package.name for package in for_container(lock, ARM64)}


def test_only_the_tokenizer_asks_for_what_is_left_out() -> None:
    asks = {
        package
        for package in container_packages()
        for text in distribution(package).requires or ()
        if not (needed := Requirement(text)).marker and canonicalize_name(needed.name) in LEFT_OUT
    }
    assert asks == {"tokenizers"}


def test_the_service_imports_nothing_that_is_left_out() -> None:
    modules = [name.replace("-", "_") for name in LEFT_OUT]
    program = f"""
import importlib, pkgutil, sys
for name in {modules!r}:
    sys.modules[name] = None
import rtap
for module in pkgutil.walk_packages(rtap.__path__, "rtap."):
    importlib.import_module(module.name)
from rtap.__main__ import main
sys.exit(main(["transcribe", {str(ROOT / "tests/audio/navigate_home.wav")!r}, "--model", "cabin-en"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "navigate home"
