"""What tests of releases share."""

from __future__ import annotations

from tests.tools.system.disk_image.conftest import sample

__all__ = ["sample"]
