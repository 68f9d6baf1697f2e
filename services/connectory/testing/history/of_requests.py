"""What is promised for each request. Each check returns the keys of those for which the promise is broken."""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from connectory.testing.history.facts import Call, RequestKey, entry_of, key_of
from connectory.testing.history.recorded import OF_CONNECTORS, START, History, RecordedAttempt

CLOCKS_APART: Final = timedelta(milliseconds=1)
"""How far the clocks of target and executor may differ. Run both on one machine."""


def lost(history: History) -> list[str]:
    """Acknowledged, and without a final outcome."""
    return _names(set(history.requests) - set(history.final_of))


def ended_twice(history: History) -> list[str]:
    """More than one final outcome."""
    return _names(key for key, count in Counter(map(key_of, history.finals)).items() if count > 1)


def unheard_of(history: History) -> list[str]:
    """Called or told of, but never submitted."""
    told = {key_of(each) for each in history.told if each.action not in OF_CONNECTORS}
    return _names((told | set(history.calls_of)) - set(history.requests))


def not_run(history: History) -> list[str]:
    """Said to have succeeded, and the target knows nothing of it."""
    return _names({key_of(each) for each in history.finals if each.outcome == "success"} - set(history.calls_of))


def called_unrecorded(history: History) -> list[str]:
    """A call that no attempt on the log accounts for: each makes one, after its start and, if it succeeds, before its
    end. Others may be noticed by the target after the executor has given them up."""
    return _names(
        key for key, calls in history.calls_of.items() if not _are_covered(calls, history.attempts.get(key, ()))
    )


def repeated_beyond_doubt(history: History) -> list[str]:
    """More calls than attempts, those in doubt among them: so duplicates are no more than the attempts in doubt."""
    return _names(key for key, calls in history.calls_of.items() if len(calls) > len(history.attempts.get(key, ())))


def repeated_unmarked(history: History) -> list[str]:
    """An attempt was in doubt and another followed, and not all of them say that they may be duplicates."""
    return _names(key for key in history.in_doubt if not _are_marked(history.attempts[key]))


def repeated_against_the_wish(history: History) -> list[str]:
    """To be run at most once, and tried again after a call that the target may have acted on."""
    return _names(
        key
        for key in history.requests
        if history.is_at_most_once(key)
        and (_goes_on_after_doubt(history.attempts.get(key, ())) or _is_called_again(history.calls_of.get(key, ())))
    )


def doubt_not_told(history: History) -> list[str]:
    """To be run at most once, in doubt, and ended otherwise than as `unknown`."""
    ended = {key: each.outcome for key, each in history.final_of.items()}
    return _names(each for each in history.in_doubt if history.is_at_most_once(each) and ended.get(each) != "unknown")


def begun_again(history: History) -> list[str]:
    """An attempt was begun after the final outcome."""
    over: set[RequestKey] = set()
    found = set()
    for each in history.told:
        if each.action == START and key_of(each) in over:
            found.add(key_of(each))
        if each.final:
            over.add(key_of(each))
    return _names(found)


def left_open(history: History) -> list[str]:
    """An attempt was begun, and nothing says what became of it."""
    return _names(key for key, attempts in history.attempts.items() if any(each.end is None for each in attempts))


def logged_otherwise(history: History) -> list[str]:
    """The event log has an outcome more or less often than once, or tells it otherwise than the topic."""
    told, logged = Counter(map(entry_of, history.told)), Counter(history.logged)
    return _names({each.key for each in (told - logged) + (logged - told)})


def _names(keys: Iterable[RequestKey]) -> list[str]:
    return sorted(map(str, keys))


def _are_covered(calls: Sequence[Call], attempts: Sequence[RecordedAttempt]) -> bool:
    """Whether there is an attempt of its own for each call, given to the call at hand whichever has to end soonest."""
    waiting = sorted(attempts, key=lambda each: each.start.at, reverse=True)
    running: list[datetime] = []
    for call in calls:
        while waiting and waiting[-1].start.at - CLOCKS_APART <= call.at:
            heapq.heappush(running, _last_moment(waiting.pop()))
        while running and running[0] < call.at:
            heapq.heappop(running)
        if not running:
            return False
        heapq.heappop(running)
    return True


def _last_moment(attempt: RecordedAttempt) -> datetime:
    if attempt.end is None or not attempt.has_succeeded:
        return datetime.max.replace(tzinfo=attempt.start.at.tzinfo)
    return attempt.end.at + CLOCKS_APART


def _are_marked(attempts: Sequence[RecordedAttempt]) -> bool:
    first = next(number for number, each in enumerate(attempts) if each.is_in_doubt)
    followers = attempts[first + 1 :]
    told = [each.end for each in attempts[first:] if each.end] + [each.start for each in followers]
    return not followers or all(each.possible_duplicate or (each.final and each.outcome == "unknown") for each in told)


def _goes_on_after_doubt(attempts: Sequence[RecordedAttempt]) -> bool:
    return any(before.is_in_doubt for before, _ in pairwise(attempts))


def _is_called_again(calls: Sequence[Call]) -> bool:
    return any(not before.is_refused for before, _ in pairwise(calls))
