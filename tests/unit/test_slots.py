"""Places for actions, in turn."""

from connectory.executor.slots import Slots


def never() -> None:
    raise AssertionError


def test_there_are_so_many_places_and_no_more() -> None:
    slots = Slots(2)
    assert [slots.take(never), slots.take(never), slots.take(lambda: None)] == [True, True, False]


def test_a_free_place_goes_to_whoever_has_waited_longest() -> None:
    slots, given = Slots(1), list[str]()
    slots.take(never)
    slots.take(lambda: given.append("first"))
    slots.take(lambda: given.append("second"))
    slots.release()
    assert given == ["first"]


def test_whoever_waits_already_does_not_wait_twice() -> None:
    slots, given = Slots(1), list[str]()

    def again() -> None:
        given.append("again")

    slots.take(never)
    slots.take(again)
    slots.take(again)
    slots.release()
    slots.release()
    assert given == ["again"]


def test_a_place_that_was_given_and_not_used_is_handed_on() -> None:
    slots, given = Slots(1), list[str]()
    slots.take(never)
    slots.take(slots.release)
    slots.take(lambda: given.append("used"))
    slots.release()
    assert given == ["used"]


def test_a_released_place_can_be_taken_again() -> None:
    slots = Slots(1)
    slots.take(never)
    slots.release()
    assert slots.take(never)
