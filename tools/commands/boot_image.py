"""Boot a disk image in QEMU: console here, screen in a window or a picture, services on 127.0.0.1.

The image stays as it is. The machine is a generic one with the board's processor, so what depends on the
board's own devices is not there.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from rtap.errors import ConfigurationError, StorageError
from tools.console.command_line import positive_number, run
from tools.process.run import end_children_when_terminated
from tools.system.booting import abilities, disk, ports, terminal_session, workplace
from tools.system.booting.boot_error import BootError
from tools.system.booting.console import ConsoleError
from tools.system.booting.disk import BootFiles
from tools.system.booting.goals import Goal, wait_for
from tools.system.booting.machine import VirtualMachine
from tools.system.booting.settings import BOARD, DISK_BYTES, VIRTUAL, Settings

_WAIT_SECONDS: Final = 900.0
_UNITS: Final = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/boot_image", description=__doc__)
    parser.add_argument("image", type=Path, help="IMAGE.wic, .wic.bz2, .direct, or a root.ext4")
    _machine_options(parser.add_argument_group("the machine"))
    _kernel_options(parser.add_argument_group("the kernel, by default the one in the image"))
    _course_options(parser.add_argument_group("what happens"))
    return parser


def _machine_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--smp", type=_count, metavar="N", help="processors (up to 4)")
    group.add_argument("-m", "--memory", type=_count, default=2048, metavar="MIB", help="2048")
    group.add_argument(
        "--machine",
        choices=[VIRTUAL, BOARD],
        default=VIRTUAL,
        help=f"{BOARD}: the board itself, serial console only, with QEMU 9.0 or newer ({VIRTUAL})",
    )
    group.add_argument(
        "--disk",
        type=Path,
        metavar="FILE.qcow2",
        help="keep what the machine writes there, and go on from it next time",
    )
    group.add_argument(
        "--disk-size", type=_size, default=DISK_BYTES, metavar="SIZE", help="at least (6G)"
    )
    group.add_argument("--no-network", action="store_true", help="no network device at all")
    group.add_argument(
        "--port",
        type=_port,
        action="append",
        default=[],
        metavar="GUEST=HOST",
        help="where a port of the guest is on this machine; default: the same, or any where it is taken",
    )
    group.add_argument("--display", choices=["none", "window", "vnc"], default="none")
    group.add_argument(
        "--sound",
        type=_sound,
        default="none",
        metavar="none|auto|pa|alsa|wav:FILE",
        help="what its sound card plays into; none: it has no card; auto: pa, or none (none)",
    )


def _kernel_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--kernel", type=Path, metavar="FILE")
    group.add_argument("--initrd", type=Path, metavar="FILE")
    group.add_argument("--append", default="", metavar="WORDS", help="to its command line")


def _course_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--wait", type=Goal, choices=list(Goal), help="return as soon as it gets so far"
    )
    group.add_argument(
        "--timeout",
        type=positive_number,
        metavar="SECONDS",
        help=f"fail after so long (with --wait: {_WAIT_SECONDS:.0f})",
    )
    group.add_argument(
        "--kill-power-after",
        type=positive_number,
        metavar="SECONDS",
        help="cut the power so long after power-on, or after what --wait waits for",
    )
    group.add_argument("--screenshot", type=Path, metavar="PNG", help="save the screen at the end")
    group.add_argument("--log", type=Path, metavar="FILE", help="save the console, with times")
    group.add_argument("--json", action="store_true", help="print the result as JSON")


def main(argv: Sequence[str]) -> int:
    """Command line."""
    arguments = _parser().parse_args(argv)
    _check(arguments)
    end_children_when_terminated()
    settings = abilities.settled(_settings(arguments))
    with workplace.temporary_folder(workplace.FOLDERS) as folder:
        image = disk.unpacked(arguments.image, workplace.FOLDERS)
        boot = _boot_files(arguments, image, folder)
        drive = _drive(arguments, image, folder)
        try:
            with VirtualMachine(boot, drive, settings, folder) as machine:
                report = _course(arguments, machine)
        except ConsoleError as error:
            print("\n".join(error.lines), file=sys.stderr)
            raise BootError(f"{error.summary}; its last lines are above") from error
        finally:
            _save_log(arguments.log, folder)
    write_result(f"{json.dumps(report, indent=2)}\n" if arguments.json else _sentence(report))
    return 0


def _check(arguments: Namespace) -> None:
    """Raises: ConfigurationError: options that do not go together."""
    goal = arguments.wait
    has_end = goal is not None or arguments.kill_power_after is not None
    if arguments.json and not has_end:
        raise ConfigurationError("--json wants --wait or --kill-power-after: add one")
    if arguments.screenshot and not has_end:
        raise ConfigurationError("--screenshot wants --wait or --kill-power-after: add one")
    if goal is Goal.HEALTHY and arguments.no_network:
        raise ConfigurationError("--wait healthy asks over the network: leave --no-network out")
    if arguments.machine == BOARD and (goal not in {None, Goal.LOGIN} or arguments.screenshot):
        raise ConfigurationError(f"{BOARD} has a serial console only: use --wait login")


def _settings(arguments: Namespace) -> Settings:
    sound = arguments.sound
    if sound == "auto":
        sound = "pa" if abilities.has_pulseaudio() else "none"
    chosen = Settings(
        memory_mb=arguments.memory,
        network=not arguments.no_network,
        sound=sound,
        display=arguments.display,
        disk_bytes=arguments.disk_size,
        ports=dict(arguments.port),
        machine=arguments.machine,
    )
    return replace(chosen, processors=arguments.smp) if arguments.smp else chosen


def _boot_files(arguments: Namespace, image: Path, folder: Path) -> BootFiles:
    if arguments.kernel is not None:
        return BootFiles.given(image, arguments.kernel, arguments.initrd, arguments.append)
    if disk.is_root_file_system(image):
        raise ConfigurationError(f"{image} is a root file system without a kernel: add --kernel")
    found = BootFiles.from_image(image, folder, arguments.append)
    if arguments.initrd is None:
        return found
    if not arguments.initrd.is_file():
        raise ConfigurationError(f"{arguments.initrd} is no file: name an initramfs")
    return replace(found, initrd=arguments.initrd)


def _drive(arguments: Namespace, image: Path, folder: Path) -> Path:
    """The disk that is written to, made unless it is there."""
    size = arguments.disk_size
    if arguments.machine == BOARD:
        size = 1 << (max(size, image.stat().st_size) - 1).bit_length()  # as its card reader wants
    if arguments.disk is None:
        return disk.overlay(image, folder / "disk.qcow2", size)
    if not arguments.disk.exists():
        return disk.overlay(image, arguments.disk, size)
    disk.require_overlay_of(image, arguments.disk)
    return Path(arguments.disk)


def _course(arguments: Namespace, machine: VirtualMachine) -> dict[str, Any]:
    """What happens between power-on and power-off, and a report of it."""
    if arguments.wait is None:
        return _attended(arguments, machine)
    report: dict[str, Any] = {"reached": str(arguments.wait)}
    seconds = wait_for(arguments.wait, machine, arguments.timeout or _WAIT_SECONDS)
    report["seconds"] = round(seconds, 2)
    if arguments.kill_power_after is not None:
        machine.has_ended_within(arguments.kill_power_after)
    return report | _ending(arguments, machine)


def _attended(arguments: Namespace, machine: VirtualMachine) -> dict[str, Any]:
    """The console on the terminal until it is off, one way or another."""
    _announce(machine, is_vnc=arguments.display == "vnc")
    limits = [arguments.kill_power_after, arguments.timeout]
    limit = min((one for one in limits if one is not None), default=None)
    try:
        is_off = terminal_session.attend(machine, limit)
    except KeyboardInterrupt:
        return _ending(arguments, machine)
    if not is_off and limit != arguments.kill_power_after:
        raise BootError(f"still on after {limit:.0f} s: raise --timeout, or shut it down before")
    return _ending(arguments, machine)


def _ending(arguments: Namespace, machine: VirtualMachine) -> dict[str, Any]:
    report: dict[str, Any] = {}
    was_on = machine.is_running()
    if arguments.screenshot is not None and was_on:
        machine.screenshot(arguments.screenshot)
        report["screenshot"] = str(arguments.screenshot)
    machine.power_cut()
    seconds = machine.seconds()
    return report | {
        "ended": "power cut" if was_on else machine.last_words() or "by itself",
        "on_seconds": round(seconds, 2),
    }


def _announce(machine: VirtualMachine, *, is_vnc: bool) -> None:
    lines = ports.addresses(machine.ports)
    if is_vnc:
        lines.append(f"VNC: {machine.vnc_address()}")
    for line in [*lines, terminal_session.HINT]:
        print(f"boot_image: {line}", file=sys.stderr, flush=True)


def _sentence(report: dict[str, Any]) -> str:
    parts = []
    if "reached" in report:
        parts.append(f"{report['reached']} after {report['seconds']} s")
    if "screenshot" in report:
        parts.append(f"the screen is in {report['screenshot']}")
    parts.append(f"off after {report['on_seconds']} s ({report['ended']})")
    return "; ".join(parts) + "\n"


def _save_log(target: Path | None, folder: Path) -> None:
    log = folder / "console.log"
    if target is None or not log.is_file():
        return
    try:
        shutil.copyfile(log, target)
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written ({error.strerror}): choose another --log"
        ) from error


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no count: give 1 or more")
    return int(text)


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d+)([KMGT]?)", text.upper())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: give one such as 8G")
    return int(found[1]) * _UNITS[found[2]]


def _port(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})=(\d{1,5})", text)
    if found is None or not all(0 < int(number) < 65536 for number in found.groups()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no pair of ports: give one such as 8000=9000"
        )
    return int(found[1]), int(found[2])


def _sound(text: str) -> str:
    if text in {"none", "auto", "pa", "alsa"} or re.fullmatch(r"wav:.+", text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is no sound: give none, auto, pa, alsa or wav:FILE")


if __name__ == "__main__":
    run(main)
