"""tools/setup.sh on machines that lack something: one line that names the fix, and no half .venv."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = [
    "bash",
    "cat",
    "dirname",
    "env",
    "grep",
    "mktemp",
    "readlink",
    "rm",
    "sha256sum",
    "tail",
]
OLD_PYTHON = "#!/bin/sh\nexit 1\n"
PYTHON_WITHOUT_VENV = """#!/bin/sh
case "$*" in
    --version) echo Python 3.12.0 ;;
    *ensurepip*) exit 1 ;;
    *python%d*) echo python3.12-venv ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout on a machine that has a shell, and neither apt-get nor sudo."""
    files = ("tools/setup.sh", "tools/install_packages.sh", "pyproject.toml")
    for name in (*files, "requirements-dev.lock"):
        target = tmp_path / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    (tmp_path / "bin").mkdir()
    for name in NEEDED:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    return tmp_path


def add_program(machine: Path, name: str, text: str) -> None:
    program = machine / "bin" / name
    program.write_text(text)
    program.chmod(0o755)


def set_up(machine: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(machine / "checkout/tools/setup.sh")],
        env={"PATH": str(machine / "bin")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_new_enough_python(machine: Path) -> None:
    add_program(machine, "python3", OLD_PYTHON)
    done = set_up(machine)
    assert done.returncode == 2
    assert "Python 3.11 or newer is needed" in done.stderr.splitlines()[-1]
    assert not (machine / "checkout/.venv").exists()


def test_takes_a_newer_python_beside_an_old_one(machine: Path) -> None:
    add_program(machine, "python3", OLD_PYTHON)
    add_program(machine, "python3.12", PYTHON_WITHOUT_VENV)
    assert "python3.12-venv" in set_up(machine).stderr


def test_without_the_venv_module_names_the_package(machine: Path) -> None:
    add_program(machine, "python3", PYTHON_WITHOUT_VENV)
    done = set_up(machine)
    assert done.returncode == 2
    assert "sudo apt-get install python3.12-venv" in done.stderr.splitlines()[-1]
    assert not (machine / "checkout/.venv").exists()


def test_installs_the_package_where_it_may(machine: Path) -> None:
    add_program(machine, "python3", PYTHON_WITHOUT_VENV)
    calls = machine / "calls"
    add_program(machine, "sudo", '#!/bin/sh\nshift\nexec "$@"\n')
    add_program(machine, "true", "#!/bin/sh\n")
    add_program(machine, "apt-get", f'#!/bin/sh\necho "$*" >>{calls}\n')
    done = set_up(machine)
    assert "install --yes --no-install-recommends python3.12-venv" in calls.read_text()
    # This apt-get installs nothing, which must not be taken for success.
    assert done.returncode == 2
