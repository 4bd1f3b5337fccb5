"""rtap.vehicle.adapters.mqtt.messages: the format, and what is none of it."""

import json

import pytest

from rtap.vehicle.adapters.mqtt.messages import (
    LARGEST,
    NonsenseError,
    Refused,
    State,
    Topics,
    read_refused,
    read_state,
    write_wish,
)
from tests.backend.vehicle.cars import table

SIGNALS = table().signals
SPEED = SIGNALS["Vehicle.Speed"]
VOLUME = SIGNALS["Vehicle.Cabin.Infotainment.Media.Volume"]
DOME = SIGNALS["Vehicle.Cabin.Light.IsDomeOn"]
TEXTS = [
    signal for signal in SIGNALS.values() if signal.datatype == "string" and not signal.allowed
]


def test_topics() -> None:
    topics = Topics("fleet/car7")
    assert topics.state("Vehicle.Speed") == "fleet/car7/Vehicle/Speed"
    assert topics.wish("Vehicle.Speed") == "fleet/car7/Vehicle/Speed/set"
    assert topics.refused("Vehicle.Speed") == "fleet/car7/Vehicle/Speed/refused"
    assert topics.echo("one") == "fleet/car7/rtap/one"


def test_no_signal_shares_a_topic_with_another() -> None:
    topics = Topics("v")
    every = [make(path) for path in SIGNALS for make in (topics.state, topics.wish, topics.refused)]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize("value", [21.5, 21, True, "Straße 5"])
def test_a_wish(value: object) -> None:
    assert isinstance(value, str | int | float)
    assert json.loads(write_wish("a-1", value)) == {"id": "a-1", "value": value}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ('{"value": 50}', State(50.0, None)),
        ('{"value": 50, "id": "a-1", "time": "now"}', State(50.0, "a-1")),
        ('{"value": null, "id": "a-1"}', State(None, "a-1")),
        ('{"value": 50, "id": 7}', State(50.0, None)),
        ('{"value": 50, "id": ""}', State(50.0, None)),
        (json.dumps({"value": 50, "id": "x" * 101}), State(50.0, None)),
        ("", State(None, None)),
    ],
)
def test_a_state(payload: str, expected: State) -> None:
    assert read_state(payload.encode(), SPEED) == expected


def test_numbers_are_of_the_signals_type() -> None:
    assert repr(read_state(b'{"value": 44.0}', VOLUME).value) == "44"
    assert repr(read_state(b'{"value": 300}', VOLUME).value) == "300", "more than may be set"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"50", "not an object"),
        (b"[50]", "not an object"),
        (b"null", "not an object"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"\x00", "not JSON"),
        (b"[" * LARGEST, "not JSON"),
        (b'{"value": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b" " * (LARGEST + 1), "8193 bytes, where 8192 may be"),
        (b'{"Value": 50}', 'no "value"'),
        (b'{"value": "50"}', "50 is no number"),
        (b'{"value": true}', "True is no number"),
        (b'{"value": [1]}', "is no number"),
        (b'{"value": NaN}', "nan is no number"),
        (b'{"value": -Infinity}', "-inf is no number"),
        (b'{"value": 1' + b"0" * 400 + b"}", "is no number"),
    ],
)
def test_nonsense_says_why(payload: bytes, reason: str) -> None:
    with pytest.raises(NonsenseError, match=reason):
        read_state(payload, SPEED)


def test_nonsense_that_answers_a_wish_says_which() -> None:
    with pytest.raises(NonsenseError) as caught:
        read_state(b'{"id": "a-7", "value": 1}', DOME)
    assert caught.value.wish == "a-7"
    with pytest.raises(NonsenseError) as caught:
        read_state(b'{"id": "a-7"}', DOME)
    assert caught.value.wish == "a-7"


def test_the_longest_text_fits_however_it_is_written() -> None:
    text = "\N{SNOWMAN}" * 1_000
    assert read_state(json.dumps({"id": "a-1", "value": text}).encode(), TEXTS[0]).value == text
    assert len(write_wish("00000000-1000000", text)) <= LARGEST
    with pytest.raises(NonsenseError, match="is no text"):
        read_state(json.dumps({"value": "a" * 1_001}).encode(), TEXTS[0])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"id": "a-1", "reason": "the door is open"}, "the door is open"),
        ({"id": "a-1", "reason": " two\nlines "}, "two lines"),
        ({"id": "a-1", "reason": "long " * 100}, ("long " * 40)[:200]),
        ({"id": "a-1", "reason": 7}, "the car gives no reason"),
        ({"id": "a-1"}, "the car gives no reason"),
    ],
)
def test_a_refusal(said: dict[str, object], expected: str) -> None:
    assert read_refused(json.dumps(said).encode()) == Refused("a-1", expected)


@pytest.mark.parametrize("payload", [b"", b"no", b'"no"', b'{"reason": "no"}', b'{"id": 1}'])
def test_what_is_no_refusal(payload: bytes) -> None:
    with pytest.raises(NonsenseError):
        read_refused(payload)
