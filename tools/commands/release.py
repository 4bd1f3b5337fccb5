"""Put everything that belongs to a release into one folder, signed; --check verifies such a folder.

It has the image and its block map for tools/flash, SHA256SUMS with a signature, the bills of materials, the
layers' commits, the container's digest, the release notes, manifest.json, and the report on known weaknesses
where the image was built with kas/opt/cve-check.yml. The same inputs give the same bytes.
"""

from __future__ import annotations

import json
import shutil
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rtap.cli.guard import OneLineParser
from rtap.cli.terminal import write_result
from rtap.errors import ConfigurationError
from tools.console.build_options import BUILD, add_container, add_output, add_version
from tools.console.command_line import run
from tools.console.quantities import size
from tools.root import ROOT
from tools.system.releasing import known_weaknesses, manifest
from tools.system.releasing.checkout import find_commit
from tools.system.releasing.container_parts import BILL, DESCRIPTION, ContainerParts
from tools.system.releasing.folder import new_folder
from tools.system.releasing.image_parts import ImageParts, find_image
from tools.system.releasing.notes import cut_notes
from tools.system.releasing.receiving import check_release, verify_pair
from tools.system.signing import checksums
from tools.system.signing.signer import Signer

NOTES: Final = "RELEASE_NOTES.md"
_REPORT: Final = "known weaknesses"
_BUILDS: Final = (
    "build/tmp*/deploy/images/*",
    "build/yocto/*/build-*/tmp*/deploy/images/*",
)
"""Where images are looked for when none is named: kas's own folder, and that of ``tools/image``."""


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="tools/release", description=__doc__)
    parser.add_argument(
        "--image",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="folder tmp*/deploy/images/MACHINE of a build, or its files; default: the one below build/",
    )
    add_container(parser)
    add_version(parser)
    parser.add_argument(
        "--key",
        help="file of the minisign secret key (~/.minisign/minisign.key); with --check: whose signature it "
        "must be, as for tools/flash",
    )
    parser.add_argument("--gpg", metavar="KEYID", help="sign with GPG instead")
    parser.add_argument("--unsigned", action="store_true", help="do not sign; for trying out")
    add_output(parser, BUILD / "release", "the release's folder is made in it")
    parser.add_argument("--force", action="store_true", help="replace the same release")
    parser.add_argument(
        "--allow-dirty", action="store_true", help="even if files differ from the last commit"
    )
    parser.add_argument(
        "--check", type=Path, metavar="DIR", help="verify a release folder, and end"
    )
    parser.add_argument(
        "--no-verify", action="store_true", help="with --check: the signature may be missing"
    )
    parser.add_argument("--json", action="store_true", help="print the manifest as JSON")
    return parser


def main(argv: Sequence[str]) -> int:
    """Command line."""
    arguments = _parser().parse_args(argv)
    if arguments.check is not None:
        content = check_release(
            arguments.check, arguments.key, is_signature_required=not arguments.no_verify
        )
        checked = ", ".join(content["checked"])
        text = f"{arguments.check}: {_title(content)} is complete and right ({checked})\n"
    else:
        folder = _make(arguments, ROOT)
        content = manifest.read_manifest(folder)
        text = "".join(
            f"  {size(file['bytes']):>10}  {file['name']}\n" for file in content["files"]
        )
        text += f"{_weaknesses(folder, content)}\n{folder}: {_title(content)}\n"
    write_result(json.dumps(content, indent=2) + "\n" if arguments.json else text)
    return 0


def _title(content: dict[str, Any]) -> str:
    return f"voice-assistant {content['version']} for {content['machine']}, commit {content['commit'][:12]}"


def _weaknesses(folder: Path, content: dict[str, Any]) -> str:
    names = [file["name"] for file in content["files"] if file["purpose"] == _REPORT]
    report = known_weaknesses.Report.read(folder / names[0]) if names else None
    return report.summary() if report else known_weaknesses.not_checked()


def _make(arguments: Namespace, root: Path) -> Path:
    """Make a release and return its folder."""
    version = arguments.version
    commit = find_commit(root, is_dirty_allowed=arguments.allow_dirty)
    notes = cut_notes((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    places = arguments.image or sorted(path for pattern in _BUILDS for path in root.glob(pattern))
    image = find_image(places)
    container = ContainerParts(arguments.container)
    name = f"voice-assistant-{version}-{image.machine}"
    parts = _parts(name, version, image, container, root / "kas")
    report = known_weaknesses.Report.read(image.weaknesses) if image.weaknesses else None
    if report and image.weaknesses:
        parts[f"{name}.cve.json"] = (image.weaknesses, _REPORT)
    signer = None if arguments.unsigned else Signer.find(arguments.key, arguments.gpg)
    verify_pair(parts[f"{name}.wic.bz2"][0], parts[f"{name}.wic.bmap"][0])
    origin = manifest.Origin(
        version=version,
        machine=image.machine,
        yocto=image.variables.get("DISTRO_CODENAME"),
        build_id=image.build_id,
        commit=commit,
        container=container.digest(),
    )
    target = Path(arguments.output / name)
    with new_folder(target, is_replaced=arguments.force) as folder:
        for part, (source, _) in parts.items():
            shutil.copyfile(source, folder / part)
        text = f"# Voice assistant {version}\n\n{notes}\n"
        text += known_weaknesses.notes(report, f"{name}.cve.json")
        (folder / NOTES).write_text(text, encoding="utf-8")
        purposes = {part: purpose for part, (_, purpose) in parts.items()}
        manifest.write_manifest(folder, origin, purposes | {NOTES: "release notes"})
        checksums.write_sums(folder, [path.name for path in folder.iterdir()])
        if signer is not None:
            signer.sign(folder, name)
    return target


def _parts(
    name: str, version: str, image: ImageParts, container: ContainerParts, kas: Path
) -> dict[str, tuple[Path, str]]:
    """The files that are copied: source and purpose by name in the release.

    Raises:
        ConfigurationError: some are missing or unfit; all that are, in one message.
    """
    faults = image.faults(version) + container.faults(version)
    locks = sorted(kas.glob("*.lock.yml"))
    if not locks:
        faults.append(f"the layers' commits, {kas}/*.lock.yml: check out the whole repository")
    if faults:
        raise ConfigurationError(f"the release lacks {'; '.join(faults)}")
    assert image.bmap is not None
    assert image.spdx is not None
    spdx_ending = image.spdx.name[image.spdx.name.index(".spdx") :]
    return {
        f"{name}.wic.bz2": (image.image, "image"),
        f"{name}.wic.bmap": (image.bmap, "block map"),
        f"{name}{spdx_ending}": (image.spdx, "bill of materials of the image"),
        DESCRIPTION: (container.folder / DESCRIPTION, "description of the container"),
        BILL: (container.folder / BILL, "bill of materials of the container"),
    } | {f"kas-{lock.name}": (lock, "commits of the layers") for lock in locks}


if __name__ == "__main__":
    run(main)
