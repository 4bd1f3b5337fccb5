"""What a build leaves of an image: in `tmp*/deploy/images/MACHINE`, under the names of either Yocto release.

scarthgap calls the image core-image-base-MACHINE.rootfs.wic.bz2, kirkstone core-image-base-MACHINE.wic.bz2;
both are links to a file with the time of the build in its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rtap.errors import ConfigurationError

_IMAGE: Final = re.compile(
    r"(?P<prefix>core-image-base-(?P<machine>.+?)(?:\.rootfs)?(?:-(?P<time>\d{14}))?(?:\.rootfs)?)\.wic\.bz2"
)
_FOR_DEVELOPERS: Final = {
    "debug-tweaks": ("lets anybody log in as root", "debug.yml"),
    "ssh-server-openssh": ("opens the car to the network", "debug.yml and dev-keys.yml"),
}
_TIME: Final = re.compile(r"-(\d{14})(?=\.)")
_SPDX: Final = (".spdx.tar.zst", ".spdx.json")


@dataclass(frozen=True, slots=True)
class ImageParts:
    """The files of one image; None where one is missing."""

    machine: str
    image: Path
    bmap: Path | None
    spdx: Path | None
    variables: dict[str, Any]
    """What bitbake knew; empty where it was not kept."""
    weaknesses: Path | None = None
    """cve-check's report on this very image."""

    @property
    def version(self) -> str | None:
        """The product's version inside the image."""
        return self.variables.get("VOICE_ASSISTANT_VERSION")

    @property
    def build_id(self) -> str | None:
        """What the device's /etc/os-release shows as BUILD_ID."""
        if stated := self.variables.get("VOICE_ASSISTANT_BUILD_ID"):
            return str(stated)
        match = _IMAGE.fullmatch(self.image.resolve().name)
        return match["time"] if match else None

    def faults(self, version: str) -> list[str]:
        """What is missing or must not be in a release, and how to get it right."""
        found = []
        if self.bmap is None:
            found.append(
                f"the block map (.wic.bmap) beside {self.image.name}: "
                "IMAGE_FSTYPES needs wic.bmap, then `make image`"
            )
        if self.spdx is None:
            found.append(
                f"the image's SPDX documents (.spdx.tar.zst) beside {self.image.name}: "
                'INHERIT += "create-spdx", then `make image`'
            )
        if self.version not in {None, version}:
            found.append(
                f"an image of version {version}, as this one is of {self.version}: `make image`"
            )
        names = ("IMAGE_FEATURES", "EXTRA_IMAGE_FEATURES")
        features = {word for name in names for word in self.variables.get(name, "").split()}
        found += [
            f"an image without {feature}, which {why}: build without kas/opt/{option}"
            for feature, (why, option) in _FOR_DEVELOPERS.items()
            if feature in features
        ]
        return found


def find_image(places: Sequence[Path]) -> ImageParts:
    """Find an image and what belongs to it.

    Args:
        places: folders, or the files themselves.

    Raises:
        ConfigurationError: there is none, or more than one.
    """
    missing = [place for place in places if not place.exists()]
    if missing:
        raise ConfigurationError(
            f"{missing[0]} does not exist: build the image first, `make image`"
        )
    files = {
        file.name: file
        for place in places
        for file in (sorted(place.iterdir()) if place.is_dir() else [place])
    }
    found = _newest_of_each_machine(files)
    if not found:
        raise ConfigurationError(
            f"no core-image-base-MACHINE.wic.bz2 in {', '.join(map(str, places)) or 'build/'}: build it with "
            "`make image`, or say where it is with --image"
        )
    if len(found) > 1:
        raise ConfigurationError(
            f"images of {', '.join(sorted(found))} are there: name one's folder with --image"
        )
    (match,) = found.values()
    return _with_companions(match, files)


def _newest_of_each_machine(files: dict[str, Path]) -> dict[str, re.Match[str]]:
    matches = [match for name in sorted(files) if (match := _IMAGE.fullmatch(name))]
    # The link, which has no time in its name, is the last build's.
    matches.sort(key=lambda match: match["time"] or "9")
    return {match["machine"]: match for match in matches}


def _with_companions(match: re.Match[str], files: dict[str, Path]) -> ImageParts:
    def companion(*endings: str) -> Path | None:
        prefixes = (match["prefix"], match["prefix"].removesuffix(".rootfs"))
        names = (prefix + ending for prefix in prefixes for ending in endings)
        return next((files[name] for name in names if name in files), None)

    variables = companion(".testdata.json")
    report, packages = companion(".json"), companion(".manifest")
    if report and packages and _built_at(report) != _built_at(packages):
        report = None  # left by an earlier build, which had the check
    return ImageParts(
        machine=match["machine"],
        image=files[match.string],
        bmap=companion(".wic.bmap", ".wic.bz2.bmap"),
        spdx=companion(*_SPDX),
        variables=json.loads(variables.read_text()) if variables else {},
        weaknesses=report,
    )


def _built_at(file: Path) -> str | None:
    """The time of the root file system that a file belongs to."""
    match = _TIME.search(file.resolve().name)
    return match[1] if match else None
