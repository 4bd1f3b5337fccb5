"""tools.system.image_checks.shell_scripts: which files are scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.system.image_checks.shell_scripts import shell_scripts


@pytest.mark.parametrize(
    ("name", "content", "is_script"),
    [
        ("load", "#!/bin/sh\n", True),
        ("load", "#! /usr/bin/env bash\n", True),
        ("load", "#!/bin/dash -e\n", True),
        ("load.sh", "echo\n", True),
        ("load", "#!/usr/bin/python3\n", False),
        ("load.service", "[Unit]\n", False),
        ("load", "#!/bin/shiny\n", False),
    ],
)
def test_scripts_are_known_by_their_first_line(
    name: str, content: str, *, is_script: bool, tmp_path: Path
) -> None:
    file = tmp_path / "deep" / name
    file.parent.mkdir()
    file.write_text(content)
    assert (shell_scripts(tmp_path) == [file]) is is_script
