"""`History`: all that a run has left behind, and what follows from it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from connectory.domain.execution import Delivery, Outcome
from connectory.testing.history.facts import Call, Entry, Read, RequestKey, Submitted, Written, key_of

IN_DOUBT: Final = "in-doubt"
START: Final = "execute-start"
ENDS: Final = frozenset({"execute", "execute-timeout", "cancelled"})
"""What ends an attempt, when it has the execution id of a start."""

OF_CONNECTORS: Final = frozenset({"breaker-opened", "breaker-half-open", "breaker-closed"})
"""Outcomes that tell of a connector and not of a request."""


@dataclass(frozen=True, slots=True)
class RecordedAttempt:
    """An attempt as the log knows it. The start is written ahead of the call, so there is no call without one."""

    start: Outcome
    end: Outcome | None

    @property
    def is_in_doubt(self) -> bool:
        """Whether nobody knows if it reached the target."""
        return self.end is None or self.end.reason == IN_DOUBT

    @property
    def has_succeeded(self) -> bool:
        return self.end is not None and self.end.outcome == "success"


@dataclass(frozen=True, kw_only=True)
class History:
    """`outcomes` are those of the topic, in order within a partition; `logged` are the entries of the event log.

    `changes` are in the order of the one client that made and read them.
    """

    submitted: Sequence[Submitted] = ()
    calls: Sequence[Call] = ()
    outcomes: Sequence[Outcome] = ()
    logged: Sequence[Entry] = ()
    changes: Sequence[Written | Read] = ()

    @cached_property
    def requests(self) -> Mapping[RequestKey, Submitted]:
        return {each.key: each for each in self.submitted}

    @cached_property
    def told(self) -> Sequence[Outcome]:
        """Each outcome once: a batch whose acknowledgement was lost stands twice on the topic, and is one outcome."""
        return list({(each.execution_id, each.action): each for each in self.outcomes}.values())

    @cached_property
    def finals(self) -> Sequence[Outcome]:
        return [each for each in self.told if each.final]

    @cached_property
    def final_of(self) -> Mapping[RequestKey, Outcome]:
        """The first final outcome of each request."""
        return {key_of(each): each for each in reversed(self.finals)}

    @cached_property
    def attempts(self) -> Mapping[RequestKey, Sequence[RecordedAttempt]]:
        """The attempts of each request that was called for, in the order of the log."""
        ends = {each.execution_id: each for each in self.told if each.action in ENDS}
        found: defaultdict[RequestKey, list[RecordedAttempt]] = defaultdict(list)
        for each in self.told:
            if each.action == START:
                found[key_of(each)].append(RecordedAttempt(each, ends.get(each.execution_id)))
        return found

    @cached_property
    def calls_of(self) -> Mapping[RequestKey, Sequence[Call]]:
        """The calls of each request, in the order in which the target saw them."""
        found: defaultdict[RequestKey, list[Call]] = defaultdict(list)
        for each in sorted(self.calls, key=lambda call: call.at):
            found[each.key].append(each)
        return found

    @cached_property
    def in_doubt(self) -> Counter[RequestKey]:
        """Attempts of which nobody knows whether they reached the target."""
        doubted = {key: sum(each.is_in_doubt for each in attempts) for key, attempts in self.attempts.items()}
        return Counter({key: count for key, count in doubted.items() if count})

    @cached_property
    def duplicates(self) -> Counter[RequestKey]:
        """Calls beyond the attempts whose end is known: a retry is an attempt of its own, and no duplicate."""
        found: Counter[RequestKey] = Counter()
        for key, calls in self.calls_of.items():
            ended = sum(not each.is_in_doubt for each in self.attempts.get(key, ()))
            # A request of which every attempt is in doubt may have come through once.
            found[key] = max(0, len(calls) - max(ended, 1))
        return +found

    def is_at_most_once(self, key: RequestKey) -> bool:
        return key in self.requests and self.requests[key].delivery is Delivery.AT_MOST_ONCE
