"""Builds our own recipes to packages, with Debian's tools and without any other recipe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.image_checks.sample_container import write_sample
from tools.image_checks.sample_model import write_sample_model
from tools.image_checks.workshop import Workshop
from tools.yocto.build_folder import BuildFolder
from tools.yocto.images import Image
from tools.yocto.layer import recipe_files
from tools.yocto.process import Done

SMALL_RECIPES: Final = ("alsa-state",)
"""Of others, and not masked: ours extends them, and they are built from no source."""
_MISSING: Final = re.compile(r"^ERROR: Nothing RPROVIDES '([^']+)'", re.MULTILINE)


def our_recipes() -> list[str]:
    """Every recipe of the layer, by name."""
    return list(recipe_files())


def missing_packages(text: str, built: Sequence[str]) -> list[str]:
    """Packages that bitbake, by what it said, has no recipe for, but those of the recipes that are built."""
    # One of these is missing only because it needs another that is.
    return sorted({one for one in _MISSING.findall(text) if not one.startswith(tuple(built))})


@dataclass(frozen=True, slots=True)
class MaskedBuild:
    """A build folder in which only our recipes are seen."""

    folder: BuildFolder
    sample: Path
    """A container that the backend's recipe accepts."""
    model: Path
    """A model that the model's recipe accepts."""
    stubs: str
    """Packages of other recipes that ours need at run time."""

    @classmethod
    def prepare(cls, workshop: Workshop, image: Image, kind: str = "masked") -> MaskedBuild:
        """Set up the folder and find out which packages have to be made up.

        Args:
            kind: name of an overlay in ``tests/layer`` that includes ``masked.yml``.
        """
        folder = workshop.build_folder(image, kind)
        sample = write_sample(workshop.folder("sample"))
        model = write_sample_model(workshop.folder("sample"))
        build = cls(folder, sample, model, "")
        built = [*our_recipes(), *SMALL_RECIPES]
        # One run names all of them: -k goes on after the first.
        dry = build.bitbake("--dry-run", "--continue", *built, log="stubs.log")
        return cls(folder, sample, model, " ".join(missing_packages(dry.text, built)))

    def bitbake(self, *arguments: str, log: str, passed: dict[str, str] | None = None) -> Done:
        """Run bitbake; it may fail.

        Args:
            passed: variables for the recipes, such as another container.
        """
        variables = {
            "WHISPER_BACKEND_TARBALL": str(self.sample),
            "WHISPER_MODEL": str(self.model),
            "CHECK_STUBS": self.stubs,
        }
        lines = [f'{name} = "{value}"\n' for name, value in (variables | (passed or {})).items()]
        # Not in the environment: bitbake's server would go on with what it has read.
        settings = self.folder.path / "conf/check.conf"
        settings.write_text("".join(lines))
        return self.folder.run("bitbake", "--postread", settings, *arguments, log=log)
