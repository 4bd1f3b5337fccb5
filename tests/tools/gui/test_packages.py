"""The list of Debian packages, and what is said when some are missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.gui import packages


def test_list_has_one_name_a_line() -> None:
    names = packages.needed()
    assert "qt6-declarative-dev" in names
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name) for name in names)


def test_missing_packages_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = tmp_path / "packages.txt"
    made_up.write_text("# a comment\nno-such-package-a  # why\n\nno-such-package-b\n")
    monkeypatch.setattr(packages, "LIST", made_up)
    monkeypatch.setattr(packages, "_PROGRAMS", ("no-such-package-a", "no-such-package-b"))
    assert packages.missing() == ["no-such-package-a", "no-such-package-b"]
    assert packages.advice().endswith(
        "apt-get install --no-install-recommends no-such-package-a no-such-package-b"
    )


def test_where_there_is_no_dpkg_programs_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cmake").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert packages.missing() == [name for name in packages._PROGRAMS if name != "cmake"]


def test_no_advice_where_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "missing", list)
    assert packages.advice() == ""
