"""Values as kuksa.val.v2 has them, by the types of VSS."""

from __future__ import annotations

from typing import Any, Final

from kuksa.val.v2 import types_pb2

from rtap import logs
from rtap.intents.intent import Value
from rtap.vehicle.signals import Catalog, Datatype, Signal

_FIELDS: Final = {
    Datatype.BOOLEAN: "bool",
    Datatype.INT8: "int32",
    Datatype.INT16: "int32",
    Datatype.INT32: "int32",
    Datatype.INT64: "int64",
    Datatype.UINT8: "uint32",
    Datatype.UINT16: "uint32",
    Datatype.UINT32: "uint32",
    Datatype.UINT64: "uint64",
    Datatype.FLOAT: "float",
    Datatype.DOUBLE: "double",
    Datatype.STRING: "string",
}
_log = logs.get("vehicle.kuksa")


def write_value(signal: Signal, value: Value) -> Any:
    """A value of a signal as types_pb2.Value."""
    return types_pb2.Value(**{_FIELDS[signal.datatype]: value})


def read_datapoint(signal: Signal, datapoint: Any) -> Value | None:
    """What a types_pb2.Datapoint says; None: the signal has no value.

    Raises:
        ValueError: it is no value of the signal.
    """
    kind = datapoint.value.WhichOneof("typed_value")
    if kind is None:
        return None
    value = getattr(datapoint.value, kind)
    if kind == "float":
        value = float(f"{value:.7g}")  # 21.3, where 32 bits make it 21.299999237060547
    return signal.read(value)


class Reader:
    """Reads datapoints and names nonsense, once for each signal until it has a value again."""

    def __init__(self, signals: Catalog) -> None:
        self._signals = signals
        self._nonsense: set[str] = set()

    def read(self, path: str, datapoint: Any) -> Value | None:
        """A signal's value; None: it has none, or none that can be."""
        try:
            value = read_datapoint(self._signals[path], datapoint)
        except ValueError as error:
            if path not in self._nonsense:
                self._nonsense.add(path)
                _log.warning("vehicle_nonsense", path=path, reason=str(error))
            return None
        self._nonsense.discard(path)
        return value
