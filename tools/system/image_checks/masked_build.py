"""Builds our own recipes to packages, with Debian's tools and without any other recipe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.process.run import Done
from tools.system.image_checks.samples import recipe_variables
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.build_folder import BuildFolder
from tools.system.yocto.images import DEFAULT_MACHINE, Image
from tools.system.yocto.layer import recipe_files

SMALL_RECIPES: Final = ("alsa-state",)
"""Of others, and not masked: ours extends them, and they are built from no source."""
_MISSING: Final = re.compile(r"^ERROR: Nothing RPROVIDES '([^']+)'", re.MULTILINE)


def our_recipes() -> list[str]:
    """Every recipe of the layer, by name."""
    return list(recipe_files())


def masked_folder(workshop: Workshop, release: str) -> Path:
    """The build folder of the check "packages", whose packages other checks take."""
    return workshop.cache / release / f"{DEFAULT_MACHINE}-masked"


def deployed(folder: Path) -> Path:
    """Where bitbake puts what is no package, in a build folder."""
    return folder / f"tmp/deploy/images/{DEFAULT_MACHINE}"


def missing_packages(text: str, built: Sequence[str]) -> list[str]:
    """Packages that bitbake, by what it said, has no recipe for, but those of the recipes that are built."""
    # One of these is missing only because it needs another that is.
    return sorted({one for one in _MISSING.findall(text) if not one.startswith(tuple(built))})


@dataclass(frozen=True, slots=True)
class MaskedBuild:
    """A build folder in which only our recipes are seen."""

    folder: BuildFolder
    variables: Mapping[str, str]
    """What the recipes are given, and the packages of others that are made up."""

    @classmethod
    def prepare(cls, workshop: Workshop, release: str, kind: str = "masked") -> MaskedBuild:
        """Set up the folder and find out which packages have to be made up.

        Args:
            kind: name of an overlay in ``tests/layer`` that includes ``masked.yml``.
        """
        folder = workshop.build_folder(Image(release, DEFAULT_MACHINE), kind)
        variables = recipe_variables(workshop)
        build = cls(folder, variables | {"CHECK_STUBS": ""})
        built = [*our_recipes(), *SMALL_RECIPES]
        # One run names all of them: -k goes on after the first.
        dry = build.bitbake("--dry-run", "--continue", *built, log="stubs.log")
        stubs = " ".join(missing_packages(dry.text, built))
        return cls(folder, variables | {"CHECK_STUBS": stubs})

    @property
    def deployed(self) -> Path:
        """Where bitbake puts what is no package."""
        return deployed(self.folder.path)

    def bitbake(self, *arguments: str, log: str, passed: dict[str, str] | None = None) -> Done:
        """Run bitbake; it may fail.

        Args:
            passed: variables for the recipes, such as another container.
        """
        variables = {**self.variables, **(passed or {})}
        lines = [f'{name} = "{value}"\n' for name, value in variables.items()]
        # Not in the environment: bitbake's server would go on with what it has read.
        settings = self.folder.path / "conf/check.conf"
        settings.write_text("".join(lines))
        return self.folder.run("bitbake", "--postread", settings, *arguments, log=log)
