"""A checker of histories: whether what a run has left behind is what Connectory promises.

Write down what was submitted, what the target saw and what was changed; read the outcomes from their topic and the
event log over HTTP; make a `History` of it, and ask for its `violations`. Pure functions: no servers, no clock.

    history = History(submitted=…, calls=…, outcomes=…, logged=[entry_of(item) for item in items], changes=…)
    assert violations(history) == {}

**What counts as a duplicate.** The start of an attempt is on the log before its call is made, and an attempt makes one
call. So the log accounts for as many calls of a request as it has attempts: those of a retry are attempts of their own.
A call beyond the attempts whose end is known is a *duplicate*. It is allowed only where an attempt is *in doubt* (its
end is not known, after a crash), and only when it is *marked*: the end of that attempt, and every attempt after it, say
`possible_duplicate`. An *unmarked* duplicate is a call for which the log has no attempt (`called_unrecorded`), or an
attempt after one in doubt that does not say so (`repeated_unmarked`).

**At most once** means that nothing follows a call that the target may have acted on: neither an attempt in doubt, nor a
call that was answered with success or not at all. After a refusal (a status of 400 or more) a retry is no repetition.

**Order** is that of the log. A request with an ordering key may be called when all earlier ones with the same connector
and key have their final outcome, retries included. A call of an attempt in doubt may be held up and come late; its
request was over by then, so that it is a duplicate and no violation of the order.

Each check is a function from a history to the names of what breaks its promise: `space/connector/request`, or the id of
a connector. An empty list is a pass.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from connectory.testing.history.facts import Call, Entry, Read, RequestKey, Submitted, Written, entry_of, key_of
from connectory.testing.history.of_connectors import not_found_though_there, read_otherwise
from connectory.testing.history.of_order import begun_before_its_turn, called_after_its_turn, called_before_its_turn
from connectory.testing.history.of_requests import (
    begun_again,
    called_unrecorded,
    doubt_not_told,
    ended_twice,
    left_open,
    logged_otherwise,
    lost,
    not_run,
    repeated_against_the_wish,
    repeated_beyond_doubt,
    repeated_unmarked,
    unheard_of,
)
from connectory.testing.history.recorded import History, RecordedAttempt

Check: TypeAlias = Callable[[History], list[str]]
CHECKS: tuple[Check, ...] = (
    lost,
    ended_twice,
    unheard_of,
    not_run,
    called_unrecorded,
    repeated_beyond_doubt,
    repeated_unmarked,
    repeated_against_the_wish,
    doubt_not_told,
    begun_again,
    left_open,
    logged_otherwise,
    called_before_its_turn,
    begun_before_its_turn,
    called_after_its_turn,
    read_otherwise,
    not_found_though_there,
)


def violations(history: History) -> Mapping[str, list[str]]:
    """The checks that do not pass, by name, with what breaks their promise."""
    return {check.__name__: found for check in CHECKS if (found := check(history))}


__all__ = [
    "CHECKS",
    "Call",
    "Check",
    "Entry",
    "History",
    "Read",
    "RecordedAttempt",
    "RequestKey",
    "Submitted",
    "Written",
    "begun_again",
    "begun_before_its_turn",
    "called_after_its_turn",
    "called_before_its_turn",
    "called_unrecorded",
    "doubt_not_told",
    "ended_twice",
    "entry_of",
    "key_of",
    "left_open",
    "logged_otherwise",
    "lost",
    "not_found_though_there",
    "not_run",
    "read_otherwise",
    "repeated_against_the_wish",
    "repeated_beyond_doubt",
    "repeated_unmarked",
    "unheard_of",
    "violations",
]
