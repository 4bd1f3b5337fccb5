"""How many may be served at once."""

from rtap.transports.admission.places import Places


def test_the_last_place_is_for_this_machine():
    places = Places(3)
    assert places.take("a", local=False)
    assert places.take("b", local=False)
    assert not places.take("c", local=False)
    assert places.take("screen", local=True)
    assert not places.take("another", local=True)
    places.give_back("a")
    assert not places.take("c", local=False)
    places.give_back("screen")
    assert places.take("c", local=False)
    assert places.taken == 2


def test_the_only_place_is_for_everybody():
    places = Places(1)
    assert places.take("a", local=False)
    assert not places.take("screen", local=True)


def test_a_place_that_was_handed_over_is_not_given_back_twice():
    places = Places(2)
    places.take("a", local=True)
    places.hand_over("a", "b")
    assert not places.holds("a")
    places.give_back("a")
    assert places.holds("b")
    assert places.taken == 1
