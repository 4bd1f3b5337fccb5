"""The board's command line for QEMU's machine."""

from __future__ import annotations

from tools.system.booting import kernel_arguments


def test_what_only_the_board_has_goes() -> None:
    board = (
        "dwc_otg.lpm_enable=0 8250.nr_uarts=1 bcm2708_fb.fbwidth=656 console=serial0,115200 "
        "kgdboc=serial0,115200 console=tty1 root=/dev/mmcblk0p2 rootfstype=ext4 rootwait ro "
        "net.ifnames=0 cgroup_enable=memory cgroup_memory=1 vt.global_cursor_default=0 "
        "console=ttyAMA0,115200 console=ttyS0\n"
    )
    assert kernel_arguments.from_board(board, "PARTUUID=0badcafe-02").split() == [
        "root=PARTUUID=0badcafe-02",
        "console=tty1",
        "rootfstype=ext4",
        "rootwait",
        "ro",
        "net.ifnames=0",
        "cgroup_enable=memory",
        "cgroup_memory=1",
        "vt.global_cursor_default=0",
        "console=ttyAMA0",
    ]


def test_what_only_looks_like_the_boards_stays() -> None:
    kept = "rootflags=noatime consoleblank=0 systemd.log_target=console"
    assert kernel_arguments.from_board(kept, "/dev/vda").split()[1:-1] == kept.split()


def test_without_a_command_line_of_the_board() -> None:
    line = kernel_arguments.for_root("/dev/vda")
    assert line == "root=/dev/vda rootfstype=ext4 rootwait ro console=ttyAMA0"


def test_partition_uuid() -> None:
    assert kernel_arguments.partition_uuid(0xABC, 2) == "PARTUUID=00000abc-02"
