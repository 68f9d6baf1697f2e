"""Whether a connector's next action may start now: its circuit breaker and its rate limit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from connectory.domain.breaker import Breaker, BreakerPolicy, Transition
from connectory.domain.execution import Outcome
from connectory.domain.rate_limit import RateLimit, TokenBucket
from connectory.executor.policies import RunPolicy

HoldReason = Literal["breaker-open", "rate-limited"]


@dataclass(frozen=True, slots=True)
class Held:
    """Not now. `until` None: until the request that tries the target has ended."""

    reason: HoldReason
    until: datetime | None


@dataclass(slots=True)
class _Throttle:
    breaker: Breaker
    limit: RateLimit | None = None
    bucket: TokenBucket | None = None
    reserved_to: datetime | None = None


class Throttles:
    """Those of one partition's connectors. One is kept only while a new one would behave differently.

    `last_starts` are when former owners started the last action through each connector: a bucket starts from there,
    so that no rate is passed because an executor was started again.
    """

    def __init__(
        self,
        policy_of: Callable[[str], RunPolicy],
        breakers: BreakerPolicy,
        clock: Callable[[], datetime],
        last_starts: Mapping[str, datetime],
    ) -> None:
        self._policy_of = policy_of
        self._breakers = breakers
        self._clock = clock
        self._last_starts = last_starts
        self._throttles: dict[str, _Throttle] = {}

    def restore(self, opened: Outcome) -> None:
        """Take over a circuit breaker that a former owner opened and did not close."""
        if opened.retry_at is not None:
            self._of(opened.connector_id).breaker.reopen(opened.at, opened.retry_at)

    def admit(self, connector_id: str) -> tuple[Literal["through", "probe"] | Held, Transition | None]:
        """Count an action as started, or say what holds it."""
        policy = self._policy_of(connector_id)
        limit, window = policy.rate_limit, policy.window
        throttle = self._throttles.get(connector_id)
        if limit is None and throttle is None and window is None:
            return "through", None
        throttle, now = throttle or self._of(connector_id), self._clock()
        if throttle.breaker.phase == "open" and (throttle.breaker.open_until or now) > now:
            return Held("breaker-open", throttle.breaker.open_until), None
        room_at = None if window is None else window.room_at(now)
        if room_at is not None:
            return Held("rate-limited", room_at), None
        wait = self._wait(connector_id, throttle, limit, now)
        if wait > 0.0:
            return Held("rate-limited", now + max(timedelta(seconds=wait), timedelta.resolution)), None
        admission, transition = throttle.breaker.admit(now)
        if window is not None and admission != "blocked":
            window.log(now)
        return (Held("breaker-open", None) if admission == "blocked" else admission), transition

    def record(self, connector_id: str, *, failed: bool, probe: bool) -> Transition | None:
        """The result of an action that has reached out to the target."""
        throttle = self._throttles.get(connector_id)
        if throttle is None:
            if not failed:
                return None
            throttle = self._of(connector_id)
        transition = throttle.breaker.record(self._clock(), failed=failed, probe=probe)
        if throttle.breaker.is_trivial and throttle.bucket is None:
            del self._throttles[connector_id]
        return transition

    def forget_probe(self, connector_id: str) -> None:
        """The probe ended without reaching out to the target."""
        throttle = self._throttles.get(connector_id)
        if throttle is not None:
            throttle.breaker.forget_probe()

    def reserve(self, connector_id: str, earliest: datetime) -> datetime:
        """When a request that is put off should come back: one after the other, as the rate allows."""
        throttle = self._throttles.get(connector_id)
        spacing = self._spacing(connector_id)
        if throttle is None or spacing is None:
            return earliest
        due = max(earliest, throttle.reserved_to + spacing) if throttle.reserved_to else earliest
        throttle.reserved_to = due
        return due

    def forget(self, connector_id: str) -> None:
        """The connector is another one now, or none: its target may be well. Its rate goes on where it was."""
        throttle = self._throttles.get(connector_id)
        if throttle is None:
            return
        throttle.breaker = Breaker(self._breakers)
        if throttle.limit is None or throttle.limit != self._policy_of(connector_id).rate_limit:
            del self._throttles[connector_id]

    def _of(self, connector_id: str) -> _Throttle:
        throttle = self._throttles.get(connector_id)
        if throttle is None:
            throttle = self._throttles[connector_id] = _Throttle(Breaker(self._breakers))
        return throttle

    def _spacing(self, connector_id: str) -> timedelta | None:
        policy = self._policy_of(connector_id)
        if policy.rate_limit is not None:
            return timedelta(seconds=1.0 / policy.rate_limit.per_second)
        return None if policy.window is None else policy.window.spacing

    def _wait(self, connector_id: str, throttle: _Throttle, limit: RateLimit | None, now: datetime) -> float:
        if throttle.limit != limit:
            throttle.limit, throttle.reserved_to = limit, None
            throttle.bucket = None if limit is None else self._bucket(connector_id, limit, now)
        return throttle.bucket.take(now.timestamp()) if throttle.bucket is not None else 0.0

    def _bucket(self, connector_id: str, limit: RateLimit, now: datetime) -> TokenBucket:
        last = self._last_starts.get(connector_id)
        return TokenBucket(limit, tokens=0.0 if last else float(limit.burst), at=(last or now).timestamp())
