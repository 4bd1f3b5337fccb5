"""What the service takes from the machine: memory, room on the disk, the time."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rtap.config import Config
from rtap.doctor.finding import MB, Finding
from rtap.doctor.models import configured_model
from rtap.doctor.system_files import system_file
from rtap.errors import ConfigurationError, ModelError
from rtap.process import large_pages

SERVICE_BYTES: Final = 300 * MB
"""What the service takes without its model."""
CACHE_BYTES: Final = 100 * MB

_SANE_YEARS: Final = range(2026, 2100)
_NO_LIMIT: Final = 1 << 60
"""cgroup v1 writes a number in this range where there is no limit."""


def check_memory(config: Config) -> Finding:
    """Whether the service and its model have room, in the machine and in the container."""
    try:
        model = configured_model(config).manifest.bytes
    except ModelError:
        model = 0  # the model's own check tells
    needed = SERVICE_BYTES + model
    available, limit = _available_bytes(), _cgroup_room()
    said = f"{available / MB:.0f} MB available, {needed / MB:.0f} MB needed"
    said += ", no cgroup limit" if limit is None else f", the cgroup leaves {limit / MB:.0f} MB"
    if available < needed:
        return Finding("problem", said, "end other programs, or choose a smaller model")
    if limit is not None and limit < needed:
        fix = "raise the limit (`docker run --memory`, MemoryMax=), or choose a smaller model"
        return Finding("problem", said, fix)
    return Finding("ok", said)


def check_large_pages(_config: Config) -> Finding:
    """Whether the model's weights lie in pages of 2 MiB."""
    try:
        modes = system_file("sys/kernel/mm/transparent_hugepage/enabled").read_text()
    except OSError:
        return Finding("ok", "the kernel has none")
    mode = modes.partition("[")[2].partition("]")[0]
    if mode == "madvise" and not large_pages.are_asked_for():
        fix = f"start rtap with {large_pages.VARIABLE}={large_pages.SETTING} in its environment"
        return Finding("warning", "not asked for: every token takes up to half as long again", fix)
    return Finding("ok", mode)


def check_disk(config: Config) -> Finding:
    """Whether what can be made again, and uploads, can be kept."""
    try:
        directory = config.cache_dir or Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        fix = "mount one on /tmp, or set cache_dir (CACHE_DIR) to a folder that may be written"
        return Finding("problem", f"no temporary folder ({error.strerror})", fix)
    existing = next(one for one in (directory, *directory.parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"rtap")
            file.flush()
    except OSError as error:
        fix = f"make room or `chown` it to {os.geteuid()}, or set cache_dir (CACHE_DIR) to another"
        return Finding("problem", f"{existing} cannot be written ({error.strerror})", fix)
    free = shutil.disk_usage(existing).free
    said = f"{free / MB:.0f} MB free for {directory}"
    if free < CACHE_BYTES:
        return Finding("warning", said, f"`df -h {existing}`: make {CACHE_BYTES / MB:.0f} MB free")
    return Finding("ok", said)


def check_clock(_config: Config, now: Callable[[], float] = time.time) -> Finding:
    """Whether times in transcripts can be right: a Raspberry Pi has no clock that outlives power."""
    today = time.gmtime(now())
    said = time.strftime("%Y-%m-%d %H:%M UTC", today)
    if today.tm_year in _SANE_YEARS:
        return Finding("ok", said)
    fix = "`sudo timedatectl set-ntp true` where there is a network, otherwise `sudo date -s`"
    return Finding("warning", f"{said} cannot be", fix)


def _available_bytes() -> int:
    for line in system_file("proc/meminfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == "MemAvailable":
            return 1024 * int(value.split()[0])
    raise ConfigurationError(
        f"{system_file('proc/meminfo')} has no MemAvailable: use Linux 3.14 or newer"
    )


def _cgroup_room() -> int | None:
    """Bytes that the tightest limit leaves; None where there is no limit."""
    rooms = []
    for line in system_file("proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, names = system_file("sys/fs/cgroup"), ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            top = system_file("sys/fs/cgroup/memory")
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        # In a container the path may be the host's: then only the top is there.
        own = top / path.lstrip("/")
        for group in (own, *own.parents):
            if group == top.parent:
                break
            rooms.append(_room_in(group, *names))
    return min((room for room in rooms if room is not None), default=None)


def _room_in(group: Path, limit_name: str, usage_name: str) -> int | None:
    try:
        limit = (group / limit_name).read_text().strip()
        usage = int((group / usage_name).read_text())
        figures = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except OSError:
        return None
    if not limit.isdecimal() or int(limit) >= _NO_LIMIT:
        return None
    # Pages of files count as used, but are given back when they are needed.
    cached = int(figures.get("total_inactive_file", figures.get("inactive_file", 0)))
    return int(limit) - usage + cached
