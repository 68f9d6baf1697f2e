"""A circuit breaker: a target that keeps failing is left alone for a while, then tried with a single request.

Closed, it lets everything through and watches. When too many of the last results are failures it opens, and lets
nothing through until its time is over; then it is half open and lets one request through, the probe. Its success closes
the breaker, its failure opens it for twice as long.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """Opens when, of the last `window` results, at least `minimum` and a share of `failure_share` are failures."""

    failure_share: float = 0.5
    window: int = 20
    minimum: int = 5
    first_open: timedelta = timedelta(seconds=10)
    longest_open: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Opened:
    until: datetime


@dataclass(frozen=True, slots=True)
class HalfOpened:
    """One request goes through."""


@dataclass(frozen=True, slots=True)
class Closed:
    """All go through again."""


Transition = Opened | HalfOpened | Closed
Phase = Literal["closed", "open", "half-open"]
Admission = Literal["through", "probe", "blocked"]


class Breaker:
    """Ask `admit` before each action and tell `record` its result."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._failed: deque[bool] = deque(maxlen=policy.window)
        self._span = timedelta(0)
        self._is_probing = False
        self.phase: Phase = "closed"
        self.open_until: datetime | None = None

    @property
    def is_trivial(self) -> bool:
        """Whether a new one would behave the same."""
        return self.phase == "closed" and not any(self._failed)

    def reopen(self, since: datetime, until: datetime) -> None:
        """Take over what the log says of a former owner's breaker."""
        self.phase, self.open_until, self._span = "open", until, until - since

    def admit(self, now: datetime) -> tuple[Admission, Transition | None]:
        """Whether an action may start now, and the transition that this brings about."""
        if self.phase == "closed":
            return "through", None
        if self.phase == "open" and self.open_until is not None and now >= self.open_until:
            self.phase, self.open_until, self._is_probing = "half-open", None, True
            return "probe", HalfOpened()
        if self.phase == "half-open" and not self._is_probing:
            self._is_probing = True
            return "probe", None
        return "blocked", None

    def record(self, now: datetime, *, failed: bool, probe: bool = False) -> Transition | None:
        """The result of an action. Of those that were under way when it opened, none changes anything more."""
        if probe and self.phase == "half-open":
            return self._probed(now, failed)
        if self.phase != "closed":
            return None
        self._failed.append(failed)
        failures = sum(self._failed)
        if failures < self._policy.minimum or failures < self._policy.failure_share * len(self._failed):
            return None
        return self._open(now, self._policy.first_open)

    def forget_probe(self) -> None:
        """The probe ended without saying anything about the target: the next one is let through."""
        self._is_probing = False

    def _probed(self, now: datetime, failed: bool) -> Transition:
        self._is_probing = False
        if failed:
            return self._open(now, min(self._policy.longest_open, 2 * max(self._span, self._policy.first_open)))
        self.phase, self._span = "closed", timedelta(0)
        return Closed()

    def _open(self, now: datetime, span: timedelta) -> Opened:
        self.phase, self.open_until, self._span = "open", now + span, span
        self._failed.clear()
        return Opened(self.open_until)
