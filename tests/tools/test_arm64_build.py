"""tools.gui_screens.arm64_build: the recipe's arguments."""

from __future__ import annotations

from tools.gui_screens.arm64_build import recipe_arguments


def test_arguments_of_all_assignments() -> None:
    recipe = 'EXTRA_OECMAKE = "-DA=1 \\\n    -DB=2"\nEXTRA_OECMAKE:append = " -DC=3"\nX = "-DD=4"\n'
    assert recipe_arguments(recipe) == ["-DA=1", "-DB=2", "-DC=3"]


def test_a_recipe_without_arguments() -> None:
    assert recipe_arguments('SUMMARY = "x"\n') == []
