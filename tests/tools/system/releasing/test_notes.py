from __future__ import annotations

import pytest

from rtap.errors import ConfigurationError
from tools.system.releasing.notes import cut_notes

CHANGELOG = """# Changelog

## [Unreleased]

## [1.2.0] - 2026-11-21

### Added

- New.

## 1.1.0

- Old.

## [1.0.0] - 2026-01-01

[1.2.0]: https://example.org
"""


def test_section_with_its_headings() -> None:
    assert cut_notes(CHANGELOG, "1.2.0") == "### Added\n\n- New.\n"


def test_heading_without_brackets_and_date() -> None:
    assert cut_notes(CHANGELOG, "1.1.0") == "- Old.\n"


@pytest.mark.parametrize("version", ["1.2", "1.2.00", "2.0.0", "1.2.0-rc1"])
def test_no_section(version: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no section .*put that heading"):
        cut_notes(CHANGELOG, version)


def test_empty_section() -> None:
    with pytest.raises(ConfigurationError, match=r"1.0.0 of CHANGELOG.md is empty"):
        cut_notes(CHANGELOG, "1.0.0")


def test_dots_are_dots() -> None:
    with pytest.raises(ConfigurationError, match="no section"):
        cut_notes("## [1x0.0]\n\n- A.\n", "1.0.0")
