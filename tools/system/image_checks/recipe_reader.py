"""Run by bitbake's Python in a build folder: writes what recipes say that they install.

``recipe_reader.py RECIPES OUTPUT``: the first has names of recipes, one a line; the second becomes JSON, in
the form that :mod:`owners` reads. bitbake's Python knows none of this project's modules.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

_OF_PACKAGES = ("FILES", "CONFFILES", "SYSTEMD_SERVICE", "ALTERNATIVE")
_FIRST_WORD = re.compile(r"^\s*([a-z_]\w*)\s*$", re.MULTILINE)


def main(recipes: Path, output: Path) -> None:
    """Read each recipe with its appends, as bitbake would to build it."""
    tinfoil = importlib.import_module("bb.tinfoil")
    read = {}
    with tinfoil.Tinfoil() as bitbake:
        bitbake.prepare(quiet=2)
        for name in recipes.read_text().split():
            read[name] = _recipe(bitbake.parse_recipe(name))
    output.write_text(json.dumps(read, indent=1))


def _recipe(recipe: Any) -> dict[str, Any]:
    packages = (recipe.getVar("PACKAGES") or "").split()
    variables = {
        name: {package: recipe.getVar(f"{name}:{package}") or "" for package in packages}
        for name in _OF_PACKAGES
    }
    alternatives = {
        # update-alternatives.bbclass takes the same place where none is named.
        name: recipe.getVarFlag("ALTERNATIVE_LINK_NAME", name)
        or f"{recipe.getVar('bindir')}/{name}"
        for text in variables.pop("ALTERNATIVE").values()
        for name in text.split()
    }
    return {
        "root": recipe.getVar("D"),
        "units": recipe.getVar("systemd_system_unitdir") or "",
        "sources": recipe.getVar("SRC_URI") or "",
        "install": _script(recipe),
        "links": sorted(alternatives.values()),
        **{name.lower(): texts for name, texts in variables.items()},
    }


def _script(recipe: Any) -> str:
    """do_install with what is appended to it, and before it the functions that it calls by name alone."""
    text = recipe.getVar("do_install") or ""
    called = [
        recipe.getVar(name) or ""
        for name in dict.fromkeys(_FIRST_WORD.findall(text))
        if recipe.getVarFlag(name, "func")
    ]
    return "\n".join([*called, text])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
