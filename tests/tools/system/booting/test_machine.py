"""Real machines, with a guest that is there within a second."""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from rtap.errors import ConfigurationError
from tests.tools.system.booting.small_guest import make_kernel
from tests.tools.system.booting.small_image import needs
from tools.root import ROOT
from tools.system.booting import disk
from tools.system.booting.boot_error import BootError
from tools.system.booting.console import ConsoleError
from tools.system.booting.disk import BootFiles
from tools.system.booting.machine import Settings, VirtualMachine
from tools.system.booting.picture import is_drawn
from tools.system.booting.qmp import QemuControl

SECONDS = 60
SMALL = Settings(processors=1, memory_mb=128)


@pytest.fixture
def boot(tmp_path: Path) -> BootFiles:
    needs("qemu-system-aarch64", "qemu-img", "setpriv")
    return BootFiles(make_kernel(tmp_path / "kernel"), None, "")


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    needs("qemu-img")
    image = tmp_path / "image"
    image.write_bytes(bytes(4096))
    return disk.overlay(image, tmp_path / "disk.qcow2", 2**20)


def has_ended(pid: int) -> bool:
    """Whether a process ends within a while; it may be nobody's child that was waited for."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 20)[0])
    finally:
        os.close(descriptor)


def test_console_screen_and_power_cut(boot: BootFiles, drive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a folder, with a name that is far too long for a socket" / ("long" * 30)
    with VirtualMachine(boot, drive, SMALL, folder) as machine:
        assert 0 < machine.console.wait_for_login(SECONDS) < SECONDS
        machine.console.send(b"echo")
        machine.console.expect("echo", SECONDS)
        picture = folder / "pictures/screen.png"
        machine.screenshot(picture)
        content = picture.read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        assert all(size >= 480 for size in struct.unpack(">II", content[16:24]))
        assert not is_drawn(machine.screen())
        assert machine.is_running()
        assert machine.diagnosis() == ""
        pid = machine.pid
        machine.power_cut()
        assert not machine.is_running()
        # SIGTERM would let QEMU put the disk in order.
        assert machine._process is not None
        assert machine._process.returncode == -signal.SIGKILL
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        with pytest.raises(ConsoleError, match="QEMU has ended"):
            machine.console.expect("never", SECONDS)
        with pytest.raises(BootError, match="QEMU has ended"):
            machine.screenshot(picture)
    assert "voice login: echo" in (folder / "console.log").read_text()


def test_touches_and_keys_are_taken(boot: BootFiles, drive: Path, tmp_path: Path) -> None:
    with VirtualMachine(boot, drive, SMALL, tmp_path) as machine:
        machine.touch(0, 0)
        machine.touch(1279, 719)
        machine.press("esc")
        with pytest.raises(BootError, match="QEMU refuses `send-key`"):
            machine.press("no such key")


def test_ports_lead_to_the_guest(boot: BootFiles, drive: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = Settings(processors=1, memory_mb=128, ports={8000: port})
    with VirtualMachine(boot, drive, settings, tmp_path) as machine:
        assert machine.ports[8000] == port
        assert set(machine.ports) >= {22, 5802, 6552, 6553, 8000, 8080, 10300}
        for host in machine.ports.values():
            socket.create_connection(("127.0.0.1", host), SECONDS).close()


def test_no_network(boot: BootFiles, drive: Path, tmp_path: Path) -> None:
    settings = Settings(processors=1, memory_mb=128, network=False)
    with VirtualMachine(boot, drive, settings, tmp_path) as machine:
        assert machine.ports == {}
        assert machine.console.wait_for_login(SECONDS)


def test_guest_that_switches_off(boot: BootFiles, drive: Path, tmp_path: Path) -> None:
    with VirtualMachine(boot, drive, SMALL, tmp_path) as machine:
        machine.console.wait_for_login(SECONDS)
        machine.console.send(b"q")
        machine.wait(SECONDS)
        assert not machine.is_running()
        assert machine.last_words() == ""


def test_shut_down_types_where_somebody_is_logged_in(
    boot: BootFiles, drive: Path, tmp_path: Path
) -> None:
    with VirtualMachine(boot, drive, SMALL, tmp_path) as machine:
        machine.console.wait_for_login(SECONDS)
        machine.console.is_logged_in = True
        with pytest.raises(ConsoleError, match="shutting down: still on after 0 s"):
            machine.shut_down(0)
        # This guest only echoes.
        machine.console.expect("systemctl poweroff", SECONDS)


def test_shut_down_presses_the_power_button(boot: BootFiles, drive: Path, tmp_path: Path) -> None:
    with VirtualMachine(boot, drive, SMALL, tmp_path) as machine:
        machine.console.wait_for_login(SECONDS)
        with pytest.raises(ConsoleError, match="shutting down: still on"):
            machine.shut_down(0)
        machine.console.send(b"q")
        machine.shut_down(SECONDS)


def test_disk_is_kept_from_boot_to_boot(boot: BootFiles, drive: Path, tmp_path: Path) -> None:
    for _ in range(2):
        with VirtualMachine(boot, drive, SMALL, tmp_path / "run") as machine:
            machine.console.wait_for_login(SECONDS)
    assert (tmp_path / "run/console.log").read_text().count("voice login") == 2


def test_disk_in_use(boot: BootFiles, drive: Path, tmp_path: Path) -> None:
    with (
        VirtualMachine(boot, drive, SMALL, tmp_path / "one"),
        pytest.raises(BootError, match=r"QEMU has ended \(.*lock"),
        VirtualMachine(boot, drive, SMALL, tmp_path / "other"),
    ):
        pass


def test_guest_that_stands_still(
    boot: BootFiles, drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with VirtualMachine(boot, drive, SMALL, tmp_path) as machine:
        monkeypatch.setattr(QemuControl, "execute", lambda *_: {"status": "io-error"})
        with pytest.raises(ConsoleError, match=r"the disk that .*disk.qcow2 is on is full"):
            machine.console.expect("never", 0)


def test_sound_and_vnc(boot: BootFiles, drive: Path, tmp_path: Path) -> None:
    settings = Settings(
        processors=1, memory_mb=128, sound=f"wav:{tmp_path}/a,b.wav", display="vnc", network=False
    )
    with VirtualMachine(boot, drive, settings, tmp_path) as machine:
        host, port = machine.vnc_address().split(":")
        with socket.create_connection((host, int(port)), SECONDS) as viewer:
            assert viewer.recv(3) == b"RFB"
    assert (tmp_path / "a,b.wav").exists()


def test_qemu_missing(boot: BootFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "setpriv").symlink_to("/bin/true")
    machine = VirtualMachine(boot, tmp_path / "disk", SMALL, tmp_path)
    with pytest.raises(ConfigurationError, match="qemu-system-aarch64 is not installed"):
        machine.__enter__()


STARTER = """
import sys
from pathlib import Path
from tools.system.booting.disk import BootFiles
from tools.system.booting.machine import Settings, VirtualMachine
kernel, disk, folder = map(Path, sys.argv[1:])
with VirtualMachine(BootFiles(kernel, None, ""), disk, Settings(1, 128, False), folder) as machine:
    machine.console.wait_for_login(60)
    print(machine.pid, flush=True)
    sys.stdin.read()
"""


def test_never_outlives_who_started_it(boot: BootFiles, drive: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(boot.kernel), str(drive), str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        os.kill(pid, 0)
        starter.send_signal(signal.SIGKILL)
        is_gone = has_ended(pid)
    if not is_gone:
        os.kill(pid, signal.SIGKILL)
    assert is_gone
