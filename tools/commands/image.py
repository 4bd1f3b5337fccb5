"""Build the image to flash: the container, then everything else with kas and bitbake.

What can be wrong is looked for first, because a first build takes hours and about 90 GB of disk: the machine,
the model, the container's checksum, programs, room, and the layer itself. tools/image_check --strict makes
the quick checks and, where the layers have local mirrors, builds our recipes; a check that this machine
cannot make is named and does not stop the build. Downloads and finished work are kept in .cache/yocto, the
build itself is in build/yocto. With YOCTO_GIT_MIRROR, layers come from local git repositories.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from rtap.errors import RTAPException
from rtap.whisper.model_store import DEFAULT_MODEL
from tools.console.build_options import BUILD, CONTAINER
from tools.console.command_line import positive_number, run
from tools.model.conversion.default_model import NONE, chosen_model
from tools.process.run import complaint, end_children_when_terminated
from tools.root import CACHE, ROOT
from tools.system.image_checks.checks import CHECKS
from tools.system.image_checks.running import chosen_checks
from tools.system.image_checks.verdict import CannotCheck, Check
from tools.system.image_checks.workshop import Workshop
from tools.system.yocto import preflight
from tools.system.yocto.bitbake_progress import ProgressView, read_progress
from tools.system.yocto.images import (
    DEFAULT_MACHINE,
    RELEASES,
    Image,
    choose,
    option_file,
    options,
    repositories,
)
from tools.system.yocto.kas import Kas
from tools.system.yocto.mirrors import VARIABLE, find_mirrors, git_configuration, mirror_folder
from tools.system.yocto.ordinary_user import OrdinaryUser

ARCHIVE: Final = CONTAINER / "whisper-backend.tar"
_ARTIFACTS: Final = ("*.wic.bz2", "*.wic.bmap", "*.manifest")


class ImageError(RTAPException):
    """The image could not be built."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built, all of it checked."""

    image: Image
    options: tuple[str, ...]
    container: Path
    is_container_given: bool
    model: Path | None
    """Folder of the model that becomes a package; None: the image has none but the container's."""
    work: Path

    @property
    def build(self) -> Path:
        """The build folder."""
        return self.work / f"build-{self.image.machine}"


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/image", description=__doc__)
    parser.add_argument(
        "--machine", default=DEFAULT_MACHINE, metavar="NAME", help=f"default: {DEFAULT_MACHINE}"
    )
    default = next(iter(RELEASES))
    parser.add_argument(
        "--release", default=default, metavar="NAME", help=f"of Yocto; default: {default}"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME",
        help=f"file of kas/opt; may be given several times: {', '.join(options())}",
    )
    parser.add_argument(
        "--model",
        metavar="NAME|DIR|none",
        help=f"speech model beside the container; none: the container's own; default: {DEFAULT_MODEL}, made "
        "where it is missing, or none where it cannot be had",
    )
    parser.add_argument(
        "--container", type=Path, metavar="FILE", help="a docker-archive that exists already"
    )
    parser.add_argument(
        "--free-gb",
        type=positive_number,
        metavar="N",
        help=f"how much room is enough; default: {preflight.COLD_BUILD_GB}, later {preflight.WARM_BUILD_GB}",
    )
    parser.add_argument(
        "--check", action="store_true", help="look for what can be wrong, and build nothing"
    )
    parser.add_argument(
        "--unchecked", action="store_true", help="build without tools/image_check before it"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the files that were made as JSON"
    )
    return parser


def main(argv: Sequence[str]) -> int:
    """Command line."""
    arguments = _parser().parse_args(argv)
    order = _checked_order(arguments)
    if arguments.check:
        write_result(f"{order.image} can be built in {order.work}\n")
        return 0
    view = ProgressView("image")
    if not arguments.unchecked:
        view.stage("the layer's checks")
        _check_layer(order.image, Workshop.open(os.environ))
    if not order.is_container_given:
        view.stage("the container")
        _build_container(order)
    preflight.require_container(order.container)
    view.stage(f"{order.image}: kas gets the layers, bitbake reads them")
    _build_image(order, view)
    _tell(order, as_json=arguments.json)
    return 0


def _checked_order(arguments: argparse.Namespace) -> Order:
    """Raises: RTAPException: something would make the build fail."""
    image = choose(arguments.machine, arguments.release)
    for name in arguments.option:
        option_file(name)
    # The default model may take minutes to make, so it comes after what can be wrong.
    model = chosen_model(arguments.model or NONE, "image")
    if arguments.container is not None:
        preflight.require_container(arguments.container)
    preflight.require_ordinary_user()
    preflight.require_programs()
    work = BUILD / "yocto" / image.release
    preflight.require_disk(work, arguments.free_gb)
    if arguments.model is None and not arguments.check:
        model = chosen_model(None, "image")
    return Order(
        image=image,
        options=tuple(arguments.option),
        container=(arguments.container or ARCHIVE).resolve(),
        is_container_given=arguments.container is not None,
        model=model,
        work=work,
    )


def _check_layer(image: Image, workshop: Workshop) -> None:
    """Make those of the layer's checks that this machine can make, and name the others.

    Raises:
        ImageError: one has failed, or could not be made after all.
    """
    possible = []
    for check in layer_checks(image):
        try:
            check.require(workshop)
        except CannotCheck as error:
            print(f"image: {check.name} is not checked: {error}", file=sys.stderr)
        else:
            possible.append(f"--only={check.name}")
    if not possible:
        return
    command = [str(ROOT / "tools/image_check"), "--strict", *possible]
    # The verdicts are no result of ours.
    status = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
    ).returncode
    if status:
        raise ImageError(
            f"the layer is not in order (status {status}): see the lines above; --unchecked builds it anyway"
        )


def layer_checks(image: Image) -> list[Check]:
    """What is checked before hours of building: it takes seconds, and with mirrors two minutes."""
    return chosen_checks(CHECKS, [f"packages-{image.release}"], quick=True)


def _build_container(order: Order) -> None:
    command = [str(ROOT / "tools/build_container"), "--output", str(order.container.parent)]
    # Its table of sizes is no result of ours; its complaints are one line, as ours are.
    status = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
    ).returncode
    if status:
        raise ImageError(f"the container could not be built (status {status}): see the line above")


def _build_image(order: Order, view: ProgressView) -> None:
    order.build.mkdir(parents=True, exist_ok=True)
    kas = Kas(OrdinaryUser.choose(os.environ), CACHE, _git_configuration(order))
    kas.install()
    command = [str(kas.programs / "kas"), "build", order.image.kas_files(order.options)]
    environment = build_environment(order, os.environ, kas.git_configuration)
    log = order.work / f"{order.image.machine}.log"
    status = _run_shown(command, environment, log, view)
    if status:
        said = complaint(log.read_text(errors="replace"))
        raise ImageError(f"kas failed with status {status}: {said}; all of it is in {log}")


def _run_shown(
    command: Sequence[str], environment: Mapping[str, str], log: Path, view: ProgressView
) -> int:
    """Run kas to its end, keep what it says, and show how far it is."""
    with (
        log.open("w") as kept,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
        ) as process,
    ):
        assert process.stdout is not None
        is_error = False
        try:
            for line in process.stdout:
                kept.write(line)
                # What is indented below an error explains it.
                is_error = line.startswith("ERROR:") or (is_error and line[0].isspace())
                progress = read_progress(line)
                if progress is not None:
                    view.show(progress)
                elif is_error:
                    view.clear()
                    print(line, end="", file=sys.stderr, flush=True)
        except BaseException:
            process.terminate()  # bitbake then ends its tasks in order
            raise
        finally:
            view.clear()
    return process.returncode


def build_environment(
    order: Order, caller: Mapping[str, str], git_configuration: Path | None
) -> dict[str, str]:
    """The environment of kas: the caller's, and what the kas files ask for."""
    cache = CACHE / "yocto"
    ours = {
        "DL_DIR": str(cache / "downloads"),
        "SSTATE_DIR": str(cache / f"sstate-{order.image.release}"),
        **caller,
        "KAS_WORK_DIR": str(order.work),
        "KAS_BUILD_DIR": str(order.build),
        "WHISPER_BACKEND_TARBALL": str(order.container),
    }
    if order.model is not None:
        ours["WHISPER_MODEL"] = str(order.model)
    if git_configuration is not None:
        ours |= {"GITCONFIG_FILE": str(git_configuration), "KAS_CLONE_DEPTH": "1"}
    # Our own interpreter's, which bitbake's shall not find.
    ours.pop("PYTHONPATH", None)
    return ours


def _git_configuration(order: Order) -> Path | None:
    if not os.environ.get(VARIABLE) or os.environ.get("GITCONFIG_FILE"):
        return None
    folder = mirror_folder(ROOT, os.environ)
    if folder is None:
        return None
    file = order.work / "gitconfig"
    file.write_text(git_configuration(find_mirrors(folder, repositories(order.image.release))))
    return file


def _tell(order: Order, *, as_json: bool) -> None:
    deployed = order.build / "tmp/deploy/images" / order.image.machine
    made = sorted(
        path
        for pattern in _ARTIFACTS
        for path in deployed.glob(f"core-image-base-{order.image.machine}{pattern}")
        if path.is_symlink()  # to the newest; the files behind carry a time
    )
    if not made:
        raise ImageError(f"the build succeeded and left no image in {deployed}: see kas/base.yml")
    if as_json:
        document = {
            "machine": order.image.machine,
            "release": order.image.release,
            "container": str(order.container),
            "files": [str(path) for path in made],
        }
        write_result(json.dumps(document, indent=2) + "\n")
        return
    width = max(len(str(path)) for path in made)
    lines = [f"{path!s:{width}}  {path.stat().st_size / preflight.GB:6.2f} GB\n" for path in made]
    write_result("".join(lines))


if __name__ == "__main__":
    end_children_when_terminated()
    run(main)
