"""What is promised for requests with an ordering key: each runs after all earlier ones with the same connector and key.

"Earlier" is the order of the log. A request is over with its final outcome, its retries included.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from connectory.testing.history.facts import RequestKey, Submitted, key_of
from connectory.testing.history.of_requests import CLOCKS_APART
from connectory.testing.history.recorded import START, History


def called_before_its_turn(history: History) -> list[str]:
    """The target saw it before an earlier one had its final outcome."""
    called = {key: (calls[0].at + CLOCKS_APART).timestamp() for key, calls in history.calls_of.items()}
    return _overtakers(history, called, {key: each.at.timestamp() for key, each in history.final_of.items()})


def begun_before_its_turn(history: History) -> list[str]:
    """On the log its first attempt stands before the final outcome of an earlier one.

    Places are compared within a partition only, which all requests of a connector share.
    """
    begun: dict[RequestKey, float] = {}
    ended: dict[RequestKey, float] = {}
    for place, each in enumerate(history.told):
        if each.action == START:
            begun.setdefault(key_of(each), place)
        if each.final:
            ended.setdefault(key_of(each), place)
    return _overtakers(history, begun, ended)


def called_after_its_turn(history: History) -> list[str]:
    """The target saw it when it was over, more often than attempts may have been under way still.

    A call of an attempt in doubt can be held up for any time, by a process that was stopped or on the wire. So can one
    that was given up. Both are no more than the attempts that have not succeeded.
    """
    found = []
    for line in _lines(history):
        for key in (each.key for each in line if each.key in history.final_of):
            over = history.final_of[key].at + CLOCKS_APART
            late = sum(call.at > over for call in history.calls_of.get(key, ()))
            if late > sum(not each.has_succeeded for each in history.attempts.get(key, ())):
                found.append(str(key))
    return sorted(found)


def _lines(history: History) -> Iterator[Sequence[Submitted]]:
    """The requests of each connector and ordering key, as they stand in line."""
    lines: defaultdict[tuple[str, str, str], list[Submitted]] = defaultdict(list)
    for each in sorted(history.submitted, key=lambda submitted: submitted.offset):
        if each.ordering_key is not None:
            lines[each.key.space_id, each.key.connector_id, each.ordering_key].append(each)
    yield from lines.values()


def _overtakers(history: History, begun: Mapping[RequestKey, float], ended: Mapping[RequestKey, float]) -> list[str]:
    """Those that began before one ahead of them in line had ended, or though it never did."""
    found = []
    for line in _lines(history):
        free = -math.inf
        for key in (each.key for each in line):
            if begun.get(key, math.inf) < free:
                found.append(str(key))
            free = max(free, ended.get(key, math.inf))
    return sorted(found)
