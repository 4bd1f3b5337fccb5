"""rtap.vehicle.adapters.kuksa.values: values as kuksa.val.v2 has them."""

import math

import pytest
from kuksa.val.v2 import types_pb2

from rtap.intents.intent import Value
from rtap.vehicle.adapters.kuksa.values import Reader, read_datapoint, write_value
from rtap.vehicle.signals import Datatype, Signal

EVERY: dict[Datatype, tuple[Value, str]] = {
    Datatype.BOOLEAN: (True, "bool"),
    Datatype.INT8: (-100, "int32"),
    Datatype.INT16: (-30_000, "int32"),
    Datatype.INT32: (-(2**31), "int32"),
    Datatype.INT64: (-(2**63), "int64"),
    Datatype.UINT8: (255, "uint32"),
    Datatype.UINT16: (65_535, "uint32"),
    Datatype.UINT32: (2**32 - 1, "uint32"),
    Datatype.UINT64: (2**64 - 1, "uint64"),
    Datatype.FLOAT: (21.3, "float"),
    Datatype.DOUBLE: (1 / 3, "double"),
    Datatype.STRING: ("Straße", "string"),
}
SPEED = Signal("Vehicle.Speed", Datatype.FLOAT, 0.0)


@pytest.mark.parametrize("datatype", Datatype)
def test_every_type_goes_there_and_back(datatype: Datatype) -> None:
    value, field = EVERY[datatype]
    signal = Signal("Vehicle.X", datatype, value)
    written = write_value(signal, value)
    assert written.WhichOneof("typed_value") == field
    read = read_datapoint(signal, types_pb2.Datapoint(value=written))
    assert (read, type(read)) == (value, type(value))


def test_no_value() -> None:
    assert read_datapoint(SPEED, types_pb2.Datapoint()) is None


@pytest.mark.parametrize(
    "value",
    [
        types_pb2.Value(string="fast"),
        types_pb2.Value(bool=True),
        types_pb2.Value(float=math.nan),
        types_pb2.Value(double=math.inf),
        types_pb2.Value(float_array=types_pb2.FloatArray(values=[1.0])),
    ],
)
def test_nonsense_is_named_once(value: types_pb2.Value, caplog: pytest.LogCaptureFixture) -> None:
    reader = Reader({SPEED.path: SPEED})
    said = (value, value, types_pb2.Value(float=3), value)
    read = [reader.read(SPEED.path, types_pb2.Datapoint(value=one)) for one in said]
    assert read == [None, None, 3.0, None]
    assert ["vehicle_nonsense" in record.getMessage() for record in caplog.records] == [True, True]
