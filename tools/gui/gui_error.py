"""What goes wrong around the GUI."""

from __future__ import annotations

from rtap.errors import RTAPException


class GuiError(RTAPException):
    """The GUI cannot be built, or does not do what it should."""

    exit_status = 2
