"""A small databroker with a car behind it, made of KUKSA's own messages, which serves kuksa.val.v2."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import grpc
from kuksa.val.v2 import types_pb2, val_pb2, val_pb2_grpc

from tests.backend.vehicle.cars import table
from tests.deadlines import SOON
from tools.process.ports import HOST

Behaviour = Callable[["Databroker", dict[str, Any]], None]


def fulfil(broker: Databroker, wished: dict[str, Any]) -> None:
    """What a good car does: it publishes what it was asked for."""
    for path, value in wished.items():
        broker.publish(path, value)


class Databroker(val_pb2_grpc.VALServicer):  # type: ignore[misc]  # it ships no types
    """Knows some signals, and has a provider that does what a test says.

    Args:
        paths: signals that it knows.
        token: what clients have to show.
        certificate: a folder with cert.pem and key.pem; then it speaks TLS.
    """

    def __init__(
        self,
        paths: tuple[str, ...],
        token: str = "",
        certificate: Path | None = None,
        port: int = 0,
    ) -> None:
        self.behave: Behaviour | None = fulfil
        """None: no provider."""
        self.wishes: Queue[dict[str, Any]] = Queue()
        self.error: tuple[grpc.StatusCode, str] | None = None
        """What all questions are answered with."""
        self.subscribed: Queue[list[str]] = Queue()
        self._token = token
        self._certificate = certificate
        self._values: dict[str, types_pb2.Datapoint] = {
            path: types_pb2.Datapoint() for path in paths
        }
        self._subscribers: list[_Subscriber] = []
        self._lock = threading.Lock()
        self.port = port
        self._server: grpc.Server | None = None

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        options = (
            # A port that is taken is an error.
            ("grpc.so_reuseport", 0),
            # The real one, which is made of other parts, does not count its clients' pings.
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
        )
        self._server = grpc.server(ThreadPoolExecutor(16), options=options)
        val_pb2_grpc.add_VALServicer_to_server(self, self._server)
        if self._certificate is None:
            self.port = self._server.add_insecure_port(f"{HOST}:{self.port}")
        else:
            pair = [(self._certificate / name).read_bytes() for name in ("key.pem", "cert.pem")]
            credentials = grpc.ssl_server_credentials([(pair[0], pair[1])])
            self.port = self._server.add_secure_port(f"{HOST}:{self.port}", credentials)
        self._server.start()

    def stop(self) -> None:
        """Break off everything."""
        if self._server is not None:
            with self._lock:
                for one in self._subscribers:
                    one.end()
            self._server.stop(None).wait(SOON)
            self._server = None

    def publish(self, path: str, value: Any) -> None:
        """The car says a value."""
        datapoint = types_pb2.Datapoint()
        if value is not None:
            datapoint.value.CopyFrom(as_value(path, value))
        with self._lock:
            self._values[path] = datapoint
            for one in self._subscribers:
                one.put(path, datapoint)

    @contextmanager
    def unread(self) -> Iterator[None]:
        """Nobody reads changes meanwhile."""
        with ExitStack() as stack:
            for one in self._subscribers:
                stack.enter_context(one.news)
            yield

    def GetValues(self, request: Any, context: Any) -> Any:  # noqa: N802 (gRPC names it)
        self._check(context)
        paths = [self._known(one.path, context) for one in request.signal_ids]
        with self._lock:
            return val_pb2.GetValuesResponse(data_points=[self._values[path] for path in paths])

    def BatchActuate(self, request: Any, context: Any) -> Any:  # noqa: N802 (gRPC names it)
        self._check(context)
        wished = {
            self._known(one.signal_id.path, context): plain(one.value)
            for one in request.actuate_requests
        }
        if self.behave is None:
            context.abort(grpc.StatusCode.UNAVAILABLE, "Provider for vss_id 3 does not exist")
        assert self.behave is not None
        self.behave(self, wished)
        self.wishes.put(wished)
        return val_pb2.BatchActuateResponse()

    def Subscribe(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802 (gRPC names it)
        self._check(context)
        paths = [self._known(path, context) for path in request.signal_paths]
        subscriber = _Subscriber(request.buffer_size + 1)
        with self._lock:
            now = {path: self._values[path] for path in paths}
            self._subscribers.append(subscriber)
        context.add_callback(subscriber.end)
        self.subscribed.put(paths)
        yield val_pb2.SubscribeResponse(entries=now)
        for path, datapoint in subscriber:
            if path in paths:
                yield val_pb2.SubscribeResponse(entries={path: datapoint})
        with self._lock:
            self._subscribers.remove(subscriber)

    def _check(self, context: Any) -> None:
        shown = dict(context.invocation_metadata()).get("authorization", "")
        if self._token and shown != f"Bearer {self._token}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Invalid auth token")
        if self.error is not None:
            context.abort(*self.error)

    def _known(self, path: str, context: Any) -> str:
        if path not in self._values:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Path not found: {path}")
        return path


class _Subscriber:
    """Changes for one that reads them slowly: what does not fit takes the place of the oldest one."""

    def __init__(self, capacity: int) -> None:
        self._changes: deque[tuple[str, types_pb2.Datapoint]] = deque(maxlen=capacity)
        self._is_over = False
        self.news = threading.Condition()  # its lock may be taken again

    def put(self, path: str, datapoint: types_pb2.Datapoint) -> None:
        with self.news:
            self._changes.append((path, datapoint))
            self.news.notify()

    def end(self) -> None:
        with self.news:
            self._is_over = True
            self.news.notify()

    def __iter__(self) -> Iterator[tuple[str, types_pb2.Datapoint]]:
        while True:
            with self.news:
                self.news.wait_for(lambda: self._changes or self._is_over)
                if self._is_over:
                    return
                change = self._changes.popleft()
            yield change


def as_value(path: str, value: Any) -> types_pb2.Value:
    """A value as the signal's type has it; of another type it is what a confused car would say."""
    if isinstance(value, types_pb2.Value):
        return value
    if isinstance(value, bool):
        return types_pb2.Value(bool=value)
    if isinstance(value, str):
        return types_pb2.Value(string=value)
    return types_pb2.Value(
        **{"uint32" if table().signals[path].datatype.is_whole else "float": value}
    )


def plain(value: types_pb2.Value) -> Any:
    """What a value of a wish is."""
    return getattr(value, value.WhichOneof("typed_value"))
