"""Questions to a databroker over gRPC, which connects by itself, again and again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from kuksa.val.v2 import types_pb2, val_pb2, val_pb2_grpc

from rtap.errors import (
    UnknownSignalError,
    VehicleError,
    VehicleRefusedError,
    VehicleUnreachableError,
)

_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 250),
    ("grpc.min_reconnect_backoff_ms", 250),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.max_receive_message_length", 1_000_000),
    ("grpc.enable_http_proxy", 0),
)
"""A car's databroker may start after us, and a driver waits. More than 1 MB is no list of values."""
_BUFFER: Final = 1_000
"""Changes that the databroker keeps for us, the most that it takes; without, it drops one of two at once."""
_LONGEST_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class Access:
    """Where a databroker is, and how one gets in."""

    host: str
    port: int
    token: str = field(default="", repr=False)
    certificates: bytes | None = None
    """Whom to trust, in PEM."""
    encrypted: bool = False

    def __str__(self) -> str:
        return f"the databroker at {self.target}"

    @property
    def target(self) -> str:
        """As gRPC writes addresses."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Databroker:
    """One databroker. Any thread may ask; each question waits for its answer."""

    def __init__(self, access: Access) -> None:
        self._access = access
        if access.encrypted:
            credentials = grpc.ssl_channel_credentials(access.certificates)
            self._channel = grpc.secure_channel(access.target, credentials, _OPTIONS)
        else:
            self._channel = grpc.insecure_channel(access.target, _OPTIONS)
        self._stub = val_pb2_grpc.VALStub(self._channel)
        self._metadata = (("authorization", f"Bearer {access.token}"),) if access.token else ()

    def values(self, paths: Collection[str], timeout: float) -> Mapping[str, Any]:
        """The datapoints of signals.

        Args:
            paths: of signals.
            timeout: seconds.

        Raises:
            VehicleError: it has not all of them, or does not answer.
            TimeoutError: it does not answer in time.
        """
        ids = [types_pb2.SignalID(path=path) for path in paths]
        request = val_pb2.GetValuesRequest(signal_ids=ids)
        answer = self._ask(self._stub.GetValues, request, timeout)
        return dict(zip(paths, answer.data_points, strict=False))

    def actuate(self, values: Mapping[str, Any], timeout: float) -> None:
        """Have the car set values, all or none; it has begun to when this returns.

        Args:
            values: types_pb2.Value by path.
            timeout: seconds.

        Raises:
            VehicleError: it does not.
            TimeoutError: it does not answer in time.
        """
        requests = [
            val_pb2.ActuateRequest(signal_id=types_pb2.SignalID(path=path), value=value)
            for path, value in values.items()
        ]
        request = val_pb2.BatchActuateRequest(actuate_requests=requests)
        self._ask(self._stub.BatchActuate, request, timeout)

    def changes(self, paths: Collection[str], timeout: float | None = None) -> Changes:
        """What signals hold, and then each change.

        Args:
            paths: of signals.
            timeout: seconds after which it ends; None: never.

        Raises:
            VehicleUnreachableError: the connection was closed.
        """
        request = val_pb2.SubscribeRequest(signal_paths=list(paths), buffer_size=_BUFFER)
        return Changes(self._ask(self._stub.Subscribe, request, timeout), self._error)

    def close(self) -> None:
        """Break off what is open."""
        self._channel.close()

    def _ask(self, method: Any, request: Any, timeout: float | None) -> Any:
        try:
            return method(request, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._error(error) from error
        except ValueError as error:  # the channel is closed
            raise VehicleUnreachableError(f"the connection to {self._access} was closed") from error

    def _error(self, error: Any) -> Exception:
        code, details = error.code(), " ".join((error.details() or "").split())[:_LONGEST_REASON]
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return TimeoutError(f"{self._access} did not answer in time")
        make, text = _ERRORS.get(
            code, (VehicleUnreachableError, "{broker} fails ({details}): look at its log")
        )
        return make(text.format(broker=self._access, details=details or code.name))


_ERRORS: Final[Mapping[Any, tuple[type[VehicleError], str]]] = {
    grpc.StatusCode.UNAVAILABLE: (
        VehicleUnreachableError,
        "{broker} cannot be reached ({details}): start it, or correct vehicle.kuksa_broker",
    ),
    grpc.StatusCode.UNAUTHENTICATED: (
        VehicleUnreachableError,
        "{broker} lets us not in ({details}): check vehicle.kuksa_token",
    ),
    grpc.StatusCode.UNIMPLEMENTED: (
        VehicleUnreachableError,
        "{broker} speaks no kuksa.val.v2: take KUKSA's databroker 0.5 or newer",
    ),
    grpc.StatusCode.CANCELLED: (VehicleUnreachableError, "the connection to {broker} was closed"),
    grpc.StatusCode.PERMISSION_DENIED: (
        VehicleRefusedError,
        "{broker} does not permit it ({details}): check vehicle.kuksa_token",
    ),
    grpc.StatusCode.NOT_FOUND: (UnknownSignalError, "the car lacks a signal ({details})"),
    grpc.StatusCode.INVALID_ARGUMENT: (VehicleRefusedError, "{details}"),
    grpc.StatusCode.OUT_OF_RANGE: (VehicleRefusedError, "{details}"),
    grpc.StatusCode.FAILED_PRECONDITION: (VehicleRefusedError, "{details}"),
}
"""By status code: what it means for the car."""


class Changes:
    """What signals hold, and then each change; one thread reads it, any may cancel it."""

    def __init__(self, call: Any, error_of: Callable[[Any], Exception]) -> None:
        self._call = call
        self._error_of = error_of

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return self

    def __next__(self) -> Mapping[str, Any]:
        """Datapoints by path.

        Raises:
            VehicleError: it broke off.
            TimeoutError: its time is over.
        """
        try:
            return dict(next(self._call).entries)
        except grpc.RpcError as error:
            raise self._error_of(error) from error

    @property
    def is_open(self) -> bool:
        """Whether more may come."""
        return bool(self._call.is_active())

    def cancel(self) -> None:
        """End it."""
        self._call.cancel()
