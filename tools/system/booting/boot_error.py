"""What goes wrong around a machine that an image is booted in."""

from __future__ import annotations

from rtap.errors import RTAPException


class BootError(RTAPException):
    """The image cannot be booted, or does not get where it should."""

    exit_status = 2
