"""Build the service's container without a registry, and without running any of its programs.

Debian's packages, the locked wheels and rtap become whisper-backend.tar, which `docker load` reads,
with its checksum, a description (image ID, sizes, versions) and a bill of materials beside it. The same
checkout and the same packages give the same image ID. Needs mmdebstrap, no root and no emulator.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from rtap.whisper.model_directory import file_sha256
from rtap.whisper.model_store import AUTO
from tools.console.build_options import CONTAINER, add_mirror, add_output
from tools.console.command_line import report_step, run
from tools.process.programs import require
from tools.root import ROOT
from tools.system.container.architecture import ARCHITECTURES
from tools.system.container.bill_of_materials import bill_of_materials
from tools.system.container.docker_archive import write_archive
from tools.system.container.image_config import Origin, image_config
from tools.system.container.layer_folders import LAYERS, Contents, Recipe, fill_layer_folders
from tools.system.container.layers import write_layer
from tools.system.container.model import open_model
from tools.system.container.origin import find_origin
from tools.system.container.sizes import measure, table
from tools.system.container.workplace import workplace

_report_step = partial(report_step, "build_container")

NAME: Final = "whisper-backend"


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/build_container", description=__doc__)
    parser.add_argument(
        "--arch",
        choices=tuple(ARCHITECTURES),
        default="arm64",
        help="processor that it is for; default: arm64, the Raspberry Pi's",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="DIR",
        help="a converted model to put in and use; default: none, models are mounted at /app/models",
    )
    add_output(parser, CONTAINER, "files of an earlier build are replaced")
    add_mirror(parser)
    parser.add_argument(
        "--folders-only",
        action="store_true",
        help="write the layers' folders, which backend/Dockerfile copies, and no archive",
    )
    parser.add_argument("--json", action="store_true", help="print the description as JSON")
    return parser


def main(argv: Sequence[str]) -> int:
    """Command line."""
    arguments = _parser().parse_args(argv)
    require("mmdebstrap", "mmdebstrap")
    model = open_model(ROOT, arguments.model)
    recipe = Recipe(
        root=ROOT,
        architecture=ARCHITECTURES[arguments.arch],
        model=model,
        is_bundled=arguments.model is None,
        mirror=arguments.mirror,
    )
    origin = find_origin(ROOT, os.environ)
    output: Path = arguments.output
    with workplace(output, model.manifest.bytes) as work:
        contents = fill_layer_folders(recipe, work / "folders", work, _report_step)
        if arguments.folders_only:
            _publish([work / "folders" / name for name in LAYERS], output)
            return 0
        _report_step("the archive")
        (work / "done").mkdir()
        description, sizes = _write_image(recipe, origin, contents, work)
        _publish(sorted((work / "done").iterdir()), output)
    if arguments.json:
        write_result(json.dumps(description, indent=2) + "\n")
    else:
        write_result(
            f"{sizes}  {output / NAME}.tar for {arguments.arch}, {description['image_id']}\n"
        )
    return 0


def _write_image(
    recipe: Recipe, origin: Origin, contents: Contents, work: Path
) -> tuple[dict[str, Any], str]:
    """Write all files into ``work/done``; the description and the table of sizes."""
    done = work / "done"
    folders = work / "folders"
    layers = [write_layer(name, folders / name, work / f"{name}.tar") for name in LAYERS]
    name = recipe.model.manifest.name
    chosen = AUTO if recipe.is_bundled else name
    config = image_config(recipe.architecture, origin, chosen, layers)
    archive = done / f"{NAME}.tar"
    tags = [f"{NAME}:{origin.version}", f"{NAME}:latest"]
    image_id = write_archive(config, layers, tags, archive)
    bill = bill_of_materials(
        image_id=image_id,
        origin=origin,
        debian=contents.debian,
        copyrights=folders / LAYERS[0] / "usr/share/doc",
        wheels=contents.wheels,
        rtap=contents.rtap,
        model=recipe.model,
    )
    sizes = measure(layers)
    checksum = file_sha256(archive)
    description = {
        "image_id": image_id,
        "tags": tags,
        "architecture": recipe.architecture.name,
        "archive": archive.name,
        "archive_sha256": checksum,
        "archive_bytes": archive.stat().st_size,
        "compressed_bytes": sum(size.compressed for size in sizes),
        "layers": [
            {
                "name": layer.name,
                "diff_id": f"sha256:{layer.digest}",
                "bytes": size.bytes,
                "compressed_bytes": size.compressed,
            }
            for layer, size in zip(layers, sizes, strict=True)
        ],
        "created": origin.created,
        "revision": origin.revision,
        "versions": {"rtap": origin.version}
        | {wheel.name: wheel.version for wheel in contents.wheels}
        | {f"debian:{package.name}": package.version for package in contents.debian},
        "model": {
            "name": name,
            "precision": recipe.model.manifest.precision,
            "bytes": recipe.model.manifest.bytes,
        },
    }
    (done / f"{NAME}.tar.sha256").write_text(f"{checksum}  {archive.name}\n")
    (done / f"{NAME}.json").write_text(json.dumps(description, indent=2) + "\n")
    (done / f"{NAME}.spdx.json").write_text(json.dumps(bill, indent=2) + "\n")
    return description, table(sizes)


def _publish(made: Sequence[Path], output: Path) -> None:
    """Move what was made to where it belongs, in place of what an earlier build left there."""
    for path in made:
        target = output / path.name
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)


if __name__ == "__main__":
    run(main)
