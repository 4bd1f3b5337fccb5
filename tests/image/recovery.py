"""Whether the service of a booted device is well, and how long it takes to be well again."""

from __future__ import annotations

from typing import Final

from tests.image.device import BACKEND, CONTAINER, Booted

RECOVERY_SECONDS: Final = 1200.0
_COMMAND_SECONDS: Final = 600.0
"""For one command on a board that is emulated on a busy machine, and has its service killed."""
_HEALTH: Final = "wget -q -T 10 -O /dev/null http://127.0.0.1:8000/health"


def pid(booted: Booted) -> str:
    """The service's process."""
    inspect = f"docker container inspect --format '{{{{.State.Pid}}}}' {CONTAINER}"
    told = booted.attempt(inspect, _COMMAND_SECONDS)
    return told.output.strip() if told.status == 0 else "0"


def answers(booted: Booted) -> bool:
    """Whether the service is healthy now."""
    return booted.attempt(_HEALTH, _COMMAND_SECONDS).status == 0


def recovers(booted: Booted, before: str) -> float:
    """Seconds until another process of the service is healthy.

    Args:
        before: the process that was killed.
    """
    return booted.wait_until(
        "a new service is healthy",
        lambda: pid(booted) not in ("0", before) and answers(booted) and booted.is_active(BACKEND),
        RECOVERY_SECONDS,
    )
