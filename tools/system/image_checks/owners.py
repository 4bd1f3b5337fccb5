"""No recipe of the image installs a file that one of our packages has.

Two packages with one file: ipk takes whichever comes first, deb and rpm refuse the second. Nothing of
others is compiled here, so what their recipes say is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.system.image_checks.deb_package import DebPackage
from tools.system.image_checks.install_script import installed_paths
from tools.system.image_checks.masked_build import our_recipes
from tools.system.image_checks.packages import built_packages
from tools.system.image_checks.samples import recipe_variables
from tools.system.image_checks.task_graph import full_build
from tools.system.image_checks.verdict import CannotCheck, CheckFailed
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.images import DEFAULT_MACHINE, Image

_READER: Final = Path(__file__).with_name("recipe_reader.py")
_ELSEWHERE: Final = re.compile(r"^nativesdk-|-(native|cross|crosssdk|initial)(-|$)")
"""Recipes that only serve the build."""
_FILE_URI: Final = re.compile(r"file://(?:\S*/)?([^/\s;]+)")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a recipe says that it installs."""

    name: str
    listed: frozenset[str]
    """Paths in FILES and CONFFILES."""
    units: frozenset[str]
    """Paths of systemd units that it enables."""
    links: frozenset[str]
    """Links that update-alternatives makes."""
    installed: frozenset[str]
    """Paths that its do_install names."""

    @classmethod
    def read(cls, name: str, document: Mapping[str, Any]) -> Recipe:
        """Take what ``recipe_reader.py`` wrote of it."""
        sources = _FILE_URI.findall(document["sources"])
        lists = [*document["files"].values(), *document["conffiles"].values()]
        units = [unit for text in document["systemd_service"].values() for unit in text.split()]
        return cls(
            name=name,
            listed=frozenset(path for text in lists for path in text.split()),
            units=frozenset(f"{document['units']}/{unit}" for unit in units),
            links=frozenset(document["links"]),
            installed=frozenset(installed_paths(document["install"], document["root"], sources)),
        )

    def claims(self, path: str) -> list[str]:
        """By what it makes the path its own."""
        places = {
            "do_install": self.installed,
            "FILES": self.listed,
            "SYSTEMD_SERVICE": self.units,
            "ALTERNATIVE": self.links,
        }
        return [place for place, paths in places.items() if path in paths]


def check(workshop: Workshop, release: str) -> str:
    """Raises: CheckFailed: another recipe of the board's image claims a file of ours."""
    image = Image(release, DEFAULT_MACHINE)
    ours = our_files(workshop, release)
    recipes = _recipes(workshop, image)
    faults = sorted(taken(ours, recipes))
    if faults:
        raise CheckFailed(f"{len(faults)} files have two owners: {'; '.join(faults[:5])}")
    return f"{len(ours)} files of ours, named by none of {len(recipes)} other recipes"


def our_files(workshop: Workshop, release: str) -> dict[str, str]:
    """Each path in our packages, with the package's name.

    Raises:
        CannotCheck: there are no packages yet.
    """
    packages = [DebPackage.read(file) for file in built_packages(workshop, release)]
    return {path: package.name for package in packages for path in package.files()}


def taken(ours: Mapping[str, str], recipes: list[Recipe]) -> Iterator[str]:
    """Which recipes claim a path of ours, each as a line."""
    for recipe in recipes:
        for path, package in ours.items():
            claims = recipe.claims(path)
            if claims:
                yield f"{path} of {package} is also in {recipe.name} ({', '.join(claims)})"


def _recipes(workshop: Workshop, image: Image) -> list[Recipe]:
    """The image's recipes but ours, by what the check of its task graph found."""
    build = full_build(workshop, image)
    graph = build.path / "pn-buildlist"
    if not graph.is_file():
        raise CannotCheck(
            f"no task graph yet: run the check graph-{image.release}-{image.machine} first"
        )
    names = sorted(set(graph.read_text().split()).difference(our_recipes()))
    folder = workshop.empty_folder(f"owners-{image.release}")
    wanted, written = folder / "recipes", folder / "recipes.json"
    wanted.write_text("\n".join(name for name in names if not _ELSEWHERE.search(name)) + "\n")
    library = f"{build.poky / 'bitbake/lib'}"
    done = build.run(
        *("env", f"PYTHONPATH={library}", "python3", _READER, wanted, written),
        log="recipe-reader.log",
        passed=recipe_variables(workshop),
    )
    done.require_success()
    documents = json.loads(written.read_text())
    return [Recipe.read(name, document) for name, document in documents.items()]
