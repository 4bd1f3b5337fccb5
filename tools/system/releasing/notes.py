"""Release notes: the version's section of CHANGELOG.md."""

from __future__ import annotations

import re

from rtap.errors import ConfigurationError


def cut_notes(changelog: str, version: str) -> str:
    """The section without its heading.

    Raises:
        ConfigurationError: there is none, or nothing is in it.
    """
    heading = re.compile(rf"^## \[?{re.escape(version)}\]?(?:[ \t]+-[ \t].*)?[ \t]*$", re.MULTILINE)
    found = heading.search(changelog)
    if found is None:
        raise ConfigurationError(
            f"CHANGELOG.md has no section '## [{version}] - YYYY-MM-DD': put that heading under "
            "'## [Unreleased]', above what the version brings"
        )
    body = re.split(
        r"^## |^\[[^\]]+\]: ", changelog[found.end() :], maxsplit=1, flags=re.MULTILINE
    )[0]
    if not body.strip():
        raise ConfigurationError(
            f"the section {version} of CHANGELOG.md is empty: say what the version brings"
        )
    return body.strip() + "\n"
