"""tools.system.yocto.recipe: as much of bitbake's language as our recipes use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.system.yocto.layer import LAYER, layer_variables
from tools.system.yocto.recipe import Recipe, RecipeError


def read(place: Path, text: str, *overrides: str, **given: str) -> Recipe:
    file = place / "thing_1.0.bb"
    file.write_text(text)
    return Recipe.read(file, given, overrides)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('X = "a"\nX = "b"', "b"),
        ('X = "a"\nX ?= "b"', "a"),
        ('X ?= "b"', "b"),
        ('X = "a"\nX += "b"', "a b"),
        ('X = "a"\nX .= "b"', "ab"),
        ('X = "a"\nX =+ "b"', "b a"),
        ('X = "a"\nX =. "b"', "ba"),
        ('X:append = " c"\nX:append = " d"\nX = "a"', "a c d"),
        ('X:prepend = "c "\nX:prepend = "d "\nX = "a"', "d c a"),
        ('X = "a b c"\nX:remove = "b"\nX:remove = "c"', "a"),
        ('Y = "1"\nX = "${Y}"\nY = "2"', "2"),
        ('Y = "1"\nX := "${Y}"\nY = "2"', "1"),
        ('X = " \\\n    a \\\n    b \\\n"', "      a      b  "),
        ('X = "${PN}/${bindir}"', "thing//usr/bin"),
        ('X = "${UNKNOWN}"', "${UNKNOWN}"),
        ("X = \"${@d.getVar('PN').upper()}\"", "THING"),
        ("Y = \"a b\"\nX = \"${@bb.utils.contains('Y', 'a', 'yes', 'no', d)}\"", "yes"),
        ("Y = \"a b\"\nX = \"${@bb.utils.contains('Y', 'a c', 'yes', 'no', d)}\"", "no"),
        ('Y = "a"', None),
    ],
)
def test_values(tmp_path: Path, text: str, value: str | None) -> None:
    assert read(tmp_path, text).getVar("X") == value


def test_overrides_are_the_stronger_the_later(tmp_path: Path) -> None:
    text = 'X ?= "a"\nX:board ?= "b"\nX:qemu = "c"\nX:append = "!"\n'
    assert read(tmp_path, text).get("X") == "a!"
    assert read(tmp_path, text, "board").get("X") == "b!"
    assert read(tmp_path, text, "board", "qemu").get("X") == "c!"


def test_names_are_expanded(tmp_path: Path) -> None:
    recipe = read(tmp_path, 'FILES:${PN} += "/data"\n', given="x")
    assert recipe.get("FILES:thing").split() == ["/data"]
    assert recipe.get("given") == "x"
    assert recipe.get("nothing") == ""


def test_without_effect(tmp_path: Path) -> None:
    text = '# X = "1"\ninherit allarch systemd\naddtask x after y\ndo_x[noexec] = "1"\ndo_x[v] += "1"\n'
    assert read(tmp_path, text).getVar("X") is None


@pytest.mark.parametrize(
    "line",
    [
        "X = 'a'",
        'X ??= "a"',
        'export X = "a"',
        "require other.inc",
        'X:append:qemuall = "a"',
        "do_install:append:qemuall() {\n}",
    ],
)
def test_what_is_not_understood_is_told(tmp_path: Path, line: str) -> None:
    with pytest.raises(RecipeError, match=r"^thing_1\.0\.bb: this is not understood here: "):
        read(tmp_path, f"{line}\n")


PYTHON = """\
def first(d):
    \"\"\"Says a word.\"\"\"
    import os

    if d.getVar('REFUSED'):
        bb.fatal('refused: %s' % d.getVar('REFUSED'))
    return os.path.join('a', 'b')

def second(d):
    return first(d) + '/c'

# A comment of the next one.
python do_it() {
    with open(d.getVar('TARGET'), 'w') as file:
        file.write(second(d))

    with open(d.expand('${TARGET}.2'), 'w') as file:
        file.write('x')
}
X = "after"
"""


def test_python_task(tmp_path: Path) -> None:
    recipe = read(tmp_path, PYTHON, TARGET=str(tmp_path / "out"))
    recipe.run_task("do_it")
    assert (tmp_path / "out").read_text() == "a/b/c"
    assert (tmp_path / "out.2").read_text() == "x"
    assert recipe.get("X") == "after"


def test_fatal_ends_a_task(tmp_path: Path) -> None:
    recipe = read(tmp_path, PYTHON, TARGET=str(tmp_path / "out"), REFUSED="this")
    with pytest.raises(RecipeError, match=r"^thing_1\.0\.bb: refused: this$"):
        recipe.run_task("do_it")
    assert (tmp_path / "out").read_text() == ""


def test_checksum(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("abc")
    recipe = read(tmp_path, "X = \"${@bb.utils.sha256_file(d.getVar('FILE'))}\"\n")
    recipe.variables["FILE"] = str(tmp_path / "file")
    assert recipe.get("X").startswith("ba7816bf8f01cfea")


INSTALL = """\
do_install() {
    install -d ${D}${bindir}
    shell=1
    if [ -n "${shell}" ]; then
        echo "${PN} ${shell}" >${D}${bindir}/program
    fi
}
do_install:append() {
    echo appended >>${D}${bindir}/program
}
do_install:append() {
    echo again >>${D}${bindir}/program
}
"""


def test_installs_with_all_that_is_appended(tmp_path: Path) -> None:
    read(tmp_path, INSTALL).install(tmp_path / "root")
    assert (tmp_path / "root/usr/bin/program").read_text() == "thing 1\nappended\nagain\n"


def test_failing_command_ends_the_installation(tmp_path: Path) -> None:
    text = "do_install() {\n    ls /nowhere\n    touch ${D}/file\n}\n"
    with pytest.raises(RecipeError, match=r"thing_1\.0\.bb: do_install failed: .*/nowhere"):
        read(tmp_path, text).install(tmp_path)
    assert not (tmp_path / "file").exists()


def test_a_function_may_be_missing(tmp_path: Path) -> None:
    read(tmp_path, "do_install:append() {\n    touch ${D}/file\n}\n").install(tmp_path)
    assert (tmp_path / "file").exists()


@pytest.mark.parametrize("folder", ["files", "thing"])
def test_fetches_files_and_folders(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder / "tree").mkdir(parents=True)
    (tmp_path / folder / "tree/leaf").write_text("leaf")
    script = tmp_path / folder / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    read(tmp_path, 'SRC_URI = "file://script file://tree;subdir=x"\n').fetch(work)
    assert (work / "tree/leaf").read_text() == "leaf"
    assert (work / "script").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("source", ["file://missing", "https://example.com/file"])
def test_missing_source(tmp_path: Path, source: str) -> None:
    recipe = read(tmp_path, f'SRC_URI = "{source}"\n')
    with pytest.raises(RecipeError, match=f"^thing_1.0.bb: there is no {source}$"):
        recipe.fetch(tmp_path)


def test_every_recipe_of_the_layer_is_understood() -> None:
    files = [*LAYER.glob("recipes-*/*/*.bb"), *LAYER.glob("recipes-core/images/*.inc")]
    read_all = [Recipe.read(file, layer_variables()) for file in files]
    assert len(read_all) >= 7
    assert all(recipe.get("SUMMARY") for recipe in read_all if recipe.file.suffix == ".bb")
