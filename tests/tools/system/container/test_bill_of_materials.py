"""The bill of materials: SPDX 2.3, everything in it, nothing guessed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tools.root import ROOT
from tools.system.container.bill_of_materials import bill_of_materials
from tools.system.container.debian import DebianPackage
from tools.system.container.image_config import Origin
from tools.system.container.model import open_model
from tools.system.container.wheels import Wheel

RTAP = Wheel("rtap", "1.2.3", "rtap-1.2.3.whl", "c" * 64, "MIT", is_expression=True)


class Maker:
    def __init__(self, origin: Origin, package: DebianPackage, copyrights: Path) -> None:
        self.origin, self.package, self.copyrights = origin, package, copyrights

    def write_copyright(self, text: str) -> None:
        folder = self.copyrights / self.package.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "copyright").write_text(text)

    def make(self, *wheels: Wheel) -> dict[str, Any]:
        return bill_of_materials(
            image_id="sha256:" + "e" * 64,
            origin=self.origin,
            debian=[self.package],
            copyrights=self.copyrights,
            wheels=wheels,
            rtap=RTAP,
            model=open_model(ROOT, None),
        )

    def part(self, identifier: str, *wheels: Wheel) -> dict[str, Any]:
        parts = {part["SPDXID"]: part for part in self.make(*wheels)["packages"]}
        part: dict[str, Any] = parts[f"SPDXRef-{identifier}"]
        return part


@pytest.fixture
def bill(origin: Origin, package: DebianPackage, tmp_path: Path) -> Maker:
    return Maker(origin, package, tmp_path / "doc")


def test_shape(bill: Maker, wheel: Wheel) -> None:
    document = bill.make(wheel)
    assert document["spdxVersion"] == "SPDX-2.3"
    assert document["dataLicense"] == "CC0-1.0"
    assert document["SPDXID"] == "SPDXRef-DOCUMENT"
    assert re.fullmatch(r"https://\S+-e{64}", document["documentNamespace"])
    assert document["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
    needed = {"SPDXID", "name", "downloadLocation", "licenseDeclared", "checksums"}
    for part in document["packages"]:
        assert needed <= part.keys()
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", part["SPDXID"])
        assert part["filesAnalyzed"] is False
        for checksum in part["checksums"]:
            assert re.fullmatch(r"[0-9a-f]{64}", checksum["checksumValue"])


def test_relations_lead_from_the_document_to_every_part(bill: Maker, wheel: Wheel) -> None:
    document = bill.make(wheel)
    relations = {
        (one["spdxElementId"], one["relationshipType"], one["relatedSpdxElement"])
        for one in document["relationships"]
    }
    image, *parts = [part["SPDXID"] for part in document["packages"]]
    assert relations == {("SPDXRef-DOCUMENT", "DESCRIBES", image)} | {
        (image, "CONTAINS", part) for part in parts
    }
    assert len(parts) == len({image, *parts}) - 1 == 4


def test_debian_package(bill: Maker) -> None:
    part = bill.part("deb-libthing1")
    (reference,) = part["externalRefs"]
    assert reference["referenceLocator"] == (
        "pkg:deb/debian/libthing1@1%3A2.0-3?arch=arm64&distro=bookworm"
    )
    assert part["licenseDeclared"] == "NOASSERTION"
    assert "licenseComments" not in part


@pytest.mark.parametrize(
    ("text", "licence", "names"),
    [
        ("Format: x\nLicense: Expat\n", "MIT", "Expat"),
        ("Format: x\nLicense: Expat\n\nLicense: Expat\n Text.\n", "MIT", "Expat"),
        ("Format: x\nLicense: Expat\n\nLicense: GPL-2+\n", "NOASSERTION", "Expat, GPL-2+"),
        ("Format: x\nLicense: homemade\n", "NOASSERTION", "homemade"),
        ("It was written by somebody.\nLicense: yes\n", "NOASSERTION", None),
    ],
)
def test_debian_licence(bill: Maker, text: str, licence: str, names: str | None) -> None:
    bill.write_copyright(text)
    part = bill.part("deb-libthing1")
    assert part["licenseDeclared"] == licence
    comment = f"debian/copyright names: {names}" if names else None
    assert part.get("licenseComments") == comment


@pytest.mark.parametrize(
    ("said", "is_expression", "licence"),
    [
        ("MIT License", False, "MIT"),
        ("BSD License", False, "NOASSERTION"),
        ("", False, "NOASSERTION"),
        ("MPL-2.0 AND MIT", True, "MPL-2.0 AND MIT"),
    ],
)
def test_wheel(bill: Maker, wheel: Wheel, said: str, *, is_expression: bool, licence: str) -> None:
    part = bill.part("python-some-thing", replace(wheel, licence=said, is_expression=is_expression))
    assert part["licenseDeclared"] == licence
    assert part["externalRefs"][0]["referenceLocator"] == "pkg:pypi/some-thing@4.5"
    assert part["packageFileName"] == "some_thing-4.5.whl"


def test_rtap_and_its_model(bill: Maker) -> None:
    assert "externalRefs" not in bill.part("python-rtap")
    assert "int8" in bill.part("model-cabin-en")["comment"]
