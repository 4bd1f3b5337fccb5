"""Write an image to a microSD card: checked before, compared after, and only where the image has content.

The card's settings and history survive, as the image's block map (.bmap) leaves their partition out. An
image is written only if SHA256SUMS beside it and that file's signature are right.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import INTERRUPTED_STATUS, report, write_result
from rtap.errors import ConfigurationError
from tools.console.command_line import report_step, run
from tools.console.quantities import size
from tools.system.disk_image.bmap import Bmap
from tools.system.disk_image.image_file import ImageFile
from tools.system.flashing import trust
from tools.system.flashing.block_devices import SYS, read_disks
from tools.system.flashing.data_partition import Fate
from tools.system.flashing.execution import Result, execute
from tools.system.flashing.plan import Plan, make_plan
from tools.system.flashing.target import Machine
from tools.system.flashing.uses import PROC, read_uses


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/flash", description=__doc__)
    parser.add_argument("image", nargs="?", type=Path, help="IMAGE.wic, .wic.bz2, .gz or .xz")
    parser.add_argument(
        "device",
        nargs="?",
        type=Path,
        help="such as /dev/sdb; may be left out when there is only one card",
    )
    parser.add_argument("--list", action="store_true", help="show the cards and sticks, and end")
    parser.add_argument(
        "--key",
        metavar="KEY",
        help="who must have signed: minisign public key or its file, file of GPG keys, or GPG fingerprint; "
        "default: conf/release.pub, or whom your GPG keyring trusts",
    )
    parser.add_argument(
        "--no-verify", action="store_true", help="write even if checksum or signature are missing"
    )
    parser.add_argument(
        "--no-bmap",
        action="store_true",
        help="write every byte of the image; settings and history are lost",
    )
    parser.add_argument(
        "--erase-data",
        action="store_true",
        help="erase settings and history too; takes as long as the card is large",
    )
    parser.add_argument(
        "--image-identity",
        action="store_true",
        help="leave the disk identity as in the image; a device confuses two such cards",
    )
    parser.add_argument("--file", action="store_true", help="DEVICE may be a file or a loop device")
    parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def main(argv: Sequence[str]) -> int:
    """Command line."""
    arguments = _parser().parse_args(argv)
    disks = read_disks(SYS)
    machine = Machine(disks, read_uses(disks, PROC))
    if arguments.list:
        write_result(_list_json(machine) if arguments.json else _list_text(machine))
        return 0
    if arguments.image is None:
        raise ConfigurationError("name an image, or use --list (see `tools/flash --help`)")
    if arguments.device is None and arguments.yes:
        raise ConfigurationError("--yes wants a device by name; `tools/flash --list` shows them")
    result = Result()
    plan: Plan | None = None
    try:
        plan, checked = _prepare(arguments, machine)
        if not arguments.json:
            write_result(plan.text())
        if not arguments.dry_run:
            _confirm(plan, is_asked=not arguments.yes)
            execute(plan, result)
    except KeyboardInterrupt:
        device = plan.target.path if plan else arguments.device
        report("interrupted", result.stage.format(device), "flash")
        return INTERRUPTED_STATUS
    if arguments.json:
        write_result(json.dumps(_report(plan, checked, result), indent=2) + "\n")
    else:
        write_result(_sentence(plan, result))
    return 0


def _prepare(arguments: Namespace, machine: Machine) -> tuple[Plan, list[str]]:
    """Check the device, then the image, then how they go together."""
    image = ImageFile(arguments.image)
    device = arguments.device or machine.only_removable()
    target = machine.target(device, is_file_allowed=arguments.file)
    map_file = image.bmap_path()
    if not arguments.no_bmap and not map_file.is_file():
        raise ConfigurationError(
            f"{map_file} is missing: fetch it with the image, or add --no-bmap to write every byte, "
            "which erases settings and history"
        )
    files = [image.path] if arguments.no_bmap else [image.path, map_file]
    checked = trust.verify(
        files,
        arguments.key,
        is_required=not arguments.no_verify,
        note=partial(report_step, "flash"),
    )
    bmap = None if arguments.no_bmap else Bmap.parse(map_file.read_bytes(), map_file.name)
    plan = make_plan(
        image,
        bmap,
        target,
        is_data_erased=arguments.erase_data,
        has_own_identity=not arguments.image_identity,
    )
    return plan, checked


def _confirm(plan: Plan, *, is_asked: bool) -> None:
    """Raises: ConfigurationError: the user does not want it."""
    if not is_asked:
        if plan.fate is Fate.LOST and plan.bmap is not None:
            way = "add --erase-data, or " if plan.data else ""
            raise ConfigurationError(
                f"{plan.target.path} has settings and history that this image would lose: {way}leave --yes "
                "out to be asked"
            )
        return
    print(
        f"Type the device's name, {plan.target.name}, to go on: ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    answer = sys.stdin.readline().strip() if sys.stdin else ""
    if answer not in {plan.target.name, str(plan.target.path)}:
        raise ConfigurationError(
            f"nothing was written: the answer was {answer!r}, not {plan.target.name!r}; scripts say --yes"
        )


def _sentence(plan: Plan, result: Result) -> str:
    if not result.bytes:
        return f"{plan.target.path}: nothing was written, as this was a dry run\n"
    rate = result.bytes / max(result.write_seconds, 1e-6)
    return (
        f"{plan.target.path}: {size(result.bytes)} written in {result.write_seconds:.1f} s ({size(rate)}/s), "
        f"read back in {result.read_seconds:.1f} s, no difference; it can be taken out\n"
    )


def _report(plan: Plan, checked: list[str], result: Result) -> dict[str, Any]:
    return plan.report() | {
        "checked": checked,
        "written_bytes": result.bytes,
        "write_seconds": round(result.write_seconds, 3),
        "read_seconds": round(result.read_seconds, 3),
        "is_read_back": result.bytes > 0,
    }


def _list_text(machine: Machine) -> str:
    disks = machine.removable()
    if not disks:
        return "no removable device: put a card in\n"
    rows = [("DEVICE", "SIZE", "CONNECTION", "MODEL", "IN USE")]
    for disk in disks:
        uses = ", ".join(map(str, machine.uses.get(disk.name, ()))) or "no"
        rows.append((str(disk.path), size(disk.bytes), disk.connection.value, disk.model, uses))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join([*map(str.ljust, row, widths), row[4]]) for row in rows]
    return "\n".join(lines) + "\n"


def _list_json(machine: Machine) -> str:
    found = [
        {
            "device": str(disk.path),
            "bytes": disk.bytes,
            "connection": disk.connection.value,
            "model": disk.model,
            "read_only": disk.read_only,
            "uses": [str(use) for use in machine.uses.get(disk.name, ())],
        }
        for disk in machine.removable()
    ]
    return json.dumps(found, indent=2) + "\n"


if __name__ == "__main__":
    run(main)
