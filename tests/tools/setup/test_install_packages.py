"""tools/setup/install_packages.sh: what is missing is installed where it may be, and named where not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.root import ROOT

SCRIPT = ROOT / "tools/setup/install_packages.sh"
DPKG_QUERY = """#!/bin/sh
for name; do :; done
grep -qx "$name" "$(dirname "$0")/../installed" && printf installed
"""
APT_GET = """#!/bin/sh
shift 2  # -o and the option
[ "$1" = install ] || exit 0
shift 3
echo "$*" >>"$(dirname "$0")/../calls"
for name; do echo "$name" >>"$(dirname "$0")/../installed"; done
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine on which the package curl is installed, with a sudo that asks for a password."""
    (tmp_path / "bin").mkdir()
    for name in ("bash", "env", "mktemp", "rm", "tail", "grep", "dirname", "true", "sleep"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    add_program(tmp_path, "dpkg-query", DPKG_QUERY)
    add_program(tmp_path, "sudo", "#!/bin/sh\nexit 1\n")
    (tmp_path / "installed").write_text("curl\n")
    (tmp_path / "calls").touch()
    return tmp_path


def add_program(machine: Path, name: str, text: str) -> None:
    program = machine / "bin" / name
    # Not through a link to the real one.
    program.unlink(missing_ok=True)
    program.write_text(text)
    program.chmod(0o755)


def install(machine: Path, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *names],
        env={"PATH": str(machine / "bin"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


LOCKED = """#!/bin/sh
here=$(dirname "$0")/..
if [ -s "$here/held" ]; then
    read -r turns <"$here/held"
    if [ "$turns" -gt 1 ]; then echo $((turns - 1)) >"$here/held"; else : >"$here/held"; fi
    echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt)" >&2
    exit 100
fi
echo "$*" >>"$here/options"
"""


def allow(machine: Path) -> None:
    add_program(machine, "apt-get", APT_GET)
    add_program(machine, "sudo", '#!/bin/sh\nshift\nexec "$@"\n')


def test_nothing_to_do(machine: Path) -> None:
    done = install(machine, "curl")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_only_what_is_missing_is_installed(machine: Path) -> None:
    allow(machine)
    assert install(machine, "curl", "cmake").returncode == 0
    assert (machine / "calls").read_text() == "cmake\n"


def test_a_list_in_a_file(machine: Path) -> None:
    allow(machine)
    packages = machine / "packages.txt"
    packages.write_text("# to build\ncmake  # the newest\n\ncurl\nninja-build\n")
    assert install(machine, f"@{packages}").returncode == 0
    assert (machine / "calls").read_text() == "cmake ninja-build\n"


def test_where_it_may_not_install(machine: Path) -> None:
    if os.geteuid() == 0:
        # Root asks nobody; a machine without apt-get refuses root too.
        (machine / "bin" / "sudo").unlink()
    done = install(machine, "curl", "cmake", "ninja-build")
    assert done.returncode == 3
    assert "sudo apt-get install cmake ninja-build" in done.stderr.splitlines()[-1]


def test_an_apt_that_installs_nothing_is_no_success(machine: Path) -> None:
    allow(machine)
    add_program(machine, "apt-get", "#!/bin/sh\necho no such package >&2\n[ $3 = update ]\n")
    done = install(machine, "cmake")
    assert done.returncode == 3
    assert "no such package" in done.stderr


def test_waits_for_another_apt(machine: Path) -> None:
    allow(machine)
    add_program(machine, "apt-get", LOCKED + APT_GET.partition("\n")[2])
    add_program(machine, "sleep", "#!/bin/sh\n")
    (machine / "held").write_text("3\n")
    done = install(machine, "cmake")
    assert (done.returncode, done.stderr) == (0, "")
    # dpkg's lock is waited for by apt itself.
    options = (machine / "options").read_text().splitlines()
    assert [line.split()[2] for line in options] == ["update", "install"]
    assert all(line.startswith("-o DPkg::Lock::Timeout=600 ") for line in options)


def test_does_not_wait_for_ever(machine: Path) -> None:
    allow(machine)
    add_program(machine, "apt-get", LOCKED + APT_GET.partition("\n")[2])
    (machine / "held").write_text("1000\n")
    done = install(machine, "cmake", APT_WAIT_SECONDS="1")
    assert done.returncode == 3
    assert "It is held by process 7 (apt)" in done.stderr
