"""tools.gui.arm64_build: the recipe's arguments, and bitbake's flags."""

from __future__ import annotations

from pathlib import Path

from tools.gui.arm64_build import RECIPE, recipe_arguments, toolchain
from tools.system.yocto.recipe import Recipe


def test_arguments_of_all_assignments() -> None:
    recipe = 'EXTRA_OECMAKE = "-DA=1 \\\n    -DB=2"\nEXTRA_OECMAKE:append = " -DC=3"\nX = "-DD=4"\n'
    assert recipe_arguments(recipe) == ["-DA=1", "-DB=2", "-DC=3"]


def test_a_recipe_without_arguments() -> None:
    assert recipe_arguments('SUMMARY = "x"\n') == []


def test_compiler_and_linker_get_bitbakes_flags() -> None:
    written = toolchain(Path("/sysroot"), Path("/compiled"))
    for variable in ("CMAKE_CXX_FLAGS", "CMAKE_CXX_LINK_FLAGS"):
        [line] = [one for one in written.splitlines() if one.startswith(f"set({variable} ")]
        assert {"-mcpu=cortex-a72", "-Werror=format-security", "-g"} <= set(line.split())
        assert "-fdebug-prefix-map=/compiled/build=/usr/src/debug/qt6-voice-assistant " in line
    assert "set(CMAKE_SYSROOT /sysroot)" in written
    assert "@" not in written


def test_the_recipe_takes_the_folder_out_of_generated_sources(tmp_path: Path) -> None:
    work = tmp_path / "work"
    generated = work / "build/.rcc/qrc_qml.cpp"
    generated.parent.mkdir(parents=True)
    generated.write_text(f"  // {work}/gui/qml/A.qml\n  0x1,\n  // {work}/build/qmldir\n")
    given = {"WORKDIR": str(work), "B": str(work / "build"), "VOICE_ASSISTANT_VERSION": "1"}
    Recipe.read(next(RECIPE.glob("*.bb")), given).run_shell("do_compile:append")
    assert generated.read_text() == "  // qml/A.qml\n  0x1,\n  // qmldir\n"
