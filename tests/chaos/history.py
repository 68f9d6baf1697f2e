"""What a run has left behind, and whether it keeps what Connectory promises. Pure functions: no servers, no clock.

Each check returns the ids of the requests that break its promise, so that an empty list is a pass and anything else
says where to look.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

from connectory.client import EventLogItem
from connectory.domain.execution import Action, Delivery, Outcome

IN_DOUBT = "in-doubt"


class Entry(NamedTuple):
    """What topic and table must agree on about one outcome."""

    execution_id: str
    action: str
    request_id: str
    connector_id: str
    connector_version: int | None
    outcome: str | None
    attempt: int | None
    message: str
    error: str | None
    possible_duplicate: bool


def entry_of(source: Outcome | EventLogItem) -> Entry:
    return Entry(
        execution_id=source.execution_id,
        action=str(source.action),
        request_id=source.request_id,
        connector_id=source.connector_id,
        connector_version=source.connector_version,
        outcome=source.outcome,
        attempt=source.attempt,
        message=source.message or "",
        error=source.error,
        possible_duplicate=source.possible_duplicate,
    )


@dataclass(frozen=True, kw_only=True)
class History:
    """`published` are the acknowledged requests; `calls` are the request ids that the target saw, one a call.

    `outcomes` are those of the topic, in order within a partition; `logged` are the entries of the event log.
    """

    published: Mapping[str, Delivery]
    calls: Sequence[str]
    outcomes: Sequence[Outcome]
    logged: Sequence[Entry]

    @cached_property
    def told(self) -> Sequence[Outcome]:
        """Each outcome once: a batch whose acknowledgement was lost stands twice on the topic, and is one outcome."""
        return list({(each.execution_id, each.action): each for each in self.outcomes}.values())

    @cached_property
    def finals(self) -> Sequence[Outcome]:
        return [each for each in self.told if each.final]

    @cached_property
    def in_doubt(self) -> Counter[str]:
        """Attempts of which nobody knows the end, by request id."""
        return Counter(each.request_id for each in self.told if each.reason == IN_DOUBT)

    @cached_property
    def calls_of(self) -> Counter[str]:
        return Counter(self.calls)

    @property
    def repeated(self) -> Sequence[str]:
        """Requests that the target saw more than once."""
        return sorted(request_id for request_id, count in self.calls_of.items() if count > 1)

    @property
    def repetitions(self) -> int:
        """Calls beyond the first of a request."""
        return sum(count - 1 for count in self.calls_of.values())


def lost(history: History) -> list[str]:
    """Published, and without a final outcome."""
    return sorted(set(history.published) - {each.request_id for each in history.finals})


def ended_twice(history: History) -> list[str]:
    """More than one final outcome."""
    return _more_than_once(each.request_id for each in history.finals)


def unheard_of(history: History) -> list[str]:
    """Called or told of, but never published."""
    known = {*history.calls, *(each.request_id for each in history.told)}
    return sorted(known - set(history.published))


def not_run(history: History) -> list[str]:
    """Said to have succeeded, and the target knows nothing of it."""
    succeeded = {each.request_id for each in history.finals if each.outcome == "success"}
    return sorted(succeeded - set(history.calls))


def repeated_beyond_doubt(history: History) -> list[str]:
    """More calls beyond the first than attempts in doubt."""
    return [each for each in history.repeated if history.calls_of[each] - 1 > history.in_doubt[each]]


def repeated_unmarked(history: History) -> list[str]:
    """Called more than once, with an attempt that does not say that it may be a duplicate."""
    unmarked = {each.request_id for each in history.told if _ends(each) and not each.possible_duplicate}
    return [each for each in history.repeated if each in unmarked]


def repeated_against_the_wish(history: History) -> list[str]:
    """To be run at most once, and called more often."""
    return [each for each in history.repeated if history.published.get(each) is Delivery.AT_MOST_ONCE]


def doubt_not_told(history: History) -> list[str]:
    """To be run at most once, in doubt, and ended otherwise than as `unknown`."""
    wished = {each for each, delivery in history.published.items() if delivery is Delivery.AT_MOST_ONCE}
    ended = {each.request_id: each.outcome for each in history.finals}
    return sorted(each for each in history.in_doubt if each in wished and ended.get(each) != "unknown")


def left_open(history: History) -> list[str]:
    """An attempt was begun, and nothing says what became of it."""
    ended = {each.execution_id for each in history.told if _ends(each)}
    begun = [each for each in history.told if each.action is Action.EXECUTE_START]
    return sorted({each.request_id for each in begun if each.execution_id not in ended})


def logged_otherwise(history: History) -> list[str]:
    """The event log has an outcome more or less often than once, or tells it otherwise than the topic."""
    told, logged = Counter(map(entry_of, history.told)), Counter(history.logged)
    return sorted({each.request_id for each in (told - logged) + (logged - told)})


Check: TypeAlias = Callable[[History], list[str]]
CHECKS: tuple[Check, ...] = (
    lost,
    ended_twice,
    unheard_of,
    not_run,
    repeated_beyond_doubt,
    repeated_unmarked,
    repeated_against_the_wish,
    doubt_not_told,
    left_open,
    logged_otherwise,
)


def _ends(outcome: Outcome) -> bool:
    return outcome.action in (Action.EXECUTE, Action.EXECUTE_TIMEOUT)


def _more_than_once(ids: Iterable[str]) -> list[str]:
    return sorted(each for each, count in Counter(ids).items() if count > 1)
