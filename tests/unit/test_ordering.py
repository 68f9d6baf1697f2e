"""Of one connector and ordering key, the first request without a final outcome may run, and no other."""

import random
from collections.abc import Callable, Iterable

from hypothesis import given
from hypothesis import strategies as st

from connectory.executor.jobs import Job
from connectory.executor.ordering import KeyOrder
from tests.unit.jobs import job


def read(order: KeyOrder, offset: int, key: str = "k") -> Job:
    each = job(offset, ordering_key=key)
    order.read(each)
    return each


def test_the_first_of_a_key_runs_and_the_others_are_held_back() -> None:
    order = KeyOrder(0)
    jobs = [read(order, offset) for offset in range(3)]
    assert [order.holds_back(each) for each in jobs] == [False, True, True]
    assert [order.leave(jobs[0]), order.leave(jobs[1]), order.leave(jobs[2])] == [jobs[1], jobs[2], None]


def test_other_keys_flow() -> None:
    order = KeyOrder(0)
    jobs = [read(order, 0, "a"), read(order, 1, "b"), read(order, 2, "a")]
    assert [order.holds_back(each) for each in jobs] == [False, False, True]


def test_one_that_is_away_on_a_retry_topic_keeps_its_place() -> None:
    order = KeyOrder(0)
    first, second = read(order, 0), read(order, 1)
    assert (order.holds_back(first), order.holds_back(second)) == (False, True)
    assert order.holds_back(first) is False  # back again, for its next attempt


def test_one_that_is_held_back_may_go_to_a_retry_topic_and_come_back() -> None:
    order = KeyOrder(0)
    first, second = read(order, 0), read(order, 1)
    order.holds_back(second)
    order.let_go(second)
    assert (order.leave(first), order.holds_back(second)) == (None, False)


def test_one_that_ends_ahead_of_its_turn_holds_up_nobody() -> None:
    order = KeyOrder(0)
    first, second, third = (read(order, offset) for offset in range(3))
    for each in (second, third):
        order.holds_back(each)
    order.let_go(second)
    assert order.leave(second) is None
    assert order.leave(first) == third


def test_after_a_restart_one_from_a_retry_topic_waits_until_those_before_it_have_been_read() -> None:
    order = KeyOrder(5)
    order.enter("c1", "k", 7)
    later = job(7, ordering_key="k")
    assert order.holds_back(later)
    earlier = read(order, 5)
    assert list(order.read_to(6)) == []
    assert list(order.read_to(8)) == []
    assert (order.holds_back(earlier), order.leave(earlier)) == (False, later)


def test_after_a_restart_one_from_a_retry_topic_runs_when_there_is_none_before_it() -> None:
    order = KeyOrder(5)
    order.enter("c1", "k", 7)
    later = job(7, ordering_key="k")
    order.holds_back(later)
    assert list(order.read_to(8)) == [later]


class Partition:
    """Plays the partition's part at random: reads, brings back from retry topics, puts off and ends."""

    def __init__(self, keys: list[str], away: set[int], chance: random.Random) -> None:
        self.keys, self.chance = keys, chance
        self.order = KeyOrder(0)
        self.jobs = {offset: job(offset, ordering_key=key) for offset, key in enumerate(keys)}
        self.unread = list(self.jobs)
        self.met_on_retry_topics = set(away)
        self.away, self.running = set(away), set[int]()
        self.ended: list[int] = []
        for offset in away:
            self.order.enter("c1", keys[offset], offset)

    def run(self) -> None:
        for _ in range(50 * len(self.keys)):
            self.take(self.chance.choice([self.read, self.come_back, self.end, self.retry, self.relieve]))
        for _ in range(3 * len(self.keys)):  # chance alone may try one again to the last
            for step in (self.read, self.come_back, self.end):
                self.take(step)

    def take(self, step: Callable[[], None]) -> None:
        step()
        firsts = [
            min(o for o in self.jobs if o not in self.ended and self.keys[o] == self.keys[r]) for r in self.running
        ]
        assert sorted(firsts) == sorted(self.running)

    def read(self) -> None:
        if self.unread:
            offset = self.unread.pop(0)
            if offset not in self.met_on_retry_topics:
                self.order.read(self.jobs[offset])
                self.admit(offset)
            self.start(self.order.read_to(offset + 1))

    def come_back(self) -> None:
        if self.away:
            self.admit(self.away.pop())

    def end(self) -> None:
        if self.running:
            offset = self.running.pop()
            self.ended.append(offset)
            following = self.order.leave(self.jobs[offset])
            self.start([] if following is None else [following])

    def retry(self) -> None:
        if self.running:
            self.away.add(self.running.pop())

    def relieve(self) -> None:
        for each in self.order.held()[:1]:
            self.order.let_go(each)
            self.away.add(each.position.offset)

    def admit(self, offset: int) -> None:
        if not self.order.holds_back(self.jobs[offset]):
            self.running.add(offset)

    def start(self, jobs: Iterable[Job]) -> None:
        self.running.update(each.position.offset for each in jobs)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), min_size=1, max_size=8), st.integers(0, 2**32))
def test_whatever_the_order_of_events_each_key_is_in_order_and_nothing_is_stuck(
    requests: list[tuple[str, bool]], seed: int
) -> None:
    keys = [key for key, _ in requests]
    partition = Partition(keys, {n for n, (_, away) in enumerate(requests) if away}, random.Random(seed))
    partition.run()
    for key in "ab":
        ended = [offset for offset in partition.ended if keys[offset] == key]
        assert ended == [offset for offset in range(len(keys)) if keys[offset] == key]
