"""rtap.vehicle.history: the last few actions."""

from rtap.vehicle.history import LONGEST, History


def test_the_newest_comes_first() -> None:
    history = History()
    assert history.last is None
    history.add({"a": 1})
    history.add({"b": True})
    assert history.last == {"b": True}
    history.drop()
    assert history.last == {"a": 1}


def test_it_is_bounded() -> None:
    history = History()
    for number in range(LONGEST + 5):
        history.add({"a": number})
    assert len(history.plain()) == LONGEST
    assert history.plain()[0] == {"a": 5}


def test_it_can_be_written_and_read() -> None:
    history, other = History(), History()
    history.add({"a": 1.5, "b": "OFF"})
    history.add({})
    other.restore(history.plain())
    assert other.plain() == history.plain()


def test_what_is_no_history_is_left_out() -> None:
    history = History()
    history.restore({"a": 1})
    history.restore([3, {"a": [1], "b": 2}])
    assert history.plain() == [{"b": 2}]
