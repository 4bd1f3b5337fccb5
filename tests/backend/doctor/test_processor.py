"""Processors of all kinds, made of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtap.config import Config, SttConfig
from rtap.doctor import processor
from rtap.doctor.finding import Finding
from tests.backend.doctor.made_machine import write

CONFIG = Config()


@pytest.mark.parametrize(
    ("features", "verdict", "message"),
    [
        ("fp asimd evtstrm crc32 cpuid", "ok", "aarch64, 4 cores, asimd, no asimddp"),
        ("fp asimd asimddp", "ok", "aarch64, 4 cores, asimd, asimddp"),
        ("fp", "problem", "without asimd"),
    ],
)
def test_processor_flags(
    features: str, verdict: str, message: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root / "proc/cpuinfo", f"processor\t: 0\nFeatures\t: {features}\n")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3})
    finding = processor.check_processor(CONFIG)
    assert finding.verdict == verdict
    assert message in finding.message


def test_more_threads_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    finding = processor.check_processor(Config(stt=SttConfig(num_threads=3)))
    assert finding.verdict == "warning"
    assert "stt.num_threads (ONNX_NUM_THREADS) to 2" in finding.fix


@pytest.mark.parametrize(
    ("model", "governor", "verdict"),
    [
        ("Raspberry Pi 4 Model B Rev 1.4\0", "ondemand", "warning"),
        ("Raspberry Pi 4 Model B Rev 1.4\0", "performance", "ok"),
        ("Acme Laptop", "ondemand", "ok"),
        (None, "powersave", "ok"),
        (None, None, "ok"),
    ],
)
def test_governor(model: str | None, governor: str | None, verdict: str, root: Path) -> None:
    if model is not None:
        write(root / "proc/device-tree/model", model)
    if governor is not None:
        for core in range(2):
            path = root / f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor"
            write(path, f"{governor}\n")
    finding = processor.check_governor(CONFIG)
    assert finding.verdict == verdict
    assert (verdict == "warning") == ("echo performance" in finding.fix)


@pytest.mark.parametrize(
    ("flags", "verdict", "message", "fix"),
    [
        ("0x0", "ok", "none since the start", ""),
        ("0x50005", "problem", "under-voltage and heat or a limited clock, now", "5.1 V"),
        ("0x10000", "warning", "under-voltage, since the start", "5.1 V"),
        ("0x80000", "warning", "heat or a limited clock, since the start", "cool"),
    ],
)
def test_throttling(flags: str, verdict: str, message: str, fix: str, root: Path) -> None:
    write(root / "sys/devices/platform/soc/soc:firmware/get_throttled", flags[2:] + "\n")
    by_kernel = processor.check_throttling(CONFIG)
    program = root / "bin/vcgencmd"
    write(program, f"#!/bin/sh\necho throttled={flags}\n")
    program.chmod(0o755)
    write(root / "sys/devices/platform/soc/soc:firmware/get_throttled", "f\n")
    by_firmware = processor.check_throttling(CONFIG)
    assert by_kernel == by_firmware
    assert (by_kernel.verdict, by_kernel.message.startswith(message)) == (verdict, True)
    assert fix in by_kernel.fix


def test_throttling_where_only_the_temperature_is_known(root: Path) -> None:
    assert processor.check_throttling(CONFIG) == Finding("ok", "cannot be read here")
    write(root / "bin/vcgencmd", "#!/bin/sh\nexit 1\n")
    (root / "bin/vcgencmd").chmod(0o755)
    write(root / "sys/class/thermal/thermal_zone0/temp", "45100\n")
    assert processor.check_throttling(CONFIG) == Finding("ok", "45 °C")
    write(root / "sys/class/thermal/thermal_zone1/temp", "83000\n")
    assert processor.check_throttling(CONFIG).verdict == "warning"
