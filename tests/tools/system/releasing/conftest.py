"""What tests of releases share."""

from __future__ import annotations

from tests.tools.system.flashing.conftest import sample

__all__ = ["sample"]
