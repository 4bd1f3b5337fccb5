"""tools/release on the command line: a folder made and checked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.conftest import Done, Start
from tests.tools.system.disk_image.sample_image import Sample, make_sample
from tests.tools.system.flashing.conftest import sample
from tests.tools.system.releasing.cve_report import issue, package, write_report
from tests.tools.system.releasing.sample_parts import (
    PREFIX,
    description,
    fill_container,
    fill_deploy,
)
from tests.tools.system.releasing.test_checkout import git
from tests.tools.system.signing.keys import make_minisign_key
from tools.commands import flash, release

__all__ = ["sample"]

# Where tools/image lets bitbake build.
DEPLOY = Path("build/yocto/scarthgap/build-raspberrypi4-64/tmp/deploy/images/raspberrypi4-64")
NAME = "voice-assistant-1.0.0-raspberrypi4-64"
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.0.0] - 2026-11-21\n\n- Talks.\n\n## [0.9.0]\n\n- Not.\n"
Make = Callable[..., Done]


@pytest.fixture
def root(tmp_path: Path, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with everything built."""
    path = tmp_path / "checkout"
    (path / "kas").mkdir(parents=True)
    (path / "CHANGELOG.md").write_text(CHANGELOG)
    (path / "kas/base.lock.yml").write_text("header: {version: 16}\n")
    (path / ".gitignore").write_text("/build/\n")
    git(path, "init", "--quiet")
    git(path, "add", ".")
    git(path, "commit", "--quiet", "--message", "all")
    fill_deploy(
        path / DEPLOY,
        sample,
    )
    fill_container(path / "build/container")
    monkeypatch.setattr(release, "ROOT", path)
    return path


@pytest.fixture
def make(start: Start, root: Path) -> Make:
    def run(*arguments: str | Path, signature: tuple[str | Path, ...] = ("--unsigned",)) -> Done:
        places = ("--container", root / "build/container", "--output", root / "build/release")
        return start(release.main, "--version", "1.0.0", *places, *signature, *map(str, arguments))

    return run


@pytest.fixture
def made(root: Path) -> Path:
    """Where a release stands once it is made."""
    return root / "build/release" / NAME


def test_everything_is_in_it(make: Make, made: Path, root: Path, sample: Sample) -> None:
    done = make("--json")
    assert (done.status, done.complaints) == (0, [])
    assert sorted(path.name for path in made.iterdir()) == [
        "RELEASE_NOTES.md",
        "SHA256SUMS",
        "kas-base.lock.yml",
        "manifest.json",
        f"{NAME}.spdx.tar.zst",
        f"{NAME}.wic.bmap",
        f"{NAME}.wic.bz2",
        "whisper-backend.json",
        "whisper-backend.spdx.json",
    ]
    content = json.loads(done.out)
    assert content["commit"] == git(root, "rev-parse", "HEAD")
    assert (content["machine"], content["yocto"]) == ("raspberrypi4-64", "scarthgap")
    assert content["build_id"] == "7"
    assert content["container"]["image_id"] == description()["image_id"]
    assert (made / f"{NAME}.wic.bz2").read_bytes() == sample.compressed.read_bytes()
    notes = (made / "RELEASE_NOTES.md").read_text()
    assert notes.startswith("# Voice assistant 1.0.0\n\n- Talks.\n\n## Known weaknesses\n\n")
    assert "was not checked for known weaknesses (CVE): `make image IMAGE_ARGS='--option" in notes


def test_what_cve_check_found(make: Make, made: Path, root: Path, start: Start) -> None:
    found = package("openssl", "3.2.6", issue("CVE-2026-0002", scorev3="9.8"))
    write_report(root / DEPLOY / f"{PREFIX}.json", found)
    done = make()
    assert (done.status, done.complaints) == (0, [])
    assert "recipes (1) have open weaknesses (CVE): 1 critical." in done.out
    assert (
        "| CVE-2026-0002 | 9.8 critical | openssl 3.2.6 |"
        in (made / "RELEASE_NOTES.md").read_text()
    )
    assert json.loads((made / f"{NAME}.cve.json").read_text())["package"] == [found]
    assert start(release.main, "--check", made, "--no-verify").status == 0


def test_a_release_says_that_nothing_was_checked(make: Make, made: Path, root: Path) -> None:
    """Without the option, and with it where the build had no database."""
    assert "--option cve-check" in make().out
    write_report(root / DEPLOY / f"{PREFIX}.json")
    assert "--option cve-check" in make("--force").out
    assert not (made / f"{NAME}.cve.json").exists()


def test_same_inputs_same_bytes(make: Make, made: Path) -> None:
    make()
    first = {path.name: path.read_bytes() for path in made.iterdir()}
    assert make("--force").status == 0
    assert {path.name: path.read_bytes() for path in made.iterdir()} == first


def test_signed_release_checks_and_flashes(
    make: Make, made: Path, start: Start, tmp_path: Path, sample: Sample
) -> None:
    """From the maker to the card with no option that weakens a check."""
    secret, public = make_minisign_key(tmp_path, "maker")
    assert make(signature=("--key", secret)).status == 0
    checked = start(release.main, "--check", made, "--key", public)
    assert checked.status == 0
    assert "is complete and right (minisign, SHA-256, manifest, block map)" in checked.out
    card = tmp_path / "card"
    image = made / f"{NAME}.wic.bz2"
    done = start(flash.main, image, card, "--file", "--yes", "--key", public)
    assert (done.status, done.complaints) == (0, [])
    assert card.read_bytes() == sample.content


def test_what_sha256sum_says(make: Make, made: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("no sha256sum here")
    make()
    command = ["sha256sum", "--strict", "--check", "SHA256SUMS"]
    subprocess.run(command, cwd=made, capture_output=True, check=True)


def test_check_finds_a_change(make: Make, made: Path, start: Start) -> None:
    make()
    assert start(release.main, "--check", made, "--no-verify").status == 0
    (made / "RELEASE_NOTES.md").write_text("Buy more.")
    done = start(release.main, "--check", made, "--no-verify")
    assert done.status == 2
    assert "RELEASE_NOTES.md is not the file" in done.err


def test_check_wants_a_signature(make: Make, made: Path, start: Start) -> None:
    make()
    done = start(release.main, "--check", made)
    assert done.status == 2
    assert "has no signature" in done.err


def test_existing_release(make: Make, made: Path) -> None:
    make()
    before = (made / "SHA256SUMS").stat().st_ino
    done = make()
    assert done.status == 2
    assert "add --force" in done.err
    assert (made / "SHA256SUMS").stat().st_ino == before


def test_dirty_tree(make: Make, made: Path, root: Path) -> None:
    (root / "new").touch()
    done = make()
    assert done.status == 2
    assert "--allow-dirty" in done.err
    assert not made.exists()
    assert make("--allow-dirty").status == 0
    assert json.loads((made / "manifest.json").read_text())["commit"].endswith("-dirty")


def test_version_without_notes(make: Make, root: Path) -> None:
    done = make("--version", "2.0.0")
    assert done.status == 2
    assert "no section '## [2.0.0] - YYYY-MM-DD'" in done.err


def test_all_that_is_missing_in_one_line(make: Make, made: Path, root: Path) -> None:
    deploy = root / DEPLOY
    (deploy / f"{PREFIX}.wic.bmap").unlink()
    (deploy / f"{PREFIX}.spdx.tar.zst").unlink()
    shutil.rmtree(root / "build/container")
    done = make()
    assert done.status == 2
    (line,) = done.complaints
    for part in ("block map", "SPDX", "whisper-backend.json", "whisper-backend.spdx.json"):
        assert part in line
    assert "`make image`" in line
    assert "`make container`" in line
    assert not made.parent.exists()


def test_no_locks(make: Make, root: Path) -> None:
    (root / "kas/base.lock.yml").unlink()
    done = make("--allow-dirty")
    assert done.status == 2
    assert "*.lock.yml" in done.err


def test_map_of_another_build(make: Make, made: Path, root: Path, tmp_path: Path) -> None:
    other = make_sample(tmp_path, "other", seed=1)
    shutil.copy(
        other.bmap,
        root / DEPLOY / f"{PREFIX}.wic.bmap",
    )
    done = make()
    assert done.status == 2
    assert "belongs to another .bmap" in done.err
    assert not made.parent.exists()


def test_no_key(make: Make, made: Path, tmp_path: Path) -> None:
    done = make(signature=("--key", tmp_path / "none.key"))
    assert done.status == 2
    assert "--unsigned" in done.err
    assert not made.exists()


def test_failed_signature_leaves_nothing(make: Make, made: Path, tmp_path: Path) -> None:
    make_minisign_key(tmp_path, "unused")  # skips without minisign
    (tmp_path / "bad.key").write_text("bad")
    done = make(signature=("--key", tmp_path / "bad.key"))
    assert done.status == 2
    assert "minisign did not sign" in done.err
    assert list(made.parent.iterdir()) == []


def test_image_elsewhere_as_files(make: Make, made: Path, root: Path, tmp_path: Path) -> None:
    deploy = root / DEPLOY
    files = [deploy / f"{PREFIX}{end}" for end in (".wic.bz2", ".wic.bmap", ".spdx.tar.zst")]
    done = make("--image", *files)
    assert done.status == 0
    content = json.loads((made / "manifest.json").read_text())
    assert (content["build_id"], content["yocto"]) == (None, None)


def test_files_are_readable_by_all(make: Make, made: Path) -> None:
    before = os.umask(0o022)
    try:
        make()
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in made.iterdir()} == {0o644}
    assert made.stat().st_mode & 0o777 == 0o755
