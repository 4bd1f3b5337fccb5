"""Files of no package: users, launchers, profiles."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deadlines import SOON
from tools.root import ROOT
from tools.system.container.architecture import ARCHITECTURES
from tools.system.container.debian import DebianPackage
from tools.system.container.root_files import write_application_files, write_system_files


@pytest.fixture
def system(tmp_path: Path, package: DebianPackage) -> Path:
    write_system_files(tmp_path, ARCHITECTURES["arm64"], [package])
    return tmp_path


@pytest.fixture
def application(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    write_application_files(
        tmp_path, ROOT / "conf/profiles", ROOT / "tools/system/container/health.py"
    )
    return tmp_path


def test_user_is_not_root_and_may_open_sound_cards(system: Path) -> None:
    users = [line.split(":") for line in (system / "etc/passwd").read_text().splitlines()]
    (rtap,) = [user for user in users if user[0] == "rtap"]
    assert rtap[2:4] == ["10001", "10001"]
    assert rtap[5] == "/app/cache"
    assert "audio:x:29:rtap" in (system / "etc/group").read_text().splitlines()


def test_nobody_can_log_in(system: Path) -> None:
    lines = (system / "etc/passwd").read_text().splitlines()
    assert all(line.endswith(":/nonexistent") for line in lines)
    assert not (system / "etc/shadow").exists()


def test_scanners_find_the_packages(system: Path, package: DebianPackage) -> None:
    status = system / "var/lib/dpkg/status.d" / package.name
    assert status.read_text() == package.control


def test_python_is_debian_s(system: Path) -> None:
    programs = system / "opt/venv/bin"
    assert (programs / "python").readlink() == Path("python3.11")
    assert (programs / "python3.11").readlink() == Path("/usr/bin/python3.11")
    assert (system / "tmp").stat().st_mode & 0o7777 == 0o1777


def test_profiles_are_where_an_installed_rtap_looks(application: Path) -> None:
    installed = {path.name for path in (application / "etc/rtap/profiles").iterdir()}
    assert installed == {path.name for path in (ROOT / "conf/profiles").glob("*.yaml")}
    assert "container.yaml" in installed


def test_cache_and_models(application: Path) -> None:
    assert (application / "app/cache").is_dir()
    assert (application / "app/models").is_dir()
    assert (application / "app/health.py").is_file()


@pytest.mark.parametrize(("program", "says"), [("rtap", "rtap "), ("uvicorn", "Running uvicorn")])
def test_launchers_run(application: Path, program: str, says: str) -> None:
    launcher = application / "opt/venv/bin" / program
    assert launcher.stat().st_mode & 0o777 == 0o755
    assert launcher.read_text().startswith("#!/opt/venv/bin/python\n")
    done = subprocess.run(
        [sys.executable, launcher, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(says)


def test_rtap_can_be_ended_while_it_loads(application: Path, tmp_path: Path) -> None:
    package = tmp_path / "slow/rtap"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import signal\nprint('loading', flush=True)\nsignal.pause()\n"
    )
    process = subprocess.Popen(
        [sys.executable, application / "opt/venv/bin/rtap"],
        env={"PYTHONPATH": str(tmp_path / "slow")},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == "loading\n"
        process.terminate()
        assert process.wait(SOON) == 0
