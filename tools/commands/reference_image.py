"""Build a disk image to run the boot tests on where a full Yocto build can't run. It is not the product.

Debian's packages for arm64 are the base system; on it the recipes of meta-userapp are installed by their own
rules, and the disk is laid out by the layer's wks file. Takes minutes; no Yocto source, root or emulator.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from rtap.errors import ConfigurationError
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.model_store import DEFAULT_MODEL
from tools.console.build_options import (
    BUILD,
    add_container,
    add_mirror,
    add_output,
    add_version,
)
from tools.console.command_line import report_step, run
from tools.model.conversion.default_model import chosen_model
from tools.process.programs import BuildError, require
from tools.process.run import end_children_when_terminated
from tools.root import CACHE, ROOT
from tools.system.container.workplace import workplace
from tools.system.reference.assemble import Plan
from tools.system.reference.debian_base import packages
from tools.system.reference.disk import missing_programs
from tools.system.reference.gui import compiled_gui
from tools.system.reference.payload import our_packages, require_container

_report_step = partial(report_step, "reference_image")

NAME: Final = "debian-reference-arm64"
_INSTALL: Final = "tools/setup/install_packages.sh @tools/setup/packages/reference.txt"
_PROGRAMS: Final = ("cpio", "depmod", "dpkg-deb", "mmdebstrap", "systemctl", "systemd-sysusers")
_COMPILER: Final = ("aarch64-linux-gnu-g++", "cmake", "ninja")
_ROOT_BYTES: Final = 700_000_000
"""The root is there three times: in its folder, in its file system, in the image."""


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/reference_image", description=__doc__)
    add_container(parser)
    parser.add_argument(
        "--model",
        metavar="NAME|DIR|none",
        help=f"speech model beside the container; none: the container's own; default: {DEFAULT_MODEL}, made "
        "where it is missing, or none where it cannot be had",
    )
    parser.add_argument(
        "--packages",
        type=Path,
        metavar="DIR",
        help="folder of the .deb packages that bitbake built from our recipes; default: the recipes' own "
        "install rules",
    )
    add_output(parser, BUILD / "reference-image")
    add_version(parser)
    parser.add_argument("--build-id", default="reference", help="what os-release says of the build")
    parser.add_argument(
        "--release",
        action="store_true",
        help="nobody may log in; default: root may, without a password",
    )
    add_mirror(parser)
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")
    return parser


def main(argv: Sequence[str]) -> int:
    """Command line."""
    arguments = _parser().parse_args(argv)
    _require_programs(compiles=arguments.packages is None)
    ours = our_packages(arguments.packages) if arguments.packages else []
    model = None
    if not ours:
        require_container(arguments.container)
        model = chosen_model(arguments.model, "reference_image")
    began = time.monotonic()
    output: Path = arguments.output
    target = output / f"{NAME}.wic"
    size = 0 if model is None else ModelDirectory.open(model).manifest.bytes
    with workplace(output, _ROOT_BYTES + size) as work:
        fresh = work / target.name
        plan = replace(
            _plan(arguments, ours, fresh, work), model="" if model is None else str(model)
        )
        plan.write(work / "plan.json")
        _report_step("the image")
        _assemble(work / "plan.json")
        for file in (fresh, Path(f"{fresh}.bmap")):
            file.replace(output / file.name)
    seconds = time.monotonic() - began
    _tell(target, seconds, as_json=arguments.json)
    return 0


def _plan(arguments: Namespace, ours: Sequence[Path], target: Path, work: Path) -> Plan:
    _report_step("Debian's packages")
    cache = CACHE / "reference"
    cache.mkdir(parents=True, exist_ok=True)
    debian = packages(cache, arguments.mirror)
    gui = work
    if not ours:
        _report_step("the screen")
        gui = compiled_gui(CACHE / "image-check")
    return Plan(
        target=str(target),
        debian=tuple(map(str, debian)),
        container=str(arguments.container.resolve()),
        gui=str(gui),
        model="",
        packages=tuple(map(str, ours)),
        version=arguments.version,
        build=arguments.build_id,
        debug=not arguments.release,
        work=str(work),
    )


def _assemble(plan: Path) -> None:
    """Everything in the root belongs to root: fakeroot remembers so for an ordinary user."""
    prefix = [] if os.geteuid() == 0 else [require("fakeroot", "fakeroot")]
    command = [*prefix, sys.executable, "-P", "-m", "tools.system.reference.assemble", str(plan)]
    places = ":".join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": places}, start_new_session=True
    )
    try:
        status = process.wait()
    finally:
        if process.poll() is None:
            # At any other signal fakeroot leaves its server running.
            os.killpg(process.pid, signal.SIGINT)
            process.wait()
    if status in (1, 2):  # it has said why
        raise SystemExit(status)
    if status:
        raise BuildError(
            f"tools.system.reference.assemble ended with status {status}: was it killed?"
        )


def _require_programs(*, compiles: bool) -> None:
    """Raises: ConfigurationError: one is missing."""
    # Debian's path for ordinary users lacks it.
    os.environ["PATH"] = ":".join(filter(None, [os.environ.get("PATH"), "/usr/sbin"]))
    wanted = [*_PROGRAMS, *(_COMPILER if compiles else ())]
    if os.geteuid() != 0:
        wanted.append("fakeroot")
    missing = [name for name in wanted if shutil.which(name) is None] + missing_programs()
    if missing:
        raise ConfigurationError(f"no {', '.join(missing)}: {_INSTALL}")


def _tell(image: Path, seconds: float, *, as_json: bool) -> None:
    size = image.stat().st_blocks * 512
    if as_json:
        made = {"image": str(image), "bytes_on_disk": size, "seconds": round(seconds, 1)}
        write_result(json.dumps(made, indent=2) + "\n")
    else:
        write_result(
            f"{image}: {size / 1e6:.0f} MB, in {seconds:.0f} s; for boot tests, not the product\n"
        )


if __name__ == "__main__":
    end_children_when_terminated()
    run(main)
