"""What tests of the checks share: a workshop, without mirrors and bitbake."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tools.system.image_checks.workshop import Workshop
from tools.system.yocto.kas import Kas
from tools.system.yocto.ordinary_user import OrdinaryUser


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A workshop without mirrors, whose user is the one who runs the tests."""
    return make_workshop(tmp_path / "cache")


def make_workshop(
    cache: Path,
    mirrors: Mapping[str, Path] = MappingProxyType({}),
    without_mirror: tuple[str, ...] = ("poky",),
) -> Workshop:
    cache.mkdir(parents=True)
    status = cache.stat()
    user = OrdinaryUser("tester", status.st_uid, status.st_gid)
    return Workshop(cache, user, Kas(user, cache), mirrors, without_mirror)
