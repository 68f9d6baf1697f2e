"""What is promised to those who change connectors: they read their own writes, and so do their requests."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

from connectory.testing.history.facts import Read, Submitted, Written, key_of
from connectory.testing.history.recorded import History

NOT_FOUND = "connector-not-found"


def read_otherwise(history: History) -> list[str]:
    """Read as something else than was last written, or than was read before. Returns connector ids.

    A write without an answer may show at any time until the next one that has an answer, and does not vanish again.
    """
    return sorted(
        connector_id for connector_id, changes in _changes_of(history).items() if not _are_consistent(changes)
    )


def not_found_though_there(history: History) -> list[str]:
    """Ended because there was no such connector, which was there from before the request until after its end."""
    changes = _changes_of(history)
    ended = [each for each in history.finals if each.reason == NOT_FOUND]
    return sorted(
        str(key_of(each))
        for each in ended
        if (request := history.requests.get(key_of(each)))
        and _was_there(changes.get(each.connector_id, ()), request, each.at)
    )


def _changes_of(history: History) -> dict[str, list[Written | Read]]:
    found: defaultdict[str, list[Written | Read]] = defaultdict(list)
    for each in history.changes:
        found[each.connector_id].append(each)
    return found


def _are_consistent(changes: Sequence[Written | Read]) -> bool:
    possible: list[str | None] = [None]
    for change in changes:
        match change:
            case Written(value=value, is_known=True):
                possible = [value]
            case Written(value=value):
                possible.append(value)
            case Read(value=value):
                if value not in possible:
                    return False
                possible = possible[possible.index(value) :]
    return True


def _was_there(changes: Sequence[Written | Read], request: Submitted, until: datetime) -> bool:
    """Whether the last write with an answer before the request made it, and no deletion was on its way until then."""
    writes = [each for each in changes if isinstance(each, Written)]
    before = list(takewhile(lambda each: each.ended_at <= request.at, writes))
    after_known = [number for number, each in enumerate(before) if each.is_known]
    if not after_known or before[after_known[-1]].value is None:
        return False
    since = writes[after_known[-1] + 1 :]
    return all(each.value is not None for each in since if each.began_at <= until)
