"""A circuit breaker: closed, open, half open."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from connectory.domain.breaker import Breaker, BreakerPolicy, Closed, HalfOpened, Opened
from tests.unit.connectors import AT

POLICY = BreakerPolicy(window=10, minimum=4, first_open=timedelta(seconds=10), longest_open=timedelta(seconds=60))
SECOND = timedelta(seconds=1)


def opened() -> Breaker:
    """Opened at `AT`."""
    breaker = Breaker(POLICY)
    for _ in range(POLICY.minimum):
        breaker.record(AT, failed=True)
    return breaker


def half_open() -> Breaker:
    breaker = opened()
    breaker.admit(AT + POLICY.first_open)
    return breaker


def test_a_few_failures_do_not_open_it() -> None:
    breaker = Breaker(POLICY)
    assert [breaker.record(AT, failed=True) for _ in range(3)] == [None] * 3
    assert breaker.admit(AT) == ("through", None)


def test_it_opens_when_half_of_the_last_results_are_failures() -> None:
    breaker = Breaker(POLICY)
    results = [breaker.record(AT, failed=failed) for failed in (False, True) * 4]
    assert results == [None] * 7 + [Opened(AT + POLICY.first_open)]


def test_failures_of_long_ago_do_not_count() -> None:
    breaker = Breaker(POLICY)
    for failed in (True, True, True, *[False] * 10, True):
        assert breaker.record(AT, failed=failed) is None


def test_open_it_lets_nothing_through_until_its_time_is_over() -> None:
    breaker = opened()
    assert breaker.admit(AT + 9 * SECOND) == ("blocked", None)
    assert breaker.admit(AT + 10 * SECOND) == ("probe", HalfOpened())
    assert breaker.admit(AT + 10 * SECOND) == ("blocked", None)


def test_a_probe_that_succeeds_closes_it() -> None:
    breaker = half_open()
    assert breaker.record(AT + 11 * SECOND, failed=False, probe=True) == Closed()
    assert breaker.admit(AT + 11 * SECOND) == ("through", None)
    assert breaker.is_trivial


def test_each_probe_that_fails_opens_it_for_twice_as_long_up_to_a_limit() -> None:
    breaker, now, spans = opened(), AT, []
    for _ in range(4):
        assert breaker.open_until is not None
        now = breaker.open_until
        breaker.admit(now)
        transition = breaker.record(now, failed=True, probe=True)
        assert isinstance(transition, Opened)
        spans.append((transition.until - now) / SECOND)
    assert spans == [20, 40, 60, 60]


def test_after_it_was_closed_it_opens_for_the_first_span_again() -> None:
    breaker = half_open()
    breaker.record(AT, failed=True, probe=True)
    breaker.admit(AT + 20 * SECOND)
    breaker.record(AT + 20 * SECOND, failed=False, probe=True)
    results = [breaker.record(AT + 21 * SECOND, failed=True) for _ in range(4)]
    assert results[-1] == Opened(AT + 31 * SECOND)


def test_results_of_requests_that_were_under_way_when_it_opened_decide_nothing() -> None:
    breaker = half_open()
    assert [breaker.record(AT, failed=failed) for failed in (True, False)] == [None, None]
    assert breaker.phase == "half-open"


def test_a_probe_that_did_not_reach_the_target_makes_way_for_another() -> None:
    breaker = half_open()
    breaker.forget_probe()
    assert breaker.admit(AT + 11 * SECOND) == ("probe", None)


def test_a_former_owners_breaker_goes_on_where_it_was() -> None:
    breaker = Breaker(POLICY)
    breaker.reopen(AT, AT + 20 * SECOND)
    assert breaker.admit(AT + 19 * SECOND) == ("blocked", None)
    assert breaker.admit(AT + 20 * SECOND) == ("probe", HalfOpened())
    assert breaker.record(AT + 20 * SECOND, failed=True, probe=True) == Opened(AT + 60 * SECOND)


@given(st.lists(st.tuples(st.sampled_from(["admit", "success", "failure", "forget"]), st.integers(0, 30))))
def test_there_is_never_more_than_one_probe(steps: list[tuple[str, int]]) -> None:
    breaker, now, through, probes = Breaker(POLICY), AT, 0, 0
    for step, seconds in steps:
        now += seconds * SECOND
        if step == "admit":
            admission, _ = breaker.admit(now)
            through += admission == "through"
            probes += admission == "probe"
        elif step == "forget" and probes:
            breaker.forget_probe()
            probes -= 1
        elif step in ("success", "failure") and (probes or through):
            is_probe = probes > 0
            breaker.record(now, failed=step == "failure", probe=is_probe)
            probes, through = (probes - 1, through) if is_probe else (probes, through - 1)
        assert probes <= 1
        assert not probes or breaker.phase == "half-open"
