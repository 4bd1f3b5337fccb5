"""tools/boot_image on the command line, with a guest that is there within a second."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path

import pexpect
import pytest

from tests.tools.conftest import Start
from tests.tools.system.booting.small_guest import make_kernel
from tests.tools.system.booting.small_image import make_image, needs
from tests.tools.system.disk_image.sample_image import mbr
from tools.commands import boot_image
from tools.root import ROOT
from tools.system.booting import workplace

TOOL = ROOT / "tools/boot_image"
SMALL = ("-m", "128", "--smp", "1", "--no-network")
SECONDS = 40

# pexpect starts a program with forkpty, of which Python warns where other tests have left threads.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image that boots."""
    needs("qemu-system-aarch64", "qemu-img", "setpriv")
    kernel = make_kernel(tmp_path / "kernel")
    return make_image(tmp_path / "a.wic", {"kernel8.img": kernel.read_bytes()})


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cache"
    monkeypatch.setattr(workplace, "FOLDERS", path)
    return path


def test_waits_for_the_login(start: Start, image: Path, cache: Path, tmp_path: Path) -> None:
    picture, log = tmp_path / "screen.png", tmp_path / "log"
    options = ("--wait", "login", "--json", "--screenshot", picture, "--log", log)
    done = start(boot_image.main, image, *SMALL, *options)
    assert (done.status, done.err) == (0, "")
    report = json.loads(done.out)
    assert 0 < report["seconds"] <= report["on_seconds"] < SECONDS
    assert (report["reached"], report["ended"]) == ("login", "power cut")
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert "voice login: " in log.read_text()
    assert list(cache.iterdir()) == []


def test_sentence(start: Start, image: Path, cache: Path) -> None:
    done = start(boot_image.main, image, *SMALL, "--wait", "login", "--kill-power-after", "1")
    assert done.out.startswith("login after ")
    assert done.out.endswith(" s (power cut)\n")


def test_screen_that_stays_dark(start: Start, image: Path, cache: Path) -> None:
    done = start(boot_image.main, image, *SMALL, "--wait", "screen", "--timeout", "1")
    assert (done.status, done.out) == (2, "")
    lines = done.err.splitlines()
    assert "voice login:" in lines
    assert "waiting for screen: not within 1 s" in lines[-1]
    assert lines[-1].endswith("its last lines are above")


def test_disk_is_kept(start: Start, image: Path, cache: Path, tmp_path: Path) -> None:
    disk = tmp_path / "kept.qcow2"
    for _ in range(2):
        done = start(boot_image.main, image, *SMALL, "--wait", "login", "--disk", disk)
        assert (done.status, done.err) == (0, "")
    assert disk.is_file()


def test_given_kernel(start: Start, image: Path, cache: Path, tmp_path: Path) -> None:
    root = tmp_path / "root.ext4"
    root.write_bytes(bytes(1080) + b"\x53\xef" + bytes(4096 - 1082))
    done = start(boot_image.main, root, *SMALL, "--wait", "login")
    assert (done.status, "without a kernel: add --kernel" in done.err) == (2, True)
    options = ("--kernel", tmp_path / "kernel", "--wait", "login")
    assert start(boot_image.main, root, *SMALL, *options).status == 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--json",), "--json wants --wait"),
        (("--screenshot", "a.png"), "--screenshot wants --wait"),
        (("--wait", "healthy", "--no-network"), "leave --no-network out"),
        (("--wait", "healthy", "--machine", "raspi4b"), "serial console only"),
        (("--wait", "desktop"), "--wait"),
        (("--port", "8000"), "'8000' is no pair of ports"),
        (("--port", "8000=70000"), "'8000=70000' is no pair of ports"),
        (("--sound", "loud"), "'loud' is no sound"),
        (("--disk-size", "much"), "'much' is no size"),
        (("--smp", "0"), "'0' is no count"),
    ],
)
def test_wrong_options(start: Start, tmp_path: Path, options: tuple[str], complaint: str) -> None:
    done = start(boot_image.main, tmp_path / "a.wic", *options)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert complaint in done.err


def test_wrong_images(start: Start, cache: Path, tmp_path: Path) -> None:
    needs("qemu-system-aarch64")
    done = start(boot_image.main, tmp_path / "a.wic", "--wait", "login")
    assert (done.status, "a.wic is no file" in done.err) == (2, True)
    (tmp_path / "a.wic").write_bytes(b"text")
    done = start(boot_image.main, tmp_path / "a.wic", "--wait", "login")
    assert (done.status, "no disk image of ours" in done.err) == (2, True)
    assert list(cache.iterdir()) == []


def test_port_that_is_taken(start: Start, image: Path, cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        option = f"8000={listener.getsockname()[1]}"
        done = start(boot_image.main, image, "--port", option, "--wait", "login")
    assert (done.status, "give another --port 8000=PORT" in done.err) == (2, True)


def test_qemu_missing(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    (tmp_path / "a.wic").write_bytes(mbr())
    monkeypatch.setenv("PATH", str(tmp_path))
    done = start(boot_image.main, tmp_path / "a.wic", "--wait", "login")
    assert done.status == 2
    assert "qemu-system-aarch64 is not installed: run tools/setup/install_packages.sh" in done.err


@pytest.fixture
def terminal(image: Path) -> pexpect.spawn[str]:
    """The tool on a terminal, with the guest's question on it."""
    tool = pexpect.spawn(str(TOOL), [str(image), *SMALL], encoding="utf-8", timeout=SECONDS)
    tool.expect("`poweroff` shuts it down")
    tool.expect("voice login: ")
    return tool


def ended(tool: pexpect.spawn[str]) -> tuple[int | None, str]:
    tool.expect(pexpect.EOF)
    tool.close()
    assert tool.before is not None
    return tool.exitstatus, tool.before


def test_console_on_the_terminal(terminal: pexpect.spawn[str]) -> None:
    terminal.send("echo\x1d\x1a")
    terminal.expect("echo\x03\x1a")
    terminal.send("q")
    status, text = ended(terminal)
    assert (status, text.endswith(" s (by itself)\r\n")) == (0, True)


def test_control_c_is_a_power_cut(terminal: pexpect.spawn[str]) -> None:
    terminal.send("\x03")
    status, text = ended(terminal)
    assert (status, text.endswith(" s (power cut)\r\n")) == (0, True)


def test_sigterm_is_a_power_cut(terminal: pexpect.spawn[str]) -> None:
    terminal.kill(signal.SIGTERM)
    status, text = ended(terminal)
    assert (status, text.endswith(" s (power cut)\r\n")) == (0, True)


def test_power_cut_without_a_terminal(image: Path) -> None:
    done = subprocess.run(
        [TOOL, image, *SMALL, "--kill-power-after", "1", "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    shown, _, report = done.stdout.partition("{")
    assert shown.startswith("voice login: ")
    assert json.loads("{" + report)["ended"] == "power cut"


def test_still_on_after_the_timeout(image: Path) -> None:
    done = subprocess.run(
        [TOOL, image, *SMALL, "--timeout", "1"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "still on after 1 s: raise --timeout" in done.stderr.splitlines()[-1]
