"""tools/.launcher: from a link's name to the module of that name."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.root import ROOT

TOOLS = ROOT / "tools"
LINKS = sorted(path.name for path in TOOLS.iterdir() if path.is_symlink())


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one tool that reports how it was started."""
    root = tmp_path / "a checkout"
    (root / "tools/commands").mkdir(parents=True)
    for package in ("tools", "tools/commands"):
        (root / package / "__init__.py").touch()
    (root / "tools/commands/echo.py").write_text(
        "import os, sys\nprint(os.getcwd(), sys.argv[1:])\nsys.exit(7)\n"
    )
    shutil.copy(TOOLS / ".launcher", root / "tools/.launcher")
    (root / "tools/echo").symlink_to(".launcher")
    return root


def add_python(checkout: Path) -> None:
    binaries = checkout / ".venv/bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)


def start(
    checkout: Path, *arguments: str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [str(checkout / "tools/echo"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_says_what_to_do_when_nothing_is_set_up(checkout: Path) -> None:
    done = start(checkout)
    assert done.returncode == 2
    assert "make setup" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_keeps_directory_arguments_and_status(checkout: Path, tmp_path: Path) -> None:
    add_python(checkout)
    done = start(checkout, "two words", "--flag=*", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (7, f"{tmp_path} ['two words', '--flag=*']\n")


def test_is_not_fooled_by_a_tools_package_in_the_current_directory(
    checkout: Path, tmp_path: Path
) -> None:
    add_python(checkout)
    elsewhere = tmp_path / "elsewhere"
    foreign = elsewhere / "tools/commands"
    foreign.mkdir(parents=True)
    for package in (foreign.parent, foreign):
        (package / "__init__.py").touch()
    (foreign / "echo.py").write_text("print('the wrong one')\n")
    done = start(checkout, cwd=elsewhere)
    assert done.stdout.startswith(str(elsewhere))


def test_works_through_a_link_from_another_place(checkout: Path, tmp_path: Path) -> None:
    add_python(checkout)
    link = tmp_path / "bin/echo"
    link.parent.mkdir()
    link.symlink_to(checkout / "tools/echo")
    assert subprocess.run([str(link)], capture_output=True, check=False).returncode == 7


@pytest.mark.parametrize("name", LINKS)
def test_every_link_starts_a_module_that_explains_itself(name: str) -> None:
    assert (TOOLS / name).readlink() == Path(".launcher")
    done = subprocess.run(
        [str(TOOLS / name), "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: tools/{name}")
