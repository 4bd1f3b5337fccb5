"""QEMU's command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.system.booting.disk import BootFiles
from tools.system.booting.qemu_arguments import arguments
from tools.system.booting.settings import BOARD, Settings

BOOT = BootFiles(Path("/k"), Path("/i"), "root=/dev/vda", Path("/t.dtb"))
LINES = {"serial": 5, "control": 6}


def line(settings: Settings, ports: dict[int, int] | None = None, disk: str = "/d") -> str:
    return " ".join(arguments(BOOT, Path(disk), settings, ports or {}, LINES)) + " "


def test_defaults() -> None:
    text = line(Settings(processors=3, append="quiet"), {8000: 9000})
    for part in (
        "-machine virt -cpu cortex-a72 -smp 3 -m 2048 ",
        "-kernel /k -initrd /i -append root=/dev/vda quiet ",
        "-drive if=none,id=disk,format=qcow2,file=/d ",
        "-netdev user,id=net,hostfwd=tcp:127.0.0.1:9000-:8000 ",
        "-device virtio-gpu-pci,edid=on,xres=1280,yres=720 ",
        "-device virtio-keyboard-pci -device virtio-tablet-pci -display none ",
        "-device virtio-rng-pci ",
        "-chardev socket,id=serial,fd=5 -serial chardev:serial ",
        "-chardev socket,id=control,fd=6 -mon chardev=control,mode=control ",
    ):
        assert part in text
    assert "hda" not in text
    assert "other" not in text


def test_another_card_is_seen_before_its_own() -> None:
    text = line(Settings(other_disk=Path("/a,b")))
    other = (
        "if=none,id=other,format=qcow2,readonly=on,file=/a,,b -device virtio-blk-pci,drive=other "
    )
    assert text.index(other) < text.index("-device virtio-blk-pci,drive=disk ")


def test_no_more_processors_than_the_board_has() -> None:
    assert 1 <= Settings().processors <= 4


def test_no_network_is_no_device() -> None:
    text = line(Settings(network=False))
    assert "-nic none " in text
    assert "netdev" not in text


@pytest.mark.parametrize(
    ("display", "words"),
    [("vnc", "-vnc 127.0.0.1:0,to=99 "), ("sdl", "-display sdl "), ("gtk", "-display gtk ")],
)
def test_display(display: str, words: str) -> None:
    text = line(Settings(display=display))
    assert words in text
    assert "virtio-gpu-pci" in text


@pytest.mark.parametrize(
    ("sound", "backend"),
    [("pa", "pa,id=sound"), ("alsa", "alsa,id=sound"), ("wav:/a,b", "wav,id=sound,path=/a,,b")],
)
def test_sound(sound: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    card = "-device intel-hda -device hda-duplex,audiodev=sound"
    assert f"-audiodev {backend} {card} " in line(Settings(sound=sound))


def test_comma_in_a_path() -> None:
    assert "file=/a,,b " in line(Settings(), disk="/a,b")


def test_board() -> None:
    text = line(Settings(machine=BOARD))
    assert "-machine raspi4b -m 2G -smp 4 " in text
    assert "if=sd,format=qcow2,file=/d -dtb /t.dtb " in text
    assert "virtio" not in text
    assert "-chardev socket,id=serial,fd=5 -serial chardev:serial " in text


def test_a_clock_that_counts_instructions() -> None:
    assert "-icount shift=0 " in line(Settings(even_time=True))
    assert "-icount" not in line(Settings())


def test_a_sound_server_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/s/native")
    assert "-audiodev pa,id=sound,server=unix:/s/native " in line(Settings(sound="pa"))
    assert "server" not in line(Settings(sound="alsa"))
