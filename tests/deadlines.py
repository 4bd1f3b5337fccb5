"""How long tests wait for what has to come."""

from typing import Final

SOON: Final = 120.0
"""Seconds until something has happened that a machine with nothing else to do has done at once.

A test waits for the event itself, and this long only where it does not come. A machine with much to do lets a
process stand still for seconds, so no test may take less for a fault.
"""
