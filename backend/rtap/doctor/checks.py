"""All checks of ``rtap doctor``, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rtap.doctor.finding import Check
from rtap.doctor.loudspeaker import check_loudspeaker
from rtap.doctor.machine import check_clock, check_disk, check_large_pages, check_memory
from rtap.doctor.microphone import check_microphone
from rtap.doctor.models import check_language, check_model, check_wake_word
from rtap.doctor.packages import check_packages
from rtap.doctor.ports import check_ports
from rtap.doctor.processor import check_governor, check_processor, check_throttling

CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "packages": check_packages,
        "processor": check_processor,
        "model": check_model,
        "microphone": check_microphone,
        "loudspeaker": check_loudspeaker,
        "wake word": check_wake_word,
        "language": check_language,
        "ports": check_ports,
        "memory": check_memory,
        "large pages": check_large_pages,
        "disk": check_disk,
        "clock": check_clock,
        "governor": check_governor,
        "throttling": check_throttling,
    }
)
