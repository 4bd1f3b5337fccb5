"""The list of everything in an image, as SPDX 2.3 has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from rtap.whisper.model_directory import MANIFEST_NAME, ModelDirectory, file_sha256
from tools.system.container.debian import SUITE, DebianPackage
from tools.system.container.image_config import Origin
from tools.system.container.wheels import Wheel

_UNKNOWN: Final = "NOASSERTION"
_LICENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "3-clause bsd license": "BSD-3-Clause",
        "apache": "Apache-2.0",
        "apache 2.0": "Apache-2.0",
        "apache license 2.0": "Apache-2.0",
        "apache software license": "Apache-2.0",
        "apache-2.0": "Apache-2.0",
        "bsd 3-clause license": "BSD-3-Clause",
        "bsd-2-clause": "BSD-2-Clause",
        "bsd-3-clause": "BSD-3-Clause",
        "expat": "MIT",
        "gpl-2": "GPL-2.0-only",
        "gpl-2+": "GPL-2.0-or-later",
        "gpl-3": "GPL-3.0-only",
        "gpl-3+": "GPL-3.0-or-later",
        "isc": "ISC",
        "lgpl-2": "LGPL-2.0-only",
        "lgpl-2+": "LGPL-2.0-or-later",
        "lgpl-2.1": "LGPL-2.1-only",
        "lgpl-2.1+": "LGPL-2.1-or-later",
        "mit": "MIT",
        "mit license": "MIT",
        "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
        "mpl-2.0": "MPL-2.0",
        "mpl-2.0 and mit": "MPL-2.0 AND MIT",
        "python software foundation license": "PSF-2.0",
        "zlib": "Zlib",
    }
)
"""Names that packages use, in small letters, and SPDX's; what is not here is not guessed."""


def bill_of_materials(
    *,
    image_id: str,
    origin: Origin,
    debian: Iterable[DebianPackage],
    copyrights: Path,
    wheels: Iterable[Wheel],
    rtap: Wheel,
    model: ModelDirectory,
) -> dict[str, Any]:
    """The SPDX document.

    Args:
        copyrights: the image's /usr/share/doc, where Debian's packages say their licences.
    """
    image = _package("image", "whisper-backend", origin.version, "MIT") | {
        "primaryPackagePurpose": "CONTAINER",
        "checksums": _checksum(image_id.removeprefix("sha256:")),
    }
    parts = [
        *(_debian(package, copyrights) for package in debian),
        *(_wheel(wheel) for wheel in wheels),
        _wheel(rtap),
        _model(model),
    ]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", image["SPDXID"])]
    relations += [(image["SPDXID"], "CONTAINS", part["SPDXID"]) for part in parts]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "whisper-backend",
        "documentNamespace": f"https://spdx.org/spdxdocs/whisper-backend-{image_id.removeprefix('sha256:')}",
        "creationInfo": {
            "created": origin.created,
            "creators": [f"Tool: rtap-build_container-{origin.version}"],
        },
        "packages": [image, *parts],
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
            for one, kind, other in relations
        ],
    }


def _debian(package: DebianPackage, copyrights: Path) -> dict[str, Any]:
    names = _copyright_licences(copyrights / package.name / "copyright")
    locator = (
        f"pkg:deb/debian/{quote(package.name)}@{quote(package.version)}"
        f"?arch={package.architecture}&distro={SUITE}"
    )
    entry = _package(f"deb-{package.name}", package.name, package.version, "")
    entry |= {
        "supplier": "Organization: Debian",
        "checksums": _checksum(package.sha256),
        "externalRefs": [_locator(locator)],
        "sourceInfo": f"built from the Debian source package {package.source}",
    }
    if names:
        # A package's files are under different licences, and some names are Debian's own.
        entry["licenseComments"] = f"debian/copyright names: {', '.join(names)}"
        if len(names) == 1:
            entry["licenseDeclared"] = _licence(names[0])
    return entry


def _wheel(wheel: Wheel) -> dict[str, Any]:
    name = re.sub(r"[-_.]+", "-", wheel.name).lower()
    licence = wheel.licence if wheel.is_expression else _licence(wheel.licence)
    entry = _package(f"python-{name}", wheel.name, wheel.version, licence) | {
        "packageFileName": wheel.file,
        "checksums": _checksum(wheel.sha256),
    }
    if name != "rtap":
        entry["externalRefs"] = [_locator(f"pkg:pypi/{name}@{quote(wheel.version)}")]
    return entry


def _model(model: ModelDirectory) -> dict[str, Any]:
    manifest = model.manifest
    return _package(f"model-{manifest.name}", manifest.name, "", "") | {
        "checksums": _checksum(file_sha256(model.path / MANIFEST_NAME)),
        "comment": f"Model made from {manifest.source}, {manifest.precision}, {manifest.parameters} "
        f"parameters, by {manifest.created_by}. The checksum is that of {MANIFEST_NAME}, which has those of "
        "all files.",
    }


def _package(identifier: str, name: str, version: str, licence: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", identifier),
        "name": name,
        "downloadLocation": _UNKNOWN,
        "filesAnalyzed": False,
        "licenseConcluded": _UNKNOWN,
        "licenseDeclared": licence or _UNKNOWN,
        "copyrightText": _UNKNOWN,
    }
    return entry | ({"versionInfo": version} if version else {})


def _licence(name: str) -> str:
    """SPDX's name of a licence, or that nothing is known."""
    return _LICENCES.get(name.lower(), _UNKNOWN)


def _copyright_licences(file: Path) -> list[str]:
    """The licences that a machine-readable debian/copyright names, in its order."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    if not text.startswith("Format:"):
        return []  # written for people alone
    names = re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE)
    return list(dict.fromkeys(name.strip() for name in names))


def _checksum(sha256: str) -> list[dict[str, str]]:
    return [{"algorithm": "SHA256", "checksumValue": sha256}]


def _locator(url: str) -> dict[str, str]:
    return {
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": url,
    }
