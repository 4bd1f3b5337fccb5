"""A release that must not be trusted."""

from __future__ import annotations

from rtap.errors import RTAPException


class VerificationError(RTAPException):
    """A checksum or a signature is wrong."""

    exit_status = 2


class NotVerifiableError(VerificationError):
    """Nothing is known to be wrong, but something is missing that would show it."""
