"""Which commit a release is made from."""

from __future__ import annotations

import subprocess
from pathlib import Path

from rtap.errors import ConfigurationError


def find_commit(root: Path, *, is_dirty_allowed: bool) -> str:
    """The commit's hash; "-dirty" follows it where files differ from it.

    Raises:
        ConfigurationError: files differ, or there is no commit, and neither is allowed.
    """
    head = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain").splitlines() if head else []
    if head and not changed:
        return head
    if is_dirty_allowed:
        return f"{head}-dirty" if head else "unknown"
    if not head:
        raise ConfigurationError(
            f"{root} has no git commit, so nobody could tell what the release was made from: release from a "
            "checkout, or add --allow-dirty"
        )
    names = ", ".join(line[3:] for line in changed[:3]) + (", ..." if len(changed) > 3 else "")
    raise ConfigurationError(
        f"{len(changed)} files are not as committed ({names}): commit them, or add --allow-dirty"
    )


def _git(root: Path, *arguments: str) -> str:
    """What git says; empty outside a checkout and where there is no git."""
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.rstrip() if done.returncode == 0 else ""
