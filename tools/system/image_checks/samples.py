"""What the recipes are given in checks: a container and a model of a few bytes, by their variables."""

from __future__ import annotations

from tools.system.image_checks.sample_container import write_sample
from tools.system.image_checks.sample_model import write_sample_model
from tools.system.image_checks.workshop import Workshop


def recipe_variables(workshop: Workshop) -> dict[str, str]:
    """Write both and name them; with other values bitbake would read all recipes again."""
    folder = workshop.folder("sample")
    return {
        "WHISPER_BACKEND_TARBALL": str(write_sample(folder)),
        "WHISPER_MODEL": str(write_sample_model(folder)),
    }
