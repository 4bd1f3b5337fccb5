"""The locale that bitbake insists on."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

ENGLISH: Final = "en_US.UTF-8"
_MAKE: Final = ("localedef", "-i", "en_US", "-f", "UTF-8", ENGLISH)
INSTALL: Final = f"sudo {' '.join(_MAKE)}"


def has_english(command: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> bool:
    """Whether a program that is started now finds it.

    This process cannot tell: the C library keeps for as long as it runs that a locale, or the archive of all
    locales, was missing when it first looked, and Python has looked before this line.

    Args:
        command: what a program is started with, such as ``setpriv`` and its arguments.
        environment: all of it; None: this process's own.
    """
    variables = dict(os.environ if environment is None else environment) | {"LC_ALL": ENGLISH}
    try:
        done = subprocess.run(
            [*command, "locale", "charmap"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=variables,
            check=False,
        )
    except OSError:
        return False
    # Without the locale it names the character set of the locale C, and succeeds.
    return done.stdout.strip() == "UTF-8"


def make_english() -> None:
    """Add it to this machine's locales, where that is allowed; has_english() tells how it ended."""
    if shutil.which(_MAKE[0]) is None or has_english():
        return
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and shutil.which(as_root[0]) is None:
        return
    subprocess.run([*as_root, *_MAKE], stdin=subprocess.DEVNULL, capture_output=True, check=False)
