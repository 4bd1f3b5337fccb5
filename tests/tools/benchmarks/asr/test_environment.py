import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.benchmarks.asr.environment import installed_python, peers_python


class Registry:
    """A folder of wheels, and a lock of one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = folder / "peers.lock"

    def offer(self, version: str, digest: str = "") -> None:
        wheel = self.folder / f"peerdouble-{version}-py3-none-any.whl"
        about = f"peerdouble-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("peerdouble.py", f"version = {version!r}\n")
            archive.writestr(
                f"{about}/METADATA",
                f"Metadata-Version: 2.1\nName: peerdouble\nVersion: {version}\n",
            )
            archive.writestr(
                f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{about}/RECORD", "")
        digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        self.lock.write_text(f"peerdouble=={version} --hash=sha256:{digest}\n")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    made = Registry(folder)
    made.offer("1.0")
    return made


def told(python: Path, program: str) -> str:
    done = subprocess.run(
        [str(python), "-c", program], cwd="/", capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_has_the_peers_and_behind_them_the_project(registry: Registry, tmp_path: Path) -> None:
    python = peers_python(tmp_path / "place", registry.lock)
    assert python == tmp_path / "place/venv/bin/python"
    program = "import peerdouble, numpy, rtap, tools.commands.benchmark; print(peerdouble.version)"
    assert told(python, program) == "1.0"
    order = told(python, "import sys; print(*sys.path, sep='\\n')").splitlines()
    places = [index for index, path in enumerate(order) if path.endswith("site-packages")]
    assert order[places[0]].startswith(str(tmp_path))


def test_is_made_once_and_again_with_another_lock(registry: Registry, tmp_path: Path) -> None:
    python = peers_python(tmp_path, registry.lock)
    marker = tmp_path / "venv/marker"
    marker.touch()
    assert peers_python(tmp_path, registry.lock) == python
    assert marker.exists()

    registry.offer("2.0")
    assert (
        told(peers_python(tmp_path, registry.lock), "import peerdouble as p; print(p.version)")
        == "2.0"
    )
    assert not marker.exists()


def test_half_an_environment_is_none(registry: Registry, tmp_path: Path) -> None:
    assert installed_python(tmp_path) == Path(sys.executable)
    python = peers_python(tmp_path, registry.lock)
    assert installed_python(tmp_path) == python
    next((tmp_path / "venv").glob(".made-of")).unlink()
    assert installed_python(tmp_path) == Path(sys.executable)


def test_half_an_environment_is_made_again(registry: Registry, tmp_path: Path) -> None:
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("not a program")
    python.chmod(0o755)
    assert told(peers_python(tmp_path, registry.lock), "import peerdouble, rtap") == ""


def test_another_file_than_the_locked_one_is_refused_every_time(
    registry: Registry, tmp_path: Path
) -> None:
    registry.offer("1.0", digest="0" * 64)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"pip install.*--install again") as failure:
            peers_python(tmp_path, registry.lock)
        assert "\n" not in str(failure.value)


def test_a_package_without_a_hash_is_refused(registry: Registry, tmp_path: Path) -> None:
    registry.lock.write_text("peerdouble==1.0\n")
    with pytest.raises(ConfigurationError, match="pip install"):
        peers_python(tmp_path, registry.lock)


def test_a_missing_lock_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.lock is missing: run make lock"):
        peers_python(tmp_path, tmp_path / "none.lock")
