"""tools.system.yocto.host_locale: the locale is found as soon as it is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.system.yocto import host_locale

ANY_UTF_8 = Path("/usr/lib/locale/C.utf8")
"""Debian's; its files serve as those of another locale with the same character set."""

needs_files = pytest.mark.skipif(
    not ANY_UTF_8.is_dir(), reason=f"no {ANY_UTF_8}: apt-get install libc-bin"
)


@needs_files
def test_a_locale_that_was_missing_is_found_once_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The C library looks here, and at no other locale.
    monkeypatch.setenv("LOCPATH", str(tmp_path))
    assert not host_locale.has_english()
    shutil.copytree(ANY_UTF_8, tmp_path / host_locale.ENGLISH)
    assert host_locale.has_english()


@needs_files
def test_the_variables_are_those_of_the_program_that_will_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ANY_UTF_8, tmp_path / host_locale.ENGLISH)
    monkeypatch.setenv("LOCPATH", str(tmp_path / "nothing"))
    assert not host_locale.has_english()
    assert host_locale.has_english(environment={"PATH": "/usr/bin:/bin", "LOCPATH": str(tmp_path)})


def test_a_machine_that_has_no_locales_at_all_is_told_apart() -> None:
    assert not host_locale.has_english(
        environment={"PATH": "/nonexistent"}, command=["/nonexistent/x"]
    )
