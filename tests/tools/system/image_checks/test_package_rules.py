"""tools.system.image_checks.package_rules: what is wrong with packages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.system.image_checks.deb_package import DebPackage, Member
from tools.system.image_checks.package_rules import ENABLED, REQUIRED, complaints, doubly_owned


def file(path: str, **changes: object) -> Member:
    program = "/bin/" in path or "/libexec/" in path
    member = Member(path, "root:root", 0o755 if program else 0o644, 100, is_folder=False)
    return replace(member, **changes)  # type: ignore[arg-type]


def packages() -> list[DebPackage]:
    """All that is required, and nothing wrong."""
    return [
        DebPackage(
            name,
            (Member("/", "root:root", 0o777, 0, is_folder=True), *map(file, paths)),
            frozenset(unit for unit in ENABLED if any(path.endswith("/" + unit) for path in paths)),
        )
        for name, paths in REQUIRED.items()
    ]


def with_more(*members: Member) -> list[DebPackage]:
    first, *others = packages()
    return [replace(first, members=(*first.members, *members)), *others]


def test_what_is_complete_has_no_complaints() -> None:
    assert complaints(packages()) == []


def test_a_merged_usr_is_as_good() -> None:
    merged = [
        replace(
            package,
            members=tuple(
                replace(one, path="/usr" + one.path) if one.path.startswith("/lib") else one
                for one in package.members
            ),
        )
        for package in packages()
    ]
    assert complaints(merged) == []


@pytest.mark.parametrize(
    ("member", "complaint"),
    [
        (file("/etc/x", owner="1000:1000"), "/etc/x belongs to 1000:1000"),
        (file("/etc/x", mode=0o646), "/etc/x can be written by everybody"),
        (file("/usr/bin/x", mode=0o4755), "/usr/bin/x is setuid or setgid"),
        (file("/usr/bin/x", mode=0o644), "/usr/bin/x has mode 0644"),
        (file("/etc/x", mode=0o755), "/etc/x has mode 0755"),
        (file("/home/x"), "/home/x lies outside the places for packages"),
        (file("/usr/share/x", size=10**9), "has 1000.0 MB"),
    ],
)
def test_a_faulty_file_is_told(member: Member, complaint: str) -> None:
    found = complaints(with_more(member))
    assert len(found) == 1
    assert complaint in found[0]


def test_each_required_file_is_missed() -> None:
    for index, package in enumerate(packages()):
        for path in REQUIRED[package.name]:
            left = tuple(member for member in package.members if member.path != path)
            others = packages()
            others[index] = replace(package, members=left, enabled=frozenset())
            assert f"{package.name} lacks {path}" in complaints(others)


def test_a_missing_package_is_told() -> None:
    assert "there is no package whisper-backend" in complaints(
        [package for package in packages() if package.name != "whisper-backend"]
    )


def test_units_have_to_be_there_and_switched_on() -> None:
    off = [replace(package, enabled=frozenset()) for package in packages()]
    assert complaints(off) == [f"{unit} is not enabled" for unit in sorted(ENABLED)]
    first, *others = packages()
    odd = replace(first, enabled=first.enabled | {"x.service"})
    assert complaints([odd, *others]) == [f"{first.name} enables x.service, which it does not have"]


def test_a_file_in_two_packages_is_told_and_a_folder_is_not() -> None:
    folder = Member("/etc", "root:root", 0o755, 0, is_folder=True)
    ours = DebPackage("ours", (folder, file("/etc/asound.conf"), file("/etc/x")), frozenset())
    others = DebPackage("others", (folder, file("/etc/asound.conf")), frozenset())
    assert doubly_owned([ours, others]) == ["/etc/asound.conf is in ours and in others"]
    assert doubly_owned([ours]) == []
