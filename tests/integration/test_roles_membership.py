"""Two executors share the partitions on a real Kafka; one comes and goes while requests come in all the time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from tests.integration.roles import DEADLINE_SECONDS, Roles, open_roles, request_message
from tests.unit.installation import Target
from tests.waiting import until

CONNECTORS = 16
AHEAD = 8
BATCH = 4
PHASE = 60
"""Requests that are seen in each phase: before the second executor, by it, and after it."""


@pytest.fixture
async def roles(kafka_bootstrap: str, topic_prefix: str) -> AsyncIterator[Roles]:
    async with open_roles(kafka_bootstrap, topic_prefix) as opened:
        async with opened.aggregate():
            for number in range(CONNECTORS):
                await opened.create(f"c{number}")
        yield opened


async def takes_a_moment(request: OutgoingRequest) -> OutgoingResponse:
    await asyncio.sleep(0.03)
    return OutgoingResponse(status=200, reason="OK", headers={}, body=b"")


class Load:
    """Publishes a few requests ahead of the calls, until told to stop."""

    def __init__(self, roles: Roles, *targets: Target) -> None:
        self._roles = roles
        self._targets = targets
        self.published: list[str] = []
        self.stop = False

    def calls(self) -> list[str]:
        """The ids of the requests that the targets saw, one a call."""
        return [str(call.headers["Idempotency-Key"]) for target in self._targets for call in target.calls]

    async def run(self) -> None:
        while not self.stop:
            await until(lambda: len(self.published) - len(self.calls()) < AHEAD, DEADLINE_SECONDS, 0.005)
            numbers = range(len(self.published), len(self.published) + BATCH)
            await self._roles.send(*(request_message(f"r{n}", f"c{n % CONNECTORS}") for n in numbers))
            self.published += [f"r{n}" for n in numbers]


async def sees_more(target: Target, calls: int) -> None:
    awaited = len(target.calls) + calls
    await until(lambda: len(target.calls) >= awaited, DEADLINE_SECONDS, 0.005)


async def test_nothing_is_lost_or_run_twice_when_an_executor_joins_and_leaves(roles: Roles) -> None:
    staying, passing = Target(takes_a_moment), Target(takes_a_moment)
    load = Load(roles, staying, passing)
    async with roles.executor(staying), asyncio.TaskGroup() as tasks:
        publishing = tasks.create_task(load.run())
        await sees_more(staying, PHASE)
        async with roles.executor(passing):
            await sees_more(passing, PHASE)
            await sees_more(staying, 1)
        await sees_more(staying, PHASE)
        load.stop = True
        await publishing
        outcomes = await roles.outcomes(load.published)

    finals = Counter(each.request_id for each in outcomes if each.final)
    assert finals == Counter(load.published)
    assert Counter(load.calls()) == Counter(load.published)
    assert not any(each.possible_duplicate for each in outcomes)
