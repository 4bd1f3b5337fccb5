"""The layer's tests. Those marked ``layer`` are the real checks of tools/image_check: ``pytest -m layer``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from rtap.cli.guard import guarded
from tools.image_checks.workshop import Workshop
from tools.yocto.kas import Kas
from tools.yocto.ordinary_user import OrdinaryUser


class Done(NamedTuple):
    status: int
    out: str
    err: str


Start = Callable[..., Done]


@pytest.fixture
def start(capsys: pytest.CaptureFixture[str]) -> Start:
    def run(main: Callable[[Sequence[str]], int], *arguments: str | Path) -> Done:
        capsys.readouterr()
        status = guarded("tool", lambda: main([str(argument) for argument in arguments]))
        return Done(status, *capsys.readouterr())

    return run


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
