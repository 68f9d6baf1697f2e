"""Histories made up from a seed: flawless ones, and ways to spoil them. What the checker itself is tested with."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectory.domain import outcomes
from connectory.domain.execution import ActionRequest, Delivery, Outcome, RequestPosition, Succeeded
from connectory.domain.outcomes import Attempt
from tests.chaos.history import History, entry_of

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
CRASHED = 0.2
"""The share of attempts that a crash cuts off."""


def flawless(seed: int, requests: int = 60) -> History:
    """Crashes happened, and every promise was kept."""
    chance = random.Random(seed)
    published: dict[str, Delivery] = {}
    calls: list[str] = []
    told: list[Outcome] = []
    for number in range(requests):
        request = _request(f"r{number}", chance.choice(list(Delivery)))
        published[request.request_id] = request.delivery
        for called, outcome in _run(chance, request, number):
            calls += [request.request_id] * called
            told.append(outcome)
    repeats = chance.sample(told, 5)
    return History(published=published, calls=calls, outcomes=told + repeats, logged=[entry_of(each) for each in told])


def _request(request_id: str, delivery: Delivery) -> ActionRequest:
    return ActionRequest(
        request_id=request_id, space_id="default", connector_id="c", params={}, requested_at=AT, delivery=delivery
    )


def _run(chance: random.Random, request: ActionRequest, offset: int) -> Iterator[tuple[bool, Outcome]]:
    """The outcomes of a request, each with whether the target was called just before it."""
    position = RequestPosition(topic="action-requests", partition=0, offset=offset)
    for number in range(1, 10):
        attempt = Attempt(
            request=request,
            position=position,
            execution_id=f"{request.request_id}-{number}",
            number=number,
            possible_duplicate=number > 1,
        )
        begun = outcomes.start(attempt, AT)
        yield False, begun
        if chance.random() > CRASHED:
            yield True, outcomes.finish(attempt, AT, AT, Succeeded())
            return
        final = request.delivery is Delivery.AT_MOST_ONCE
        yield chance.random() < 0.5, outcomes.in_doubt(begun, AT, final=final)
        if final:
            return


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A history in which one promise is broken, for one request."""

    history: History
    victim: str


Spoil = Callable[[History, random.Random], Spoiled]


def lose(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.finals)
    return _told(history, [each for each in history.told if each is not victim], victim.request_id)


def end_twice(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.finals)
    return _told(history, [*history.told, replace(victim, execution_id="another")], victim.request_id)


def invent(history: History, chance: random.Random) -> Spoiled:
    return Spoiled(replace(history, calls=[*history.calls, "nobody's"]), "nobody's")


def pretend(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(_clean(history))
    return Spoiled(replace(history, calls=[each for each in history.calls if each != victim]), victim)


def repeat_beyond_doubt(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(list(history.in_doubt))
    more = [victim] * (history.in_doubt[victim] + 2 - history.calls_of[victim])
    return Spoiled(replace(history, calls=[*history.calls, *more]), victim)


def repeat_unmarked(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.repeated)
    told = [replace(each, possible_duplicate=False) if each.request_id == victim else each for each in history.told]
    return _told(history, told, victim)


def repeat_against_the_wish(history: History, chance: random.Random) -> Spoiled:
    wished = [each for each in _clean(history) if history.published[each] is Delivery.AT_MOST_ONCE]
    victim = chance.choice(wished)
    return Spoiled(replace(history, calls=[*history.calls, victim]), victim)


def hide_a_doubt(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice([each for each in history.finals if each.outcome == "unknown"])
    told = [replace(each, outcome="failure") if each is victim else each for each in history.told]
    return _told(history, told, victim.request_id)


def leave_open(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.finals)
    moved = replace(victim, execution_id="another")
    return _told(history, [moved if each is victim else each for each in history.told], victim.request_id)


def forget_an_entry(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.logged)
    return Spoiled(replace(history, logged=[each for each in history.logged if each is not victim]), victim.request_id)


def log_twice(history: History, chance: random.Random) -> Spoiled:
    victim = chance.choice(history.logged)
    return Spoiled(replace(history, logged=[*history.logged, victim]), victim.request_id)


def _told(history: History, told: list[Outcome], victim: str) -> Spoiled:
    """The event log agrees: only one promise is broken."""
    return Spoiled(replace(history, outcomes=told, logged=[entry_of(each) for each in told]), victim)


def _clean(history: History) -> list[str]:
    """Requests that went without a doubt."""
    return [each for each in history.published if each not in history.in_doubt]
