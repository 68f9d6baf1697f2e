"""Whether a connector's next action may start: its circuit breaker and its rate."""

from datetime import datetime, timedelta

from connectory.domain import outcomes
from connectory.domain.breaker import BreakerPolicy, Closed, HalfOpened, Opened
from connectory.domain.outcomes import Attempt
from connectory.domain.rate_limit import RateLimit
from connectory.executor.policies import RunPolicy
from connectory.executor.throttle import Held, Throttles
from connectory.testing import ManualClock
from tests.unit.connectors import AT
from tests.unit.jobs import position, request

SECOND = timedelta(seconds=1)
BREAKER = BreakerPolicy(minimum=2, first_open=timedelta(seconds=20))
THROUGH = ("through", None)


class Fixture:
    def __init__(self, limit: RateLimit | None = None, last_starts: dict[str, datetime] | None = None) -> None:
        self.clock = ManualClock(AT)
        self.limit = limit
        self.throttles = Throttles(self.policy, BREAKER, self.clock, last_starts or {})

    def policy(self, connector_id: str) -> RunPolicy:
        return RunPolicy(max_attempts=3, max_in_flight=8, rate_limit=self.limit)

    def fail(self, times: int = 2) -> None:
        for _ in range(times):
            self.throttles.record("c1", failed=True, probe=False)


def test_without_a_limit_and_failures_all_goes_through() -> None:
    throttles = Fixture().throttles
    assert [throttles.admit("c1") for _ in range(99)] == [THROUGH] * 99


def test_a_rate_lets_one_through_and_tells_when_the_next_may_come() -> None:
    throttles = Fixture(RateLimit(per_second=0.5)).throttles
    assert [throttles.admit("c1"), throttles.admit("c1")] == [THROUGH, (Held("rate-limited", AT + 2 * SECOND), None)]
    assert throttles.admit("c2") == THROUGH


def test_those_that_are_put_off_come_back_one_after_the_other() -> None:
    throttles = Fixture(RateLimit(per_second=0.5)).throttles
    throttles.admit("c1")
    throttles.admit("c1")
    earliest = AT + 2 * SECOND
    dues = [throttles.reserve("c1", earliest) for _ in range(3)]
    assert dues == [earliest, earliest + 2 * SECOND, earliest + 4 * SECOND]


def test_failures_hold_the_connector_until_its_breaker_tries_again() -> None:
    fixture = Fixture()
    fixture.fail()
    assert fixture.throttles.admit("c1") == (Held("breaker-open", AT + 20 * SECOND), None)
    fixture.clock.advance(20 * SECOND)
    assert fixture.throttles.admit("c1") == ("probe", HalfOpened())
    assert fixture.throttles.admit("c1") == (Held("breaker-open", None), None)


def test_a_probe_that_succeeds_lets_all_through() -> None:
    fixture = Fixture()
    fixture.fail()
    fixture.clock.advance(20 * SECOND)
    fixture.throttles.admit("c1")
    assert fixture.throttles.record("c1", failed=False, probe=True) == Closed()
    assert fixture.throttles.admit("c1") == THROUGH


def test_the_breaker_of_a_changed_connector_is_a_new_one() -> None:
    fixture = Fixture()
    fixture.fail()
    fixture.throttles.forget("c1")
    assert fixture.throttles.admit("c1") == THROUGH


def test_a_change_of_the_connector_gives_no_new_burst() -> None:
    fixture = Fixture(RateLimit(per_second=0.5))
    fixture.throttles.admit("c1")
    fixture.throttles.forget("c1")
    assert fixture.throttles.admit("c1") == (Held("rate-limited", AT + 2 * SECOND), None)


def test_a_new_rate_counts_from_when_it_is_known() -> None:
    fixture = Fixture(RateLimit(per_second=0.001))
    fixture.throttles.admit("c1")
    fixture.limit = RateLimit(per_second=1.0)
    fixture.throttles.forget("c1")
    assert fixture.throttles.admit("c1") == THROUGH


def test_a_former_owners_last_start_counts_for_the_rate() -> None:
    throttles = Fixture(RateLimit(per_second=0.5, burst=5), {"c1": AT - SECOND}).throttles
    assert throttles.admit("c1") == (Held("rate-limited", AT + SECOND), None)
    assert throttles.admit("c2") == THROUGH


def test_a_former_owners_open_breaker_stays_open() -> None:
    fixture = Fixture()
    attempt = Attempt(request=request(), position=position(0), execution_id="e1")
    fixture.throttles.restore(outcomes.turn_breaker(attempt, AT, Opened(AT + 40 * SECOND)))
    assert fixture.throttles.admit("c1") == (Held("breaker-open", AT + 40 * SECOND), None)
