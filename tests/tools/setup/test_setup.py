"""tools/setup/setup.sh: what it installs, and machines that lack something: one line that names the fix."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.root import ROOT

NEEDED = [
    "bash",
    "cat",
    "chmod",
    "cp",
    "cut",
    "dirname",
    "du",
    "env",
    "flock",
    "grep",
    "mkdir",
    "mktemp",
    "readlink",
    "rm",
    "sha256sum",
    "sleep",
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
    files = ("tools/setup/setup.sh", "tools/setup/install_packages.sh", "pyproject.toml")
    for name in (*files, "requirements-demo.lock", "requirements-dev.lock"):
        target = tmp_path / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    (tmp_path / "bin").mkdir()
    for name in NEEDED:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    return tmp_path


PYTHON = """#!/bin/sh
# Notes what it is asked for, and fails at what the file "fails" names.
here=CHECKOUT/..
echo "$*" >>"$here/calls"
case "$*" in *"$(cat "$here/fails" 2>/dev/null || echo nothing)"*) echo "broken off"; exit 1 ;; esac
case "$*" in
    --version) echo Python 3.12.0 ;;
    "-m venv "*) mkdir -p "$3/bin" "$3/lib/python3.12/site-packages" && cp "$0" "$3/bin/python" ;;
    *--editable*) cp "$0" CHECKOUT/.venv/bin/rtap ;;
    "-m pip check") echo "silero-vad 6.2.3 requires torch, which is not installed."; exit 1 ;;
esac
"""
FULL_PYTHON = PYTHON.replace(
    'echo "silero-vad 6.2.3 requires torch, which is not installed."; exit 1', ":"
)


def add_program(machine: Path, name: str, text: str) -> None:
    program = machine / "bin" / name
    program.write_text(text)
    program.chmod(0o755)


def start(machine: Path, *level: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(machine / "checkout/tools/setup/setup.sh"), *level],
        env={"PATH": str(machine / "bin")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def set_up(machine: Path, *level: str) -> subprocess.CompletedProcess[str]:
    with start(machine, *level) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


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


@pytest.fixture
def whole(machine: Path) -> Path:
    """A machine with all that it takes, where nothing is set up."""
    checkout = machine / "checkout"
    add_program(machine, "python3", FULL_PYTHON.replace("CHECKOUT", str(checkout)))
    shutil.copy(ROOT / "tools/setup/install_torch.py", checkout / "tools/setup/install_torch.py")
    return machine


def steps(machine: Path, *level: str) -> list[str]:
    """What one set-up installs, in a few words; it succeeds."""
    (machine / "calls").write_text("")
    done = set_up(machine, *level)
    assert done.returncode == 0, done.stderr
    names = {
        "-m venv": "venv",
        "requirements-demo.lock": "small",
        "requirements-dev.lock": "full",
        "install_torch.py": "torch",
        "--editable": "project",
    }
    calls = (machine / "calls").read_text().splitlines()
    return [name for call in calls for part, name in names.items() if part in call]


def stamps(machine: Path) -> set[str]:
    venv = machine / "checkout/.venv"
    return {name for name in (".demo-done", ".setup-done") if (venv / name).exists()}


def test_the_demonstration_takes_no_torch_and_no_test_tools(whole: Path) -> None:
    # The lock leaves out what silero-vad's metadata ask for in vain.
    add_program(whole, "python3", PYTHON.replace("CHECKOUT", str(whole / "checkout")))
    assert steps(whole, "demo") == ["venv", "small", "project"]
    assert stamps(whole) == {".demo-done"}


def test_everything_is_added_to_it_and_never_taken_away(whole: Path) -> None:
    steps(whole, "demo")
    assert steps(whole) == ["full", "torch", "project"]
    assert stamps(whole) == {".demo-done", ".setup-done"}
    assert steps(whole, "demo") == ["project"]
    assert steps(whole) == ["project"]
    assert stamps(whole) == {".demo-done", ".setup-done"}


def test_everything_at_once(whole: Path) -> None:
    assert steps(whole) == ["venv", "small", "full", "torch", "project"]


@pytest.mark.parametrize(
    ("breaks_at", "rest"),
    [
        ("requirements-demo.lock", ["small", "full", "torch", "project"]),
        ("requirements-dev.lock", ["small", "full", "torch", "project"]),
        ("install_torch.py", ["small", "full", "torch", "project"]),
    ],
)
def test_goes_on_after_an_interruption(whole: Path, breaks_at: str, rest: list[str]) -> None:
    (whole / "fails").write_text(breaks_at)
    done = set_up(whole)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "broken off"
    assert "make setup again, which goes on from here" in done.stderr.splitlines()[-1]
    (whole / "fails").unlink()
    packages = whole / "checkout/.venv/lib/python3.12/site-packages"
    for name, record in {
        "whole": "whole-1.dist-info/INSTALLER,sha256=,4\n",
        "half": "half/__init__.py,,\n",
    }.items():
        (packages / f"{name}-1.dist-info").mkdir()
        (packages / f"{name}-1.dist-info/RECORD").write_text(record)
    # pip passes over what is there; nothing is made anew, but for what it left unfinished.
    assert steps(whole) == rest
    assert [path.name for path in packages.iterdir()] == ["whole-1.dist-info"]


def test_an_interrupted_full_one_leaves_the_small_one(whole: Path) -> None:
    steps(whole, "demo")
    (whole / "fails").write_text("requirements-dev.lock")
    assert set_up(whole).returncode == 2
    assert stamps(whole) == {".demo-done"}
    (whole / "fails").unlink()
    assert steps(whole, "demo") == ["project"]
    assert steps(whole) == ["full", "torch", "project"]


def test_another_lock_makes_it_anew_with_all_that_was_there(whole: Path) -> None:
    steps(whole)
    with (whole / "checkout/requirements-demo.lock").open("a") as lock:
        lock.write("another==1\n")
    assert steps(whole, "demo") == ["venv", "small", "full", "torch", "project"]


def test_another_lock_of_tests_makes_nothing_anew(whole: Path) -> None:
    steps(whole)
    with (whole / "checkout/requirements-dev.lock").open("a") as lock:
        lock.write("another==1\n")
    assert steps(whole) == ["full", "torch", "project"]


def test_two_at_once_take_turns(whole: Path) -> None:
    # The first stands still in the middle until it may go on.
    slow = FULL_PYTHON.replace(
        '"-m venv "*)', '"-m venv "*) until [ -e "$here/goes-on" ]; do sleep 0.01; done;'
    )
    add_program(whole, "python3", slow.replace("CHECKOUT", str(whole / "checkout")))
    with start(whole, "demo") as first:
        assert first.stdout is not None
        assert "virtual environment" in first.stdout.readline()
        with start(whole) as second:
            assert second.stdout is not None
            line = second.stdout.readline()
            (whole / "goes-on").touch()
            first.communicate()
            out, err = second.communicate()
    assert line == "setup: waiting for another set-up of .venv\n"
    assert (first.returncode, second.returncode) == (0, 0), err
    assert "virtual environment" not in out
    assert stamps(whole) == {".demo-done", ".setup-done"}


def test_packages_that_do_not_fit_are_no_success(whole: Path) -> None:
    (whole / "fails").write_text("pip check")
    done = set_up(whole)
    assert done.returncode == 2
    assert "do not fit together" in done.stderr.splitlines()[-1]
    assert stamps(whole) == set()
