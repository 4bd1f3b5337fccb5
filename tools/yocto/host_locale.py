"""The locale that bitbake insists on."""

from __future__ import annotations

import locale
from typing import Final

ENGLISH: Final = "en_US.UTF-8"
INSTALL: Final = f"sudo localedef -i en_US -f UTF-8 {ENGLISH}"


def has_english() -> bool:
    """Whether this machine knows it."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, ENGLISH)
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return True
