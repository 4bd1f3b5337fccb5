"""tools/reference_image: what it says before the work; tests/tools/system/reference has the work."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rtap.errors import StorageError
from tests.backend.model_directories import make_model
from tools.commands import reference_image as module
from tools.commands.reference_image import main
from tools.root import ROOT
from tools.system.container.workplace import NEEDED_BYTES
from tools.system.image_checks.sample_container import write_sample

PYTHON = sys.executable
PACKAGES = ROOT / "tools/setup/packages/reference.txt"
STAND_IN = """\
import json, sys
from pathlib import Path
plan = json.loads(Path(sys.argv[-1]).read_text())
{action}
Path(plan["target"]).write_bytes(b"image")
Path(plan["target"] + ".bmap").write_text("bmap")
Path("{notes}").write_text(json.dumps({{"plan": plan, "arguments": sys.argv}}))
"""


class Work:
    """Stands for all that takes long; the process that assembles runs, with another program."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = place
        self.container = place / "container"
        self.container.mkdir()
        write_sample(self.container)
        self.output = place / "out"
        self.monkeypatch = monkeypatch
        monkeypatch.setenv("PATH", f"{place}/bin:{os.environ['PATH']}")
        monkeypatch.setattr(module, "CACHE", place / "cache")
        monkeypatch.setattr(module, "packages", lambda *_: [place / "a.deb"])
        monkeypatch.setattr(module, "compiled_gui", lambda _: place / "gui")
        monkeypatch.setattr(module, "missing_programs", list)
        monkeypatch.setattr(
            "tools.model.conversion.default_model.find_default_model", lambda _: None
        )
        (place / "bin").mkdir()
        for name in (*module._PROGRAMS, *module._COMPILER):
            self.program(name, "exit 9")
        self.assembles("")

    def program(self, name: str, text: str) -> None:
        file = self.place / "bin" / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def assembles(self, action: str) -> None:
        """Let the other process do something first."""
        script = self.place / "assemble.py"
        script.write_text(STAND_IN.format(action=action, notes=self.place / "notes"))
        self.program("python", f'exec {PYTHON} {script} "$@"')
        self.monkeypatch.setattr(sys, "executable", str(self.place / "bin/python"))

    def hide_programs(self) -> None:
        """Let only those be installed that stand here."""
        which = shutil.which
        folder = str(self.place / "bin")
        self.monkeypatch.setattr(shutil, "which", lambda name: which(name, path=folder))

    @property
    def notes(self) -> dict[str, Any]:
        return dict(json.loads((self.place / "notes").read_text()))

    @property
    def arguments(self) -> list[str | Path]:
        return ["--container", self.container, "--output", self.output]

    def left(self) -> list[str]:
        return sorted(file.name for file in self.output.iterdir())


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return Work(tmp_path, monkeypatch)


IMAGE = "debian-reference-arm64.wic"


def test_image_and_its_map(start: Any, work: Work) -> None:
    done = start(main, *work.arguments)
    assert (done.status, done.complaints) == (0, [])
    assert "not the product" in done.out
    assert work.left() == [IMAGE, f"{IMAGE}.bmap"]
    plan = work.notes["plan"]
    assert plan["container"] == str(work.container)
    assert (plan["debug"], plan["packages"]) == (True, [])
    assert plan["gui"] == str(work.place / "gui")
    # It could not be had.
    assert plan["model"] == ""


def test_model_beside_the_container(start: Any, work: Work) -> None:
    model = make_model(work.place / "models/mine")
    assert start(main, *work.arguments, "--model", model).status == 0
    assert work.notes["plan"]["model"] == str(model)
    done = start(main, *work.arguments, "--model", "nonsense")
    assert done.status == 2
    assert "no model nonsense" in done.err
    assert start(main, *work.arguments, "--model", "none").status == 0
    assert work.notes["plan"]["model"] == ""


def test_json_and_release(start: Any, work: Work) -> None:
    options = ["--json", "--release", "--version", "4.5.6", "--build-id", "me"]
    done = start(main, *work.arguments, *options)
    assert json.loads(done.out)["image"] == str(work.output / IMAGE)
    plan = work.notes["plan"]
    assert (plan["debug"], plan["version"], plan["build"]) == (False, "4.5.6", "me")


def test_missing_programs_are_one_line_with_the_mend(start: Any, work: Work) -> None:
    for name in ("cpio", "cmake"):
        (work.place / "bin" / name).unlink()
    work.hide_programs()
    done = start(main, *work.arguments)
    assert done.status == 2
    assert done.err == (
        "tool: error: no cpio, cmake: tools/setup/install_packages.sh @tools/setup/packages/reference.txt\n"
    )


def test_an_ordinary_user_needs_fakeroot(start: Any, work: Work) -> None:
    work.monkeypatch.setattr(os, "geteuid", lambda: 1000)
    work.hide_programs()
    done = start(main, *work.arguments)
    assert "error: no fakeroot: tools/setup/install_packages.sh" in done.err
    assert not work.output.exists()


def test_an_ordinary_user_uses_fakeroot(start: Any, work: Work) -> None:
    work.monkeypatch.setattr(os, "geteuid", lambda: 1000)
    work.program("fakeroot", f'echo yes >{work.place}/fakeroot-used\nexec "$@"')
    assert start(main, *work.arguments).status == 0
    assert (work.place / "fakeroot-used").exists()


def test_programs_for_root_are_found_by_an_ordinary_user(start: Any, work: Work) -> None:
    work.monkeypatch.setenv("PATH", f"{work.place}/bin")
    start(main, *work.arguments)
    assert os.environ["PATH"].split(":") == [f"{work.place}/bin", "/usr/sbin"]


def test_without_a_container(start: Any, work: Work) -> None:
    (work.container / "whisper-backend.tar").unlink()
    done = start(main, *work.arguments)
    assert done.status == 2
    assert re.fullmatch(
        r"tool: error: there is no .*/whisper-backend\.tar: make container\n", done.err
    )
    assert not work.output.exists()


def test_packages_of_bitbake_need_neither_container_nor_compiler(start: Any, work: Work) -> None:
    for name in module._COMPILER:
        (work.place / "bin" / name).unlink()
    (work.container / "whisper-backend.tar").unlink()
    folder = work.place / "packages"
    folder.mkdir()
    for name in ("data", "audio", "tuning"):
        (folder / f"voice-assistant-{name}_1_all.deb").touch()
    for name in ("qt6-voice-assistant", "whisper-backend"):
        (folder / f"{name}_1_arm64.deb").touch()
    work.hide_programs()
    done = start(main, *work.arguments, "--packages", folder)
    assert done.status == 0, done.err
    assert len(work.notes["plan"]["packages"]) == 5


def test_folder_without_packages(start: Any, work: Work) -> None:
    folder = work.place / "packages"
    folder.mkdir()
    done = start(main, *work.arguments, "--packages", folder)
    assert done.status == 2
    assert "error: there is no package qt6-voice-assistant, " in done.err
    assert str(folder) in done.err
    assert not work.output.exists()


@pytest.mark.parametrize("status", [1, 2])
def test_failure_leaves_the_earlier_image(start: Any, work: Work, status: int) -> None:
    work.output.mkdir()
    (work.output / IMAGE).write_text("earlier")
    work.assembles(f"Path(plan['target']).write_text('half'); sys.exit({status})")
    done = start(main, *work.arguments)
    assert (done.status, done.complaints) == (status, [])
    assert work.left() == [IMAGE]
    assert (work.output / IMAGE).read_text() == "earlier"


def test_the_other_process_is_killed(start: Any, work: Work) -> None:
    work.assembles("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    done = start(main, *work.arguments)
    assert done.status == 1
    assert done.complaints == [
        "tool: error: tools.system.reference.assemble ended with status -9: was it killed?"
    ]
    assert work.left() == []


def test_too_little_room(start: Any, work: Work, small_disk: Any) -> None:
    done = start(main, "--container", work.container, "--output", small_disk.path / "out")
    assert done.status == StorageError.exit_status
    needed = (NEEDED_BYTES + 3 * module._ROOT_BYTES) // 1_000_000
    assert f"MB left and the build takes {needed} MB" in done.err


INTERRUPTED = """\
import sys
from pathlib import Path
from rtap.cli.guard import guarded
from tools.commands import reference_image as module
module.CACHE = Path({place!r}) / "cache"
module.packages = lambda *_: []
module.compiled_gui = lambda _: Path()
module._require_programs = lambda **_: None
module.os.geteuid = lambda: 0
module.sys.executable = {python!r}
module.end_children_when_terminated()
sys.exit(guarded("tool", lambda: module.main(sys.argv[1:])))
"""


def test_an_interrupted_build_ends_what_it_started(work: Work) -> None:
    """Unlike from the terminal, the signal reaches the tool alone."""
    fifo = work.place / "fifo"
    os.mkfifo(fifo)
    listening = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    work.assembles(
        "import os, signal; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        f"Path({str(work.place / 'process')!r}).write_text(str(os.getpid())); "
        f"Path({str(fifo)!r}).write_text('here'); signal.pause()"
    )
    script = INTERRUPTED.format(place=str(work.place), python=str(work.place / "bin/python"))
    tool = subprocess.Popen(
        [PYTHON, "-c", script, *map(str, work.arguments), "--model", "none"],
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'backend'}"},
        stderr=subprocess.PIPE,
        text=True,
    )
    there, _, _ = select.select([listening], [], [], 60)
    os.close(listening)
    assert there, "the other process was not started"
    tool.send_signal(signal.SIGTERM)
    _, said = tool.communicate()
    assert tool.returncode == 130
    assert said.splitlines()[-1] == "tool: interrupted: nothing was left half written"
    with pytest.raises(ProcessLookupError):
        os.kill(int((work.place / "process").read_text()), 0)
    assert work.left() == []


def test_every_package_that_is_named_exists_here() -> None:
    if shutil.which("apt-cache") is None:
        pytest.skip("apt-cache is not installed")
    names = [line for line in PACKAGES.read_text().splitlines() if line and line[0] != "#"]
    assert len(names) == len(set(names))
    done = subprocess.run(
        ["apt-cache", "show", "--no-all-versions", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    shown = re.findall(r"^Package: (.+)$", done.stdout, re.MULTILINE)
    if not shown:
        pytest.skip("no lists of packages: apt-get update")
    assert set(names) <= set(shown)
