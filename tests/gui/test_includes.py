"""The folders of the screen's C++ sources include in one direction, and no modules include each other."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

from tools.root import ROOT

SOURCES: Final = ROOT / "meta-userapp/recipes-gui/qt6-voice-assistant/files/gui/src"
ORDER: Final = ("audio", "backend", "history", "screen", ".")
"""Each folder includes from itself and from those before it; ``main.cpp`` lies beside them."""
_INCLUDE: Final = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def includes(sources: Path) -> dict[str, set[str]]:
    """What each header or source includes in quotes, by its path below the folder of the sources."""
    files = [file for file in sources.rglob("*") if file.suffix in (".cpp", ".h")]
    return {
        file.relative_to(sources).as_posix(): set(_INCLUDE.findall(file.read_text("utf-8")))
        for file in files
    }


def unknown(found: dict[str, set[str]]) -> list[str]:
    """Includes that do not name their file from the folder of the sources on."""
    return sorted(
        f"{file} includes {name}" for file, names in found.items() for name in names - found.keys()
    )


def backward(found: dict[str, set[str]], order: tuple[str, ...]) -> list[str]:
    """Includes from a folder that comes later."""

    def place(file: str) -> int:
        return order.index(Path(file).parent.as_posix())

    return sorted(
        f"{file} includes {name}"
        for file, names in found.items()
        for name in names & found.keys()
        if place(name) > place(file)
    )


def circle(found: dict[str, set[str]]) -> list[str]:
    """Modules, each a header with its source, that include each other; empty if there are none."""

    def module(file: str) -> str:
        return file.rpartition(".")[0]

    graph: dict[str, set[str]] = {}
    for file, names in found.items():
        needed = {module(name) for name in names} - {module(file)}
        graph.setdefault(module(file), set()).update(needed)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def reachable(found: dict[str, set[str]], *files: str) -> set[str]:
    """The files, and all that they include directly or indirectly."""
    seen: set[str] = set()
    ahead = set(files)
    while ahead:
        file = ahead.pop()
        seen.add(file)
        ahead |= found[file] - seen
    return seen


def test_every_folder_has_its_place() -> None:
    folders = {file.parent.relative_to(SOURCES).as_posix() for file in SOURCES.rglob("*.cpp")}
    assert folders == set(ORDER)


def test_includes_name_the_folder() -> None:
    assert unknown(includes(SOURCES)) == []


def test_folders_include_in_one_direction() -> None:
    assert backward(includes(SOURCES), ORDER) == []


def test_no_circle() -> None:
    assert circle(includes(SOURCES)) == []


def test_conversation_knows_no_socket() -> None:
    needed = reachable(includes(SOURCES), "screen/conversation.h", "screen/conversation.cpp")
    assert {name for name in needed if name.startswith("backend/")} == {
        "backend/commandevents.h",
        "backend/speechbackend.h",
    }


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    texts = {
        "low/engine.h": "",
        "low/engine.cpp": '#include "low/engine.h"\n#include "low/file.h"\n#include <QObject>\n',
        "low/file.h": "#pragma once\n",
        "low/file.cpp": '#include "low/file.h"\n',
        "high/window.h": '#include "low/engine.h"\n',
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_faults_are_found(made_up: Path) -> None:
    order = ("low", "high")
    found = includes(made_up)
    assert (unknown(found), backward(found, order), circle(found)) == ([], [], [])

    (made_up / "low/file.cpp").write_text('#include "low/engine.h"\n')
    assert set(circle(includes(made_up))) == {"low/engine", "low/file"}

    (made_up / "low/file.cpp").write_text('#include "high/window.h"\n#include "file.h"\n')
    found = includes(made_up)
    assert backward(found, order) == ["low/file.cpp includes high/window.h"]
    assert unknown(found) == ["low/file.cpp includes file.h"]
