"""All errors that this project raises deliberately.

Code raises the narrowest of these where the fault is seen; ``rtap.__main__`` turns it into one line on
standard error and an exit status, the service into a JSON error. Each message says what is wrong *and*
what to do about it, so it can be shown to a user as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class RTAPException(Exception):
    """Base of all errors raised by this project."""

    exit_status: ClassVar[int] = 1
    """Process exit status: 1 when the fault is ours, 2 when the user can mend it."""


class ConfigurationError(RTAPException):
    """A setting, an option or an environment variable has a value that cannot be used."""

    exit_status = 2


class ConfigurationFaults(ConfigurationError):
    """Everything that is wrong with a configuration or with files that it names."""

    def __init__(self, faults: Iterable[str]) -> None:
        """Make the error.

        Args:
            faults: one line each, ``FILE:LINE: fault: what to do``; what stands there twice counts once.
        """
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__("; ".join(self.faults))


class AudioError(RTAPException):
    """The audio given cannot be read: empty, truncated, not audio, or samples that are not numbers."""

    exit_status = 2


class ModelError(RTAPException):
    """A model directory is missing, incomplete, damaged or of a kind that this engine does not run."""

    exit_status = 2


class ModelChangedError(ModelError):
    """A file of the loaded model was written to: it has to be loaded anew."""


class StorageError(RTAPException):
    """A file cannot be written: the disk is full, read-only or not ours."""

    exit_status = 2


class PipelineError(RTAPException):
    """A stage failed while it processed audio."""


class QueueFullError(PipelineError):
    """More requests wait for the model than may wait."""

    def __init__(self, message: str, retry_after: float) -> None:
        """Make the error.

        Args:
            retry_after: seconds after which a place is likely to be free, for ``Retry-After``.
        """
        super().__init__(message)
        self.retry_after = retry_after


class OverloadedError(PipelineError):
    """There is more to be done than can be done in time; what is refused keeps nobody else waiting."""

    def __init__(self, message: str, retry_after: float) -> None:
        """Make the error.

        Args:
            retry_after: seconds after which it may be worth trying, for ``Retry-After``.
        """
        super().__init__(message)
        self.retry_after = retry_after


class TransportError(RTAPException):
    """Results could not be sent."""


class SpeakerError(RTAPException):
    """An answer could not be spoken or played."""


class VehicleError(RTAPException):
    """The car does not do what it was asked."""


class NoVehicleError(VehicleError):
    """No car is connected."""


class UnknownSignalError(VehicleError):
    """The car has no such signal."""


class VehicleRefusedError(VehicleError):
    """The car has the signal and does not set it; the message is its reason."""


class VehicleUnreachableError(VehicleError):
    """There is a car, and no way to it now: it was not asked."""


class VehicleLostError(VehicleError):
    """The way to the car was lost after it was asked: nobody knows whether it does it."""


class VehicleNonsenseError(VehicleError):
    """The car answered what cannot be."""
