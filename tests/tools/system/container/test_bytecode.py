"""Byte code that holds neither times nor places of the machine that made it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.process.programs import BuildError
from tools.system.container.architecture import this_architecture
from tools.system.container.bytecode import Interpreter, compile_modules

UNCHECKED_HASH = b"\x01\0\0\0"

pytestmark = pytest.mark.skipif(
    not Path("/usr/bin/python3.11").exists(), reason="Debian's Python 3.11 is not installed"
)


@pytest.fixture
def interpreter() -> Interpreter:
    """This machine's own, which lies where an unpacked one would."""
    return Interpreter(Path("/"), this_architecture())


def layer(place: Path) -> Path:
    package = place / "opt/thing"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("WORDS = frozenset(('one', 'two', 'three', 'four'))\n")
    (package / "part.py").write_text("def f(x):\n    return x in {'a', 'b', 'c', 'd', 'e'}\n")
    return place


def compiled(place: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in place.rglob("*.pyc")}


def test_is_never_compared_with_its_source(interpreter: Interpreter, tmp_path: Path) -> None:
    compile_modules(interpreter, layer(tmp_path), ["opt"])
    made = compiled(tmp_path)
    assert set(made) == {"__init__.cpython-311.pyc", "part.cpython-311.pyc"}
    assert {content[4:8] for content in made.values()} == {UNCHECKED_HASH}


def test_same_modules_same_bytes(interpreter: Interpreter, tmp_path: Path) -> None:
    places = [layer(tmp_path / name) for name in ("here", "elsewhere")]
    for place in places:
        compile_modules(interpreter, place, ["opt"])
    assert compiled(places[0]) == compiled(places[1])


def test_names_the_place_in_the_container(interpreter: Interpreter, tmp_path: Path) -> None:
    compile_modules(interpreter, layer(tmp_path), ["opt"])
    content = compiled(tmp_path)["part.cpython-311.pyc"]
    assert b"/opt/thing/part.py" in content
    assert str(tmp_path).encode() not in content


def test_bad_module(interpreter: Interpreter, tmp_path: Path) -> None:
    (layer(tmp_path) / "opt/thing/bad.py").write_text("print 'no'\n")
    with pytest.raises(BuildError, match=r"not made for Python 3\.11"):
        compile_modules(interpreter, tmp_path, ["opt"])
