"""Ways to break one promise in a history that kept them all: what the checker must find."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectory.domain.execution import Action, Outcome
from connectory.testing.history import Call, History, Read, RequestKey, Submitted, entry_of, key_of
from connectory.testing.history.of_connectors import NOT_FOUND
from tests.chaos.histories import AT, LATE, outcome_of, written


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A history in which one promise is broken, for one request or connector."""

    history: History
    victim: str


Spoil = Callable[[History, random.Random], Spoiled]
NOBODY = RequestKey("default", "c0", "nobody's")
MUCH_LATER = AT + 2 * LATE


def lose(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.finals)
    return _told(history, [each for each in history.told if each is not victim], key_of(victim))


def end_twice(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.finals)
    return _told(history, [*history.told, replace(victim, execution_id="another")], key_of(victim))


def invent_a_call(history: History, chance: random.Random) -> Spoiled:
    return _called(history, [*history.calls, Call(key=NOBODY, at=AT)], NOBODY)


def invent_an_outcome(history: History, chance: random.Random) -> Spoiled:
    victim = replace(chance.choice(history.finals), connector_id="nobody's")
    return _told(history, [*history.told, victim], key_of(victim))


def pretend(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(_quiet(history))
    return _called(history, [each for each in history.calls if each.key != victim], victim)


def call_unasked(history: History, chance: random.Random) -> Spoiled:
    """More often than there are attempts."""
    victim = chance.choice(_quiet(history))
    return _call_again(history, victim, history.final_of[victim].at)


def call_out_of_time(history: History, chance: random.Random) -> Spoiled:
    """As often as there are attempts, and after the only one that succeeded had ended."""
    victim = chance.choice(_quiet(history))
    moved = [each for each in history.calls if each.key != victim]
    return _call_again(replace(history, calls=moved), victim, history.final_of[victim].at + timedelta(seconds=1))


def repeat_beyond_doubt(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(list(history.in_doubt))
    call = Call(key=victim, at=MUCH_LATER)
    return _called(history, [*history.calls, *[call] * (len(history.attempts[victim]) + 1)], victim)


def forget_to_mark(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice([each for each in history.in_doubt if not _ends_in_doubt(history, each)])
    marked = chance.choice([each for each in history.told if key_of(each) == victim and each.possible_duplicate])
    return _exchanged(history, marked, replace(marked, possible_duplicate=False))


def go_on_after_doubt(history: History, chance: random.Random) -> Spoiled:
    """Once is the wish, and another attempt follows one in doubt."""
    victim = chance.choice([each for each in history.in_doubt if history.is_at_most_once(each)])
    return _told(history, [*history.told, *_attempt(history.requests[victim], MUCH_LATER)], victim)


def call_again_for_the_wish(history: History, chance: random.Random) -> Spoiled:
    """Once is the wish, and a call is repeated that the target has answered."""
    victim = chance.choice([each for each in _quiet(history) if history.is_at_most_once(each)])
    return _call_again(history, victim, MUCH_LATER)


def hide_a_doubt(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice([each for each in history.finals if each.outcome == "unknown"])
    return _exchanged(history, victim, replace(victim, outcome="failure"))


def begin_again(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.submitted)
    return _told(history, [*history.told, *_attempt(victim, MUCH_LATER)], victim.key)


def leave_open(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice([each for each in history.finals if each.reason != NOT_FOUND])
    return _exchanged(history, victim, replace(victim, execution_id="another"))


def forget_an_entry(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.logged)
    return Spoiled(replace(history, logged=[each for each in history.logged if each is not victim]), str(victim.key))


def log_twice(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.logged)
    return Spoiled(replace(history, logged=[*history.logged, victim]), str(victim.key))


def log_otherwise(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.logged)
    others = [each for each in history.logged if each is not victim]
    return Spoiled(replace(history, logged=[*others, victim._replace(error="another")]), str(victim.key))


def call_before_its_turn(history: History, chance: random.Random) -> Spoiled:
    ahead, victim = chance.choice(_neighbours(history))
    calls = [each for each in history.calls if each.key != victim]
    early = Call(key=victim, at=history.final_of[ahead].at - timedelta(milliseconds=2))
    return _called(history, [*calls, early], victim)


def begin_before_its_turn(history: History, chance: random.Random) -> Spoiled:
    ahead, victim = chance.choice(_neighbours(history))
    start = history.attempts[victim][0].start
    told = [each for each in history.told if each is not start]
    told.insert(told.index(history.final_of[ahead]), start)
    return _told(history, told, victim)


def call_after_its_turn(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice([each for each in _quiet(history) if history.requests[each].ordering_key])
    return _call_again(history, victim, MUCH_LATER)


def read_what_was_before(history: History, chance: random.Random) -> Spoiled:
    victim = f"c{chance.randrange(3)}"
    changes = [*history.changes, written(victim, "last", AT), Read(connector_id=victim, value="version 0")]
    return Spoiled(replace(history, changes=changes), victim)


def let_a_read_vanish(history: History, chance: random.Random) -> Spoiled:
    victim = f"c{chance.randrange(3)}"
    unanswered = [written(victim, "known", AT), written(victim, "unknown", AT, is_known=False)]
    reads = [Read(connector_id=victim, value=each) for each in ("known", "unknown", "known")]
    return Spoiled(replace(history, changes=[*history.changes, *unanswered, *reads]), victim)


def deny_a_connector(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice([each for each in history.finals if each.connector_id != "c3"])
    return _exchanged(history, victim, replace(victim, reason=NOT_FOUND))


def _attempt(request: Submitted, at: datetime) -> list[Outcome]:
    start = outcome_of(request, Action.EXECUTE_START, at, number=99, marked=True)
    return [start, replace(start, action=Action.EXECUTE, outcome="failure")]


def _call_again(history: History, victim: RequestKey, at: datetime) -> Spoiled:
    return _called(history, [*history.calls, Call(key=victim, at=at)], victim)


def _called(history: History, calls: Sequence[Call], victim: RequestKey) -> Spoiled:
    return Spoiled(replace(history, calls=calls), str(victim))


def _exchanged(history: History, victim: Outcome, other: Outcome) -> Spoiled:
    return _told(history, [other if each is victim else each for each in history.told], key_of(victim))


def _told(history: History, told: Sequence[Outcome], victim: RequestKey) -> Spoiled:
    """The event log agrees: only one promise is broken."""
    return Spoiled(replace(history, outcomes=told, logged=[entry_of(each) for each in told]), str(victim))


def _quiet(history: History) -> list[RequestKey]:
    """Requests that succeeded at their first attempt."""
    return [key for key, attempts in history.attempts.items() if len(attempts) == 1 and attempts[0].has_succeeded]


def _ends_in_doubt(history: History, key: RequestKey) -> bool:
    return history.attempts[key][-1].is_in_doubt


def _neighbours(history: History) -> list[tuple[RequestKey, RequestKey]]:
    """Requests and the next in the same line."""
    last: dict[tuple[str, str], RequestKey] = {}
    found = []
    for each in history.submitted:
        if each.ordering_key is not None:
            line = (each.key.connector_id, each.ordering_key)
            if line in last:
                found.append((last[line], each.key))
            last[line] = each.key
    return found
