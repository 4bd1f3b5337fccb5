"""The files that belong to no package: users, name lookup, programs, profiles, and the folders for data."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tools.system.container.architecture import Architecture
from tools.system.container.debian import DebianPackage
from tools.system.container.loader_cache import write_loader_cache
from tools.system.container.strip import SITE_PACKAGES

_USER: Final = "rtap"
USER_ID: Final = 10_001
"""Of the user and his group; no user of the host has it."""
CACHE: Final = "app/cache"
"""The one folder that the user owns."""
_AUDIO_GROUP_ID: Final = 29
"""Debian's and Yocto's group that may open sound cards."""

_USERS: Final = f"""\
root:x:0:0:root:/root:/nonexistent
nobody:x:65534:65534:nobody:/nonexistent:/nonexistent
{_USER}:x:{USER_ID}:{USER_ID}:{_USER}:/{CACHE}:/nonexistent
"""
_GROUPS: Final = f"""\
root:x:0:
audio:x:{_AUDIO_GROUP_ID}:{_USER}
nogroup:x:65534:
{_USER}:x:{USER_ID}:
"""
_NAME_LOOKUP: Final = "passwd: files\ngroup: files\nhosts: files dns\n"
_VIRTUAL_ENVIRONMENT: Final = """\
home = /usr/bin
include-system-site-packages = false
version = 3.11
"""
_RTAP: Final = """\
#!/opt/venv/bin/python
import signal
import sys

# Process 1 gets no signal that it has no handler for; the service has one only once it is loaded.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
from rtap.__main__ import main

sys.exit(main())
"""
_UVICORN: Final = """\
#!/opt/venv/bin/python
import sys

from uvicorn.main import main

sys.exit(main())
"""


def write_system_files(
    root: Path, architecture: Architecture, packages: Iterable[DebianPackage]
) -> None:
    """What the packages' maintainer scripts would have made, as far as a service needs it."""
    for name, text in (
        ("etc/passwd", _USERS),
        ("etc/group", _GROUPS),
        ("etc/nsswitch.conf", _NAME_LOOKUP),
        ("opt/venv/pyvenv.cfg", _VIRTUAL_ENVIRONMENT),
    ):
        _write(root / name, text)
    for name in ("dev", "proc", "root", "run", "sys", "tmp"):
        (root / name).mkdir(exist_ok=True)
        (root / name).chmod(0o755)
    (root / "tmp").chmod(0o1777)
    programs = root / "opt/venv/bin"
    programs.mkdir()
    (programs / "python3.11").symlink_to("/usr/bin/python3.11")
    for name in ("python", "python3"):
        (programs / name).symlink_to("python3.11")
    write_loader_cache(root, architecture)
    # Scanners look there for what a container without dpkg has from Debian.
    for package in packages:
        _write(root / "var/lib/dpkg/status.d" / package.name, package.control)


def write_application_files(root: Path, profiles: Path, health_check: Path) -> None:
    """What belongs to rtap, beside its package in /app."""
    for name, text in (("rtap", _RTAP), ("uvicorn", _UVICORN)):
        program = root / "opt/venv/bin" / name
        _write(program, text)
        program.chmod(0o755)
    for profile in sorted(profiles.glob("*.yaml")):
        place = root / "etc/rtap/profiles" / profile.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(profile, place)
    shutil.copyfile(health_check, root / "app/health.py")
    for name in ("app/models", CACHE):
        (root / name).mkdir(parents=True, exist_ok=True)


def site_packages(root: Path) -> Path:
    """Where the locked packages go."""
    return root / SITE_PACKAGES


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
