"""kas accepts every combination of its files, and the lock files pin every repository."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from tools.system.image_checks.verdict import CheckFailed
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.images import Image, all_images, options

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def check(workshop: Workshop) -> str:
    """Raises: CheckFailed: a repository has no fixed commit, or a file sets nothing."""
    images = all_images()
    plain = {image: dumped(workshop, image, []) for image in images}
    for image in images:
        _require_commits(image, plain[image])
        dumped(workshop, image, options())
    for option in options():
        if dumped(workshop, images[0], [option]) == plain[images[0]]:
            raise CheckFailed(f"kas/opt/{option}.yml changes nothing")
    return f"{len(images)} images, each with {len(options())} options: valid, every commit pinned"


def dumped(workshop: Workshop, image: Image, chosen: list[str]) -> dict[str, Any]:
    """What kas makes of the files, after it has held them against its schema."""
    work = workshop.empty_folder("kas-dump")  # kas would look into checkouts
    name = "-".join([image.machine, image.release, *chosen])
    log = workshop.logs / f"kas-dump-{name}.log"
    arguments = ["--log-level", "error", "dump", "--format", "json"]
    # Repositories are for other checks: this one shall need no network.
    arguments += ["--skip", "repo_setup_loop", "--skip", "finish_setup_repos"]
    arguments.append(image.kas_files(chosen))
    done = workshop.kas.run(work, work / "build", *arguments, log=log).require_success()
    document: dict[str, Any] = json.loads(done.text)
    return document


def _require_commits(image: Image, document: dict[str, Any]) -> None:
    locked = document.get("overrides", {}).get("repos", {})
    for name, repository in document["repos"].items():
        commit = str(locked.get(name, {}).get("commit", ""))
        if "url" in (repository or {}) and not _COMMIT.fullmatch(commit):
            raise CheckFailed(f"{image}: the lock file pins no commit of {name}")
