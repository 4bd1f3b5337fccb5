"""A disk image of a few megabytes, which tests of flashing and releasing use as well."""

from __future__ import annotations

import pytest

from tests.tools.system.disk_image.sample_image import Sample, make_sample


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Never change it."""
    return make_sample(tmp_path_factory.mktemp("sample"))
