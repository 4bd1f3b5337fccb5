"""Whether the processor has what is needed, and runs at full speed."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from typing import Final

from rtap.config import Config
from rtap.doctor.finding import Finding
from rtap.doctor.system_files import system_file

_HOT: Final = 80.0
"""Degrees Celsius from which a Raspberry Pi slows down."""


def check_processor(config: Config) -> Finding:
    """Instructions on ARM, and whether there are as many cores as threads."""
    machine, cores = platform.machine(), len(os.sched_getaffinity(0))
    said = f"{machine}, {cores} cores"
    if machine == "aarch64":
        features = _cpu_features()
        if "asimd" not in features:
            fix = "use a processor of ARMv8-A with Advanced SIMD, such as a Raspberry Pi 4's"
            return Finding("problem", f"{said}, without asimd, which ONNX Runtime needs", fix)
        said += f", asimd, {'asimddp' if 'asimddp' in features else 'no asimddp (dot product)'}"
    threads = config.stt.num_threads
    if threads > cores:
        fix = f"set stt.num_threads (ONNX_NUM_THREADS) to {cores} or less"
        return Finding("warning", f"{said} for {threads} threads", fix)
    return Finding("ok", said)


def check_governor(_config: Config) -> Finding:
    """Whether the processor runs at full speed before it is asked to."""
    files = sorted(system_file("sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor"))
    governors = {file.read_text().strip() for file in files}
    if not governors:
        return Finding("ok", "there is none here")
    said = ", ".join(sorted(governors))
    if governors == {"performance"} or not _is_raspberry_pi():
        return Finding("ok", said)
    target = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    fix = f"`echo performance | sudo tee {target}`"
    return Finding("warning", f"{said}: the first words wait until the clock has risen", fix)


def check_throttling(_config: Config) -> Finding:
    """Whether the processor is slowed down by heat or a weak power supply."""
    flags = _throttling_flags()
    if flags is None:
        return _judge_temperature()
    weak, hot = flags & 0x1_0001, flags & 0xE_000E
    if not flags:
        return Finding("ok", "none since the start")
    reasons = ["under-voltage"] * bool(weak) + ["heat or a limited clock"] * bool(hot)
    fixes = ["use a supply of 5.1 V and 3 A"] * bool(weak) + ["cool the processor"] * bool(hot)
    is_now = bool(flags & 0xF)
    said = f"{' and '.join(reasons)}, {'now' if is_now else 'since the start'} ({flags:#x})"
    return Finding("problem" if is_now else "warning", said, "; ".join(fixes))


def _cpu_features() -> set[str]:
    for line in system_file("proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "Features":
            return set(value.split())
    return set()


def _is_raspberry_pi() -> bool:
    try:
        return "Raspberry Pi" in system_file("proc/device-tree/model").read_text()
    except OSError:
        return False


def _throttling_flags() -> int | None:
    """The firmware's: bits 0 to 3 say what is so now, 16 to 19 what has been; None where it has none."""
    if program := shutil.which("vcgencmd"):
        done = subprocess.run(
            [program, "get_throttled"], capture_output=True, text=True, timeout=10, check=False
        )
        key, _, value = done.stdout.strip().partition("=")
        if done.returncode == 0 and key == "throttled":
            return int(value, 16)
    try:
        path = system_file("sys/devices/platform/soc/soc:firmware/get_throttled")
        return int(path.read_text().strip(), 16)
    except OSError:
        return None


def _judge_temperature() -> Finding:
    temperatures = []
    for file in system_file("sys/class/thermal").glob("thermal_zone*/temp"):
        try:
            temperatures.append(int(file.read_text()) / 1000)
        except OSError:  # a sensor that is switched off
            continue
    if not temperatures:
        return Finding("ok", "cannot be read here")
    hottest = max(temperatures)
    if hottest >= _HOT:
        return Finding("warning", f"{hottest:.0f} °C", "cool the processor")
    return Finding("ok", f"{hottest:.0f} °C")
