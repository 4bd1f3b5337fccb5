"""Memory, disk and clock of a machine made of files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from rtap.config import Config
from rtap.doctor import machine
from rtap.doctor.finding import Finding
from tests.backend.doctor.made_machine import with_model, write

CONFIG = Config()
GB = 1 << 30


@pytest.fixture
def memory(root: Path, model: Path) -> Callable[..., Finding]:
    write(root / "proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable:    2000000 kB\n")
    write(root / "proc/self/cgroup", "0::/system.slice/rtap.service\n")

    def check() -> Finding:
        return machine.check_memory(with_model(model))

    return check


def cgroup(path: Path, limit: str, usage: int, cached: int, names: tuple[str, str, str]) -> None:
    for name, text in zip(names, (limit, usage, cached), strict=True):
        write(path / name, f"{text}\n")
    write(path / "memory.stat", f"anon 1\n{names[2]} {cached}\n")


V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
V2 = ("memory.max", "memory.current", "inactive_file")


def test_memory(root: Path, memory: Callable[[], Finding]) -> None:
    assert memory() == Finding("ok", "2048 MB available, 300 MB needed, no cgroup limit")
    write(root / "proc/meminfo", "MemAvailable:    200000 kB\n")
    assert memory().verdict == "problem"


def test_memory_of_a_missing_model(memory: Callable[[], Finding], model: Path) -> None:
    assert machine.check_memory(with_model(model.parent / "none")).verdict == "ok"


def test_cgroup_v2(root: Path, memory: Callable[[], Finding]) -> None:
    top = root / "sys/fs/cgroup"
    cgroup(top / "system.slice/rtap.service", "max", 1000, 0, V2)
    assert "no cgroup limit" in memory().message
    cgroup(top / "system.slice", "500000000", 400_000_000, 300_000_000, V2)
    assert memory().message.endswith("the cgroup leaves 400 MB")
    assert memory().verdict == "ok"
    cgroup(top / "system.slice/rtap.service", "300000000", 50_000_000, 0, V2)
    finding = memory()
    assert finding.verdict == "problem"
    assert finding.message.endswith("the cgroup leaves 250 MB")
    assert "MemoryMax=" in finding.fix


def test_cgroup_v1_inside_a_container(root: Path, memory: Callable[[], Finding]) -> None:
    write(root / "proc/self/cgroup", "4:memory:/docker/abc\n0::/\n")
    top = root / "sys/fs/cgroup/memory"
    cgroup(top, str(0x7FFFFFFFFFFFF000), 0, 0, V1)
    assert "no cgroup limit" in memory().message
    cgroup(top, "256000000", 0, 0, V1)
    assert memory().verdict == "problem"


def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(cache_dir=tmp_path / "not" / "yet")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=GB))
    finding = machine.check_disk(config)
    assert finding == Finding("ok", f"1074 MB free for {tmp_path / 'not' / 'yet'}")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    assert machine.check_disk(config).verdict == "warning"

    def refuse(dir: Path) -> None:  # noqa: A002 (the name that it has)
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    finding = machine.check_disk(config)
    assert (finding.verdict, finding.message) == (
        "problem",
        f"{tmp_path} cannot be written (Read-only file system)",
    )


def test_no_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nonexistent"])
    finding = machine.check_disk(Config())
    assert finding.verdict == "problem"
    assert "no temporary folder" in finding.message
    assert "CACHE_DIR" in finding.fix


@pytest.mark.parametrize(
    ("now", "verdict"), [(0.0, "warning"), (1_795_264_796.0, "ok"), (9e9, "warning")]
)
def test_clock(now: float, verdict: str) -> None:
    finding = machine.check_clock(CONFIG, lambda: now)
    assert finding.verdict == verdict
    assert (verdict == "ok") != ("timedatectl" in finding.fix)


@pytest.mark.parametrize(
    ("modes", "tunables", "verdict"),
    [
        (None, None, "ok"),
        ("always madvise [never]", None, "ok"),
        ("[always] madvise never", None, "ok"),
        ("always [madvise] never", None, "warning"),
        ("always [madvise] never", "glibc.malloc.hugetlb=0", "warning"),
        ("always [madvise] never", "glibc.malloc.arena_max=1:glibc.malloc.hugetlb=1", "ok"),
    ],
)
def test_large_pages(
    modes: str | None,
    tunables: str | None,
    verdict: str,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if modes is not None:
        write(root / "sys/kernel/mm/transparent_hugepage/enabled", f"{modes}\n")
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if tunables is not None:
        monkeypatch.setenv("GLIBC_TUNABLES", tunables)
    finding = machine.check_large_pages(CONFIG)
    assert finding.verdict == verdict
    assert ("GLIBC_TUNABLES=glibc.malloc.hugetlb=1" in finding.fix) is (verdict == "warning")
