"""Which record on the retry topics counts, and on which topic a request waits."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.executor.waiting import SHORTEST, Waiting, retry_topic
from connectory.infra.topics import RETRY_TOPICS
from tests.unit.connectors import AT
from tests.unit.jobs import waiting

LATER = AT + timedelta(minutes=1)


def test_a_record_counts_once() -> None:
    known = Waiting()
    known.put(waiting())
    assert [known.take(waiting()), known.take(waiting())] == [True, False]


def test_of_two_records_the_later_step_counts() -> None:
    known = Waiting()
    for step in (2, 3, 1):
        known.put(waiting(step=step))
    assert [known.take(waiting(step=step)) for step in (1, 2, 3)] == [False, False, True]


def test_a_record_that_a_former_owner_writes_late_is_not_taken_for_that_of_the_next_attempt() -> None:
    known = Waiting()
    known.put(waiting(step=1, attempts=2))
    assert [known.take(waiting(step=1, attempts=1)), known.take(waiting(step=1, attempts=2))] == [False, True]


def test_a_record_of_the_same_step_that_is_due_at_another_time_does_not_count() -> None:
    known = Waiting()
    known.put(waiting(due_at=LATER))
    assert [known.take(waiting(due_at=AT)), known.take(waiting(due_at=LATER))] == [False, True]


def test_no_record_counts_of_a_request_that_has_ended() -> None:
    known = Waiting()
    known.put(waiting(5))
    known.end(5)
    known.end(6)
    assert (known.take(waiting(5)), len(known)) == (False, 0)


@pytest.mark.parametrize(
    ("wait", "topic"),
    [
        (timedelta(seconds=10), "action-retries-10s"),
        (timedelta(seconds=59), "action-retries-10s"),
        (timedelta(seconds=60), "action-retries-1m"),
        (timedelta(minutes=9), "action-retries-1m"),
        (timedelta(minutes=10), "action-retries-10m"),
        (timedelta(days=3), "action-retries-10m"),
    ],
)
def test_a_request_waits_on_the_longest_topic_that_is_not_longer_than_its_wait(wait: timedelta, topic: str) -> None:
    assert retry_topic(wait) == topic


@given(st.timedeltas(SHORTEST, timedelta(days=1)))
def test_hop_by_hop_no_request_comes_too_late(wait: timedelta) -> None:
    hops = 0
    while wait >= SHORTEST:
        wait -= RETRY_TOPICS[retry_topic(wait)]
        hops += 1
    assert wait >= timedelta(0)
    assert hops <= 144 + 9 + 5
