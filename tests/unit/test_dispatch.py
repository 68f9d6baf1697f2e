"""Which request runs next."""

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from connectory.executor.dispatch import Dispatcher

MANY = 1000


def taken(dispatcher: Dispatcher[str, tuple[str, int]]) -> list[tuple[str, int]]:
    jobs = []
    while (job := dispatcher.take(MANY)) is not None:
        jobs.append(job)
    return jobs


def filled(*connectors: str, limit: int) -> Dispatcher[str, tuple[str, int]]:
    dispatcher: Dispatcher[str, tuple[str, int]] = Dispatcher(lambda _: limit)
    for number, connector in enumerate(connectors):
        dispatcher.add(connector, (connector, number))
    return dispatcher


def test_connectors_take_turns() -> None:
    dispatcher = filled("a", "a", "a", "b", "c", limit=9)
    assert [connector for connector, _ in taken(dispatcher)] == ["a", "b", "c", "a", "a"]


def test_a_connector_has_no_more_in_flight_than_its_limit() -> None:
    dispatcher = filled("a", "a", "a", "b", limit=2)
    assert taken(dispatcher) == [("a", 0), ("b", 3), ("a", 1)]


def test_a_released_connector_goes_on_with_its_next_request() -> None:
    dispatcher = filled("a", "a", limit=1)
    taken(dispatcher)
    dispatcher.release("a")
    assert taken(dispatcher) == [("a", 1)]


def test_after_clearing_nothing_waits_and_what_is_in_flight_can_be_released() -> None:
    dispatcher = filled("a", "a", "b", limit=1)
    dispatcher.take(MANY)
    dispatcher.clear()
    dispatcher.release("a")
    assert (taken(dispatcher), len(dispatcher)) == ([], 0)


@given(st.lists(st.sampled_from(["add-a", "add-b", "add-c", "take", "release"]), max_size=200), st.integers(1, 3))
def test_a_connectors_requests_are_taken_in_their_order_and_never_over_the_limit(steps: list[str], limit: int) -> None:
    dispatcher: Dispatcher[str, tuple[str, int]] = Dispatcher(lambda _: limit)
    in_flight: Counter[str] = Counter()
    order: defaultdict[str, list[int]] = defaultdict(list)
    for number, step in enumerate(steps):
        if step.startswith("add"):
            dispatcher.add(step, (step, number))
        elif step == "take" and (job := dispatcher.take(MANY)) is not None:
            order[job[0]].append(job[1])
            in_flight[job[0]] += 1
        elif step == "release" and +in_flight:
            connector = next(iter(+in_flight))
            in_flight[connector] -= 1
            dispatcher.release(connector)
        assert all(count <= limit for count in in_flight.values())
    assert all(numbers == sorted(numbers) for numbers in order.values())


@given(st.lists(st.sampled_from("abc"), max_size=50))
def test_everything_added_is_taken_once(connectors: list[str]) -> None:
    dispatcher = filled(*connectors, limit=1)
    jobs = []
    while (job := dispatcher.take(MANY)) is not None:
        jobs.append(job)
        dispatcher.release(job[0])
    assert sorted(number for _, number in jobs) == list(range(len(connectors)))


def test_no_lane_takes_more_places_than_it_leaves_free() -> None:
    dispatcher = filled(*"aaaaab", limit=9)
    assert [dispatcher.take(free) for free in (3, 2, 1)] == [("a", 0), ("b", 5), None]


def test_lanes_that_come_one_after_the_other_and_never_end_leave_places_for_others() -> None:
    dispatcher: Dispatcher[str, tuple[str, int]] = Dispatcher(lambda _: 64, reserve=32)
    free = 256
    for lane in (f"dead {number}" for number in range(16)):
        for number in range(100):
            dispatcher.add(lane, (lane, number))
        while dispatcher.take(free) is not None:
            free -= 1
    dispatcher.add("well", ("well", 0))
    assert free >= 16
    assert dispatcher.take(free) == ("well", 0)


def test_a_job_that_is_put_back_is_the_first_again_once_its_lane_is_unblocked() -> None:
    dispatcher = filled(*"aab", limit=9)
    job = dispatcher.take(MANY)
    assert job is not None
    dispatcher.put_back("a", job)
    assert taken(dispatcher) == [("b", 2)]
    dispatcher.unblock("a")
    assert taken(dispatcher) == [("a", 0), ("a", 1)]


def test_what_is_withdrawn_are_the_newest() -> None:
    dispatcher = filled(*"aaab", limit=9)
    assert dispatcher.withdraw("a", 1) == [("a", 1), ("a", 2)]
    assert taken(dispatcher) == [("a", 0), ("b", 3)]


def test_what_is_extracted_is_not_taken() -> None:
    dispatcher = filled(*"aaab", limit=9)
    assert dispatcher.extract(lambda job: job[1] in (1, 3)) == [("a", 1), ("b", 3)]
    assert taken(dispatcher) == [("a", 0), ("a", 2)]
