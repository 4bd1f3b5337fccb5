"""Which checks are made, and what becomes of each: a verdict, whatever it raises."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from rtap.errors import RTAPException
from tools.system.image_checks.verdict import CannotCheck, Check, Outcome, Verdict
from tools.system.image_checks.workshop import Workshop


def chosen_checks(
    checks: Mapping[str, Check], names: Sequence[str], *, quick: bool = False
) -> list[Check]:
    """Those that are named, and quick ones where they are asked for; all where neither is."""
    if not names and not quick:
        return list(checks.values())
    return [check for check in checks.values() if check.name in names or (quick and check.is_quick)]


def run_check(check: Check, workshop: Workshop) -> Verdict:
    """Make one check; whatever it raises becomes a verdict."""
    began = time.monotonic()

    def ended(verdict: Outcome, message: str) -> Verdict:
        seconds = round(time.monotonic() - began, 1)
        return Verdict(check.name, verdict, " ".join(message.split()), seconds)

    try:
        check.require(workshop)
        return ended("ok", check.run(workshop))
    except CannotCheck as error:
        return ended("skipped", str(error))
    except RTAPException as error:
        return ended("failed", str(error))
    except Exception as error:  # noqa: BLE001 (the other checks are made all the same)
        return ended("failed", f"the check itself failed ({type(error).__name__}: {error})")
