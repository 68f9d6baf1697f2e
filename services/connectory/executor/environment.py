"""What the partitions of one executor share, and the bounds that it keeps."""

from dataclasses import dataclass, field
from datetime import timedelta

from connectory.domain.breaker import BreakerPolicy
from connectory.domain.retry import RetryPolicy
from connectory.executor.attempts import World
from connectory.executor.journal import OutcomeJournal
from connectory.executor.policies import RunPolicies, RunSettings
from connectory.executor.slots import Slots
from connectory.executor.statistics import Statistics
from connectory.infra.log import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of an executor. The window is that of each partition; `in_flight` is shared by all of them.

    `poll_interval` is the longest that a look for new requests waits for one.
    """

    window_requests: int = 1000
    window_bytes: int = 16 * 1024 * 1024
    in_flight: int = 256
    dedupe_window: timedelta = timedelta(hours=1)
    grace: timedelta = timedelta(seconds=8)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    runs: RunSettings = field(default_factory=RunSettings)
    poll_interval: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    log: Log
    journal: OutcomeJournal
    world: World
    limits: Limits
    policies: RunPolicies
    statistics: Statistics
    slots: Slots
    partitions: int
    reply_partitions: int
