"""tools.system.reference.gui: the screen is compiled again only when its sources have changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tools.gui.arm64_build import INSTALLED, PROGRAM, Arm64Gui
from tools.process.folder_lock import locked
from tools.process.run import ProgramError
from tools.system.reference import gui as module
from tools.system.reference.gui import compiled_gui


class Compiler:
    """Stands for ``build_for_arm64``."""

    def __init__(self) -> None:
        self.runs = 0
        self.breaks = False

    def __call__(self, cache: Path, _logs: Path) -> Arm64Gui:
        self.runs += 1
        if self.breaks:
            raise ProgramError("it does not compile")
        program = cache / INSTALLED / PROGRAM
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("program")
        return Arm64Gui(cache / INSTALLED, cache / "sysroot")


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "recipe"
    (folder / "files/gui/src").mkdir(parents=True)
    (folder / "files/gui/src/main.cpp").write_text("int main() {}\n")
    (folder / "gui.bb").write_text('EXTRA_OECMAKE = ""\n')
    monkeypatch.setattr(module, "RECIPE", folder)
    return folder


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch, recipe: Path) -> Compiler:
    stand_in = Compiler()
    monkeypatch.setattr(module, "build_for_arm64", stand_in)
    return stand_in


def test_once_for_the_same_sources(compiler: Compiler, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = compiled_gui(cache)
    assert (first / PROGRAM).read_text() == "program"
    assert compiled_gui(cache) == first
    assert compiler.runs == 1


@pytest.mark.parametrize("change", ["edit", "add", "rename", "recipe"])
def test_again_after_a_change(
    compiler: Compiler, recipe: Path, tmp_path: Path, change: str
) -> None:
    compiled_gui(tmp_path / "cache")
    source = recipe / "files/gui/src/main.cpp"
    if change == "edit":
        source.write_text("int main() { return 1; }\n")
    elif change == "add":
        (recipe / "files/gui/src/more.cpp").touch()
    elif change == "rename":
        source.rename(source.with_name("other.cpp"))
    else:
        (recipe / "gui.bb").write_text('EXTRA_OECMAKE = "-DX=1"\n')
    compiled_gui(tmp_path / "cache")
    assert compiler.runs == 2


def test_again_when_the_program_is_gone(compiler: Compiler, tmp_path: Path) -> None:
    (compiled_gui(tmp_path / "cache") / PROGRAM).unlink()
    compiled_gui(tmp_path / "cache")
    assert compiler.runs == 2


def test_a_failed_compilation_is_not_taken_for_a_good_one(
    compiler: Compiler, recipe: Path, tmp_path: Path
) -> None:
    compiled_gui(tmp_path / "cache")
    before = (recipe / "gui.bb").read_text()
    (recipe / "gui.bb").write_text("# broken\n")
    compiler.breaks = True
    with pytest.raises(ProgramError):
        compiled_gui(tmp_path / "cache")
    # The old sources again: what lies there may be half of the broken build.
    (recipe / "gui.bb").write_text(before)
    compiler.breaks = False
    compiled_gui(tmp_path / "cache")
    assert compiler.runs == 3


def test_two_do_not_compile_at_once(compiler: Compiler, tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(ConfigurationError, match="another tool is at work"):
        compiled_gui(tmp_path)
    assert compiler.runs == 0
