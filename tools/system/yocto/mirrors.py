"""Local copies of the layers' git repositories, taken instead of what is upstream."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

VARIABLE = "YOCTO_GIT_MIRROR"
"""A folder with OWNER+NAME/repo, or NAME or NAME.git, for each repository."""


def mirror_folder(start: Path, environment: Mapping[str, str]) -> Path | None:
    """The folder of mirrors: ``$YOCTO_GIT_MIRROR``, or the nearest ``.mirror`` above ``start``."""
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE]).resolve()
    for folder in start.resolve().parents:
        if (folder / ".mirror").is_dir():
            return folder / ".mirror"
    return None


def find_mirrors(folder: Path, urls: Mapping[str, str]) -> dict[str, Path]:
    """Git directories for those of the addresses that have one, by address.

    Args:
        urls: of the repositories, by name.
    """
    found = {}
    for url in urls.values():
        name = _name(url)
        candidates = [
            *sorted(folder.glob(f"*+{name}/repo")),
            *sorted(folder.glob(f"*+{name}/repo/.git")),
            folder / name,
            folder / name / ".git",
            folder / f"{name}.git",
        ]
        # The last of repo and repo/.git is the git directory itself.
        there = [one for one in candidates if (one / "HEAD").is_file()]
        if there:
            found[url] = there[-1]
    return found


def git_configuration(mirrors: Mapping[str, Path]) -> str:
    """What makes git take the mirrors, for kas's ``GITCONFIG_FILE``."""
    lines = ["# Made by tools/image_check."]
    for url, directory in mirrors.items():
        lines += [f'[url "file://{directory}"]', f"\tinsteadOf = {url}"]
    # They belong to whoever made them; kas runs as an ordinary user.
    lines += ["[safe]", "\tdirectory = *"]
    return "\n".join(lines) + "\n"


def _name(url: str) -> str:
    return re.sub(r"\.git$", "", urlsplit(url).path.rstrip("/").rpartition("/")[2])
