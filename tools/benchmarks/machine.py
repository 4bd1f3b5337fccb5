"""What a benchmark ran on, and what else that machine had to do."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CPU_INFO: Final = Path("/proc/cpuinfo")
_DEVICE_TREE: Final = Path("/proc/device-tree/model")
_BUSY_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Machine:
    """A computer at one moment."""

    cpu: str
    cores: int
    """That this process may use."""
    system: str
    load: tuple[float, float, float]
    """Processes that ran or waited, on average over 1, 5 and 15 minutes."""

    @property
    def is_busy(self) -> bool:
        """Whether other programs wanted half of the processors or more in the last minute."""
        return self.load[0] > _BUSY_SHARE * self.cores


def this_machine() -> Machine:
    """The machine that this runs on, now."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        system=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        load=os.getloadavg(),
    )


def _cpu() -> str:
    """The processor's name; on small ARM computers, where it has none, the board's."""
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        if named:
            return named[0]
        return _DEVICE_TREE.read_text(encoding="utf-8", errors="replace").strip("\0\n")
    except OSError:
        return platform.machine()
