"""The files in kas/: what can be said of them without kas."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.root import ROOT
from tools.system.image_checks.boot_settings import DISPLAYS

KAS = ROOT / "kas"
FILES = sorted(KAS.rglob("*.yml"))


def document(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    return content


@pytest.mark.parametrize("name", ["base", "kirkstone"])
def test_every_repository_is_pinned_to_a_commit(name: str) -> None:
    repositories = document(KAS / "base.yml")["repos"]
    locked = document(KAS / f"{name}.lock.yml")["overrides"]["repos"]
    wanted = {key for key, value in repositories.items() if "url" in value}
    assert locked.keys() == wanted
    assert all(re.fullmatch("[0-9a-f]{40}", value["commit"]) for value in locked.values())


def test_the_second_release_has_a_branch_for_every_repository() -> None:
    base, other = (document(KAS / f"{name}.yml")["repos"] for name in ("base", "kirkstone"))
    assert other.keys() == {key for key, value in base.items() if "url" in value}
    assert all(other[key]["branch"] != base[key]["branch"] for key in other)


def test_no_commercial_branch_of_qt() -> None:
    for name in ("base", "kirkstone"):
        assert not document(KAS / f"{name}.yml")["repos"]["meta-qt6"]["branch"].startswith("lts")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(KAS)))
def test_every_file_says_what_it_is_for_and_names_no_mirror(file: Path) -> None:
    text = file.read_text()
    assert text.startswith("#") or file.stem.endswith(".lock")
    assert "file://" not in text.replace("file://.*", "")


def test_a_machine_file_is_short() -> None:
    for name in ("raspberrypi4-64", "qemuarm64"):
        lines = (KAS / f"{name}.yml").read_text().splitlines()
        assert len([line for line in lines if line and not line.startswith("#")]) <= 8


def test_options_for_displays_set_what_the_layer_reads_and_the_checks_build() -> None:
    settings: dict[str, dict[str, str]] = {}
    for file in KAS.glob("opt/display-*.yml"):
        (text,) = document(file)["local_conf_header"].values()
        settings |= {file.stem: dict(re.findall(r'^(\w+) = "(.*)"$', text, re.MULTILINE))}
    assert sorted(settings) == ["display-4k", "display-touch-2", "display-touch-7inch"]
    layer = "".join(
        file.read_text()
        for file in ROOT.glob("meta-userapp/**/*")
        if file.suffix in (".bb", ".inc")
    )
    for option, variables in settings.items():
        assert variables, option
        assert all(f"{name} ?=" in layer for name in variables), option
        assert variables.get("VOICE_ASSISTANT_DISPLAY", "touch-7inch") in DISPLAYS
