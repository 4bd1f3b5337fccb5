"""Every shell script of the layer passes shellcheck."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tools.process.run import run
from tools.system.image_checks.verdict import CheckFailed
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.layer import LAYER

_SHELL: Final = re.compile(rb"#! ?/(usr/)?bin/(env )?(ba|da|)sh\b")


def shell_scripts(folder: Path) -> list[Path]:
    """Files that begin as a shell script does, or are named like one."""
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and (file.suffix == ".sh" or _SHELL.match(file.read_bytes()[:64]))
    ]


def check(workshop: Workshop) -> str:
    """Raises: CheckFailed: shellcheck complains."""
    scripts = shell_scripts(LAYER)
    if not scripts:
        raise CheckFailed(f"no shell script in {LAYER.name}: the search for them is broken")
    done = run(["shellcheck", "--format=gcc", *scripts], workshop.logs / "shellcheck.log")
    if done.status:
        lines = done.text.strip().splitlines()
        raise CheckFailed(f"{len(lines)} complaints, the first: {lines[0]}")
    return f"{len(scripts)} scripts"
