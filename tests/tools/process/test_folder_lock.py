"""tools.process.folder_lock: one at a time in a folder."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.deadlines import SOON
from tools.process.folder_lock import locked


def test_a_second_one_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    folder = tmp_path / "made/on/the/way"
    refused = pytest.raises(ConfigurationError, match=r"another tool is at work in .*: wait for")
    with locked(folder), refused, locked(folder):
        pass
    with locked(folder):
        pass


def test_it_ends_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_who_waits_gets_it_after_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with locked(tmp_path, waits=True):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(tmp_path):
        thread.start()
        assert begun.wait(SOON)
        order.append("first")
    thread.join(SOON)
    assert order == ["first", "second"]
