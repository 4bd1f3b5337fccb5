"""tools.system.reference.system_files: what Debian's maintainer scripts and Yocto would have made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tools.process.programs import BuildError
from tools.system.reference.payload import Payload, User
from tools.system.reference.system_files import (
    Identity,
    enable_units,
    run_on_root,
    write_accounts,
    write_system_files,
)

PASSWD = "root:*:0:0:root:/root:/bin/bash\ndaemon:*:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
GROUP = "root:*:0:\ndaemon:*:1:\naudio:*:29:\nvideo:*:44:\n"
PAYLOAD = Payload(
    ("thing.service",),
    (User("driver", "/data/driver", "/sbin/nologin", ("audio", "render")),),
    ("render",),
)
sysusers = pytest.mark.skipif(
    shutil.which("systemd-sysusers") is None or os.geteuid() != 0,
    reason="needs root and systemd-sysusers",
)


def identity(*, debug: bool = False) -> Identity:
    return Identity("1.2.3", "build-4", debug)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "usr/share/base-passwd").mkdir(parents=True)
    (folder / "usr/share/base-passwd/passwd.master").write_text(PASSWD)
    (folder / "usr/share/base-passwd/group.master").write_text(GROUP)
    (folder / "var/log/apt").mkdir(parents=True)
    (folder / "usr/lib").mkdir()
    (folder / "etc").mkdir()
    (folder / "etc/resolv.conf").write_text("nameserver 192.0.2.1\n")
    return folder


def fields(root: Path) -> dict[str, str]:
    lines = (root / "usr/lib/os-release").read_text().splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def shadow(root: Path) -> dict[str, str]:
    lines = (root / "etc/shadow").read_text().splitlines()
    return {line.split(":")[0]: line.split(":")[1] for line in lines}


def table(root: Path, name: str) -> dict[str, list[str]]:
    lines = (root / "etc" / name).read_text().splitlines()
    return {line.split(":")[0]: line.split(":")[1:] for line in lines}


def test_it_says_that_it_is_not_the_product(root: Path) -> None:
    write_system_files(root, identity())
    found = fields(root)
    assert "not the product" in found["PRETTY_NAME"]
    for name in ("ID", "IMAGE_ID"):
        assert found[name] == "voice-assistant-reference"
    assert (found["IMAGE_VERSION"], found["BUILD_ID"]) == ("1.2.3", "build-4")
    assert found["VARIANT_ID"] == "release"


def test_it_says_that_it_is_for_debugging(root: Path) -> None:
    write_system_files(root, identity(debug=True))
    assert fields(root)["VARIANT_ID"] == "debug"
    assert "no password" in fields(root)["VARIANT"]


def test_root_is_read_only_and_found_by_its_partition(root: Path) -> None:
    write_system_files(root, identity())
    entries = [line.split() for line in (root / "etc/fstab").read_text().splitlines()]
    assert entries[0] == ["/dev/root", "/", "ext4", "ro", "0", "0"]
    assert {entry[1] for entry in entries if entry[2] == "tmpfs"} == {
        "/tmp",
        "/var/cache",
        "/var/volatile",
    }


def test_links_take_the_place_of_files_and_folders(root: Path) -> None:
    write_system_files(root, identity())
    links = {
        "etc/resolv.conf": "/run/systemd/resolve/resolv.conf",
        "etc/mtab": "../proc/self/mounts",
        "usr/bin/sh": "dash",
        "var/log": "volatile/log",
        "var/run": "../run",
    }
    assert {name: str((root / name).readlink()) for name in links} == links


def test_modes_of_folders(root: Path) -> None:
    write_system_files(root, identity())
    assert (root / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert (root / "root").stat().st_mode & 0o7777 == 0o700
    assert (root / "etc/machine-id").read_text() == ""


@sysusers
@pytest.mark.parametrize("debug", [True, False])
def test_nobody_has_a_password_and_only_root_may_need_none(root: Path, debug: bool) -> None:  # noqa: FBT001
    write_accounts(root, PAYLOAD, debug=debug)
    found = shadow(root)
    assert found.pop("root") == ("" if debug else "*")
    assert found.pop("daemon") == "*"
    assert found.pop("driver").startswith("!")
    assert found == {}
    assert (root / "etc/shadow").stat().st_mode & 0o007 == 0
    assert {entry[0] for entry in table(root, "passwd").values()} == {"x"}


@sysusers
def test_accounts_of_the_recipes(root: Path) -> None:
    write_accounts(root, PAYLOAD, debug=False)
    account = table(root, "passwd")["driver"]
    assert account[4:] == ["/data/driver", "/sbin/nologin"]
    assert 0 < int(account[1]) < 1000
    groups = table(root, "group")
    assert {name for name, entry in groups.items() if "driver" in entry[-1].split(",")} == {
        "audio",
        "render",
    }
    assert "docker" in groups
    assert "driver" in groups


@sysusers
def test_a_user_without_further_groups(root: Path) -> None:
    write_accounts(root, Payload((), (User("alone", "/", "/bin/sh", ()),), ()), debug=False)
    assert "alone" in table(root, "passwd")


@pytest.mark.skipif(shutil.which("systemctl") is None, reason="systemctl is not installed")
def test_units_are_enabled(root: Path) -> None:
    write_system_files(root, identity())
    units = root / "usr/lib/systemd/system"
    for name in ("docker.service", "docker.socket", "getty@.service", "systemd-networkd.service"):
        (units / name).write_text("[Install]\nWantedBy=multi-user.target\n")
    (units / "thing.service").write_text("[Install]\nWantedBy=multi-user.target\n")
    (units / "other.service").write_text("[Install]\nWantedBy=multi-user.target\n")
    enable_units(root, PAYLOAD)
    enabled = root / "etc/systemd/system"
    names = {path.name for path in (enabled / "multi-user.target.wants").iterdir()}
    assert {"thing.service", "docker.service"} <= names
    assert "other.service" not in names
    assert (enabled / "local-fs.target.wants/var-volatile-lib.service").is_symlink()


@pytest.mark.skipif(shutil.which("systemctl") is None, reason="systemctl is not installed")
def test_a_unit_that_is_missing_is_told_in_one_line(root: Path) -> None:
    with pytest.raises(BuildError, match=r"^systemctl failed with status 1: .*nothing\.service"):
        run_on_root("systemctl", root, "enable", "nothing.service")
