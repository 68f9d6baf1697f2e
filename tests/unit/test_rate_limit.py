"""A token bucket."""

from hypothesis import given
from hypothesis import strategies as st

from connectory.domain.rate_limit import RateLimit, TokenBucket

LIMIT = RateLimit(per_second=2.0, burst=3)


def test_a_burst_goes_through_at_once_and_then_one_at_a_time() -> None:
    bucket = TokenBucket(LIMIT, tokens=3.0, at=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert [bucket.take(0.5), bucket.take(0.5)] == [0.0, 0.5]


def test_a_pause_fills_it_up_to_the_burst() -> None:
    bucket = TokenBucket(LIMIT, tokens=0.0, at=0.0)
    assert [bucket.take(1000.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_a_clock_that_is_set_back_takes_nothing_away() -> None:
    bucket = TokenBucket(LIMIT, tokens=1.0, at=3600.0)
    assert [bucket.take(0.0), bucket.take(0.0), bucket.take(0.5)] == [0.0, 0.5, 0.0]


@given(
    st.floats(0.01, 100.0),
    st.integers(1, 10),
    st.lists(st.floats(0.0, 5.0), min_size=1, max_size=100),
)
def test_in_no_span_of_time_are_there_more_than_rate_and_burst_allow(
    per_second: float, burst: int, pauses: list[float]
) -> None:
    bucket, now, taken = TokenBucket(RateLimit(per_second=per_second, burst=burst), tokens=99.0, at=0.0), 0.0, []
    for pause in pauses:
        now += pause
        if bucket.take(now) == 0.0:
            taken.append(now)
    for first, start in enumerate(taken):
        for last, end in enumerate(taken[first:]):
            assert last + 1 <= burst + per_second * (end - start) + 1e-6


@given(st.floats(0.01, 100.0), st.integers(1, 10))
def test_whoever_waits_as_told_is_let_through(per_second: float, burst: int) -> None:
    bucket, now = TokenBucket(RateLimit(per_second=per_second, burst=burst), tokens=0.0, at=0.0), 0.0
    for _ in range(20):
        wait = bucket.take(now)
        assert wait > 0.0
        now += wait + 1e-6
        assert bucket.take(now) == 0.0
