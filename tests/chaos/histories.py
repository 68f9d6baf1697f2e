"""Histories made up from a seed in which every promise was kept, through crashes, retries and late calls.

Each line of requests has a time of its own, so that lines overlap, as they do in a run.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connectory.domain.execution import Action, Delivery, Outcome, OutcomeStatus, RequestPosition
from connectory.testing.history import Call, History, Read, RequestKey, Submitted, Written, entry_of
from connectory.testing.history.of_connectors import NOT_FOUND
from connectory.testing.history.recorded import IN_DOUBT

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONNECTORS = 3
MOST_ATTEMPTS = 3
LATE = timedelta(hours=1)
"""How long a call of an attempt in doubt can be held up."""


@dataclass(frozen=True, slots=True)
class Life:
    """What there was to see of one request, and when it was over."""

    calls: list[Call]
    outcomes: list[Outcome]
    over_at: datetime


def flawless(seed: int, requests: int = 90) -> History:
    """Crashes happened, requests were tried again, and every promise was kept."""
    chance = random.Random(seed)
    submitted = [_submitted(number, chance) for number in range(requests)]
    lives = list(_lives(submitted, chance))
    told = sorted((each for life in lives for each in life.outcomes), key=lambda outcome: outcome.at)
    return History(
        submitted=submitted,
        calls=[each for life in lives for each in life.calls],
        outcomes=told + chance.sample(told, 5),
        logged=[entry_of(each) for each in told],
        changes=[change for number in range(CONNECTORS + 1) for change in _changes(number, chance)],
    )


def _submitted(number: int, chance: random.Random) -> Submitted:
    """The connectors share the ids of their requests. There is one more connector, which was deleted before."""
    connector, count = number % (CONNECTORS + 1), number // (CONNECTORS + 1)
    return Submitted(
        key=RequestKey("default", f"c{connector}", f"r{count}"),
        at=AT + timedelta(milliseconds=number),
        offset=number,
        delivery=chance.choice(list(Delivery)),
        ordering_key=chance.choice([None, "a", "b"]) if connector < CONNECTORS else None,
    )


def _lives(submitted: list[Submitted], chance: random.Random) -> Iterator[Life]:
    free: dict[object, datetime] = {}
    for each in submitted:
        line = (each.key.connector_id, each.ordering_key) if each.ordering_key else each.key
        begin = max(free.get(line, AT), each.at) + _some(chance)
        gone = each.key.connector_id == f"c{CONNECTORS}"
        life = Life([], [_not_found(each, begin)], begin) if gone else _live(each, begin, chance)
        free[line] = life.over_at
        yield life


def _live(request: Submitted, at: datetime, chance: random.Random) -> Life:
    life = Life([], [], at)
    doubted = False
    for number in range(1, 20):
        start = outcome_of(request, Action.EXECUTE_START, at, number=number, marked=doubted)
        fate = chance.choices(["success", "refused", "unreachable", "crash"], (6, 1, 1, 2))[0]
        life.calls.extend(_calls(request, fate, at + _some(chance), chance))
        at += timedelta(milliseconds=50) + _some(chance)
        end = _end(start, fate, request.delivery, at)
        life.outcomes.extend([start, end])
        if end.final:
            return replace(life, over_at=at)
        doubted = doubted or fate == "crash"
        at += _some(chance)
    raise AssertionError("chance has it that nothing ever ends")


def _calls(request: Submitted, fate: str, at: datetime, chance: random.Random) -> list[Call]:
    if fate == "unreachable":
        return []
    if fate == "crash":
        late = LATE if chance.random() < 0.2 else timedelta(0)
        return [Call(key=request.key, at=at + late, answer=None)] if chance.random() < 0.6 else []
    return [Call(key=request.key, at=at, answer=200 if fate == "success" else 429)]


def _end(start: Outcome, fate: str, delivery: Delivery, at: datetime) -> Outcome:
    end = replace(start, action=Action.EXECUTE, at=at)
    if fate == "crash":
        final = delivery is Delivery.AT_MOST_ONCE
        return replace(end, outcome="unknown", reason=IN_DOUBT, final=final, possible_duplicate=not final)
    outcome: OutcomeStatus = "success" if fate == "success" else "failure"
    return replace(end, outcome=outcome, final=outcome == "success" or start.attempt >= MOST_ATTEMPTS)


def _not_found(request: Submitted, at: datetime) -> Outcome:
    refused = outcome_of(request, Action.EXECUTE, at, number=1)
    return replace(refused, outcome="failure", reason=NOT_FOUND, final=True)


def outcome_of(request: Submitted, action: Action, at: datetime, *, number: int, marked: bool = False) -> Outcome:
    return Outcome(
        execution_id=f"{request.key}#{number}",
        space_id=request.key.space_id,
        connector_id=request.key.connector_id,
        request_id=request.key.request_id,
        action=action,
        at=at,
        started_at=at,
        position=RequestPosition(topic="action-requests", partition=0, offset=request.offset),
        final=False,
        attempt=number,
        message="",
        possible_duplicate=marked,
    )


def _changes(number: int, chance: random.Random) -> Iterator[Written | Read]:
    """Created, then updated a few times, sometimes without an answer; read after each change. The last is deleted."""
    at = AT - timedelta(seconds=60)
    before = None
    for count in range(6):
        value, is_known = f"version {count}", count == 0 or chance.random() < 0.7
        yield written(f"c{number}", value, at + timedelta(seconds=count), is_known=is_known)
        before = value if is_known or chance.random() < 0.5 else before
        yield Read(connector_id=f"c{number}", value=before)
    if number == CONNECTORS:
        yield written(f"c{number}", None, at + timedelta(seconds=10))
        yield Read(connector_id=f"c{number}", value=None)


def written(connector_id: str, value: str | None, at: datetime, *, is_known: bool = True) -> Written:
    ended_at = at + timedelta(milliseconds=20)
    return Written(connector_id=connector_id, value=value, began_at=at, ended_at=ended_at, is_known=is_known)


def _some(chance: random.Random) -> timedelta:
    return timedelta(milliseconds=chance.uniform(2, 40))
