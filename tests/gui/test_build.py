"""The GUI builds without a warning, and each of CTest's tests passes; each is a case of its own here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tools.gui import build
from tools.root import ROOT

HERE = Path(__file__).parent
GUI = ROOT / "meta-userapp/recipes-gui/qt6-voice-assistant/files/gui"
CTESTS = ["test_qml", *sorted(file.stem for file in HERE.glob("cpp/**/test_*.cpp"))]

pytestmark = pytest.mark.slow


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"RTAP_COMMAND": str(Path(sys.executable).with_name("rtap"))}
    return subprocess.run(
        [str(word) for word in command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def qt_tool(name: str) -> str:
    """A program of Qt's, wherever the distribution keeps it."""
    found = run("qtpaths6", "--query", "QT_HOST_BINS")
    path = shutil.which(name, path=found.stdout.strip()) or shutil.which(name)
    assert path, f"{name} is not installed"
    return path


@pytest.mark.parametrize("name", CTESTS)
def test_ctest(build_folder: Path, name: str) -> None:
    build.build(name)
    done = run("ctest", "--test-dir", build_folder, "-R", f"^{name}$", "--output-on-failure")
    if "***Skipped" in done.stdout:
        pytest.skip(next(iter(re.findall(r"SKIP .*", done.stdout)), f"{name} skipped itself"))
    assert done.returncode == 0, done.stdout
    assert "No tests were found" not in done.stdout


def test_every_ctest_is_a_case_here(build_folder: Path) -> None:
    done = run("ctest", "--test-dir", build_folder, "--show-only=json-v1")
    assert sorted(test["name"] for test in json.loads(done.stdout)["tests"]) == sorted(CTESTS)


def test_every_qml_test_file_is_run(build_folder: Path) -> None:
    build.build("test_qml")
    done = run("env", "QT_QPA_PLATFORM=offscreen", build_folder / "test_qml", "-functions")
    run_cases = {line.split("::")[0] for line in done.stdout.splitlines() if "::" in line}
    names = {
        match[1]
        for file in HERE.glob("qml/tst_*.qml")
        if (match := re.search(r'^    name: "(\w+)"', file.read_text("utf-8"), re.MULTILINE))
    }
    assert len(names) == len(list(HERE.glob("qml/tst_*.qml")))
    assert names <= {name.removeprefix("qml::") for name in run_cases}


def test_qml_is_clean(build_folder: Path) -> None:
    with build.locked():
        done = run("cmake", "--build", build_folder, "--target", "all_qmllint")
    assert done.returncode == 0, done.stdout
    assert "Warning" not in done.stdout


def test_main_window_only_puts_parts_together() -> None:
    text = (GUI / "qml/MainWindow.qml").read_text("utf-8")
    assert re.findall(r"\bTimer\b|\bfunction\b|\bif \(|\bswitch \(|\breturn\b", text) == []


def test_cpp_is_formatted(packages_there: None) -> None:
    sources = [
        file
        for place in (GUI / "src", HERE)
        for file in place.rglob("*.[ch]*")
        if file.suffix in (".cpp", ".h")
    ]
    assert len(sources) > 50
    done = run(
        "clang-format", "--dry-run", "--Werror", f"--style=file:{GUI / '.clang-format'}", *sources
    )
    assert done.returncode == 0, done.stdout


def test_translation_is_complete(packages_there: None, tmp_path: Path) -> None:
    german = tmp_path / "voice-assistant_de.ts"
    shutil.copy(GUI / "translations" / german.name, german)
    sources = [*GUI.glob("qml/*.qml"), *GUI.glob("src/**/*.cpp"), *GUI.glob("src/**/*.h")]
    # In the sources' own folder, so that the contexts are found as the build finds them.
    options = ["-no-obsolete", "-locations", "none", "-I", str(GUI / "src")]
    done = run(qt_tool("lupdate"), *sources, *options, "-ts", german)
    assert done.returncode == 0, done.stdout
    assert "unknown namespace" not in done.stdout
    messages = ET.parse(german).getroot().findall("context/message")
    assert len(messages) > 100
    unfinished = [
        message.findtext("source") for message in messages if not message.findtext("translation")
    ]
    assert unfinished == []


def test_translation_keeps_placeholders() -> None:
    messages = ET.parse(GUI / "translations/voice-assistant_de.ts").getroot()
    for message in messages.findall("context/message"):
        source, german = message.findtext("source") or "", message.findtext("translation") or ""
        assert sorted(re.findall(r"%\d", source)) == sorted(re.findall(r"%\d", german)), source
