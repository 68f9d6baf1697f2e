"""How a member ends when the work on one of its partitions does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from connectory.domain.errors import ConnectoryError, Fenced, Unavailable
from connectory.infra.log import Serve, Share
from connectory.infra.serving import Serving
from connectory.testing import InMemoryLog
from tests.unit.installation import Installation
from tests.waiting import until_many

PARTITIONS = 2


@asynccontextmanager
async def member_of(log: InMemoryLog, serve: Serve) -> AsyncIterator[asyncio.Task[None]]:
    member = asyncio.create_task(log.join("group", ["action-requests"], serve))
    try:
        yield member
    finally:
        member.cancel()
        await asyncio.wait([member])


async def test_work_that_is_cancelled_by_nobody_is_a_failure_and_no_cancellation() -> None:
    async def serve(share: Share) -> None:
        raise asyncio.CancelledError

    installation = await Installation().create_topics()
    with pytest.raises(ConnectoryError, match="was cancelled"):
        await installation.log.join("group", ["action-requests"], serve)


async def test_a_failure_that_has_happened_is_raised() -> None:
    async def serve(share: Share) -> None:
        raise ConnectoryError("it broke")

    installation = await Installation().create_topics()
    with pytest.raises(ConnectoryError, match="it broke"):
        await installation.log.join("group", ["action-requests"], serve)


async def test_nothing_failed_where_nothing_ran() -> None:
    async def serve(share: Share) -> None:
        raise AssertionError

    serving = Serving("group", serve, grace=1.0)
    await serving.end()
    serving.raise_failure()


@pytest.mark.parametrize(
    ("error", "is_failure"),
    [
        (Fenced("taken over"), False),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [Fenced("taken over")]), Fenced("so is this")]), False),
        (ExceptionGroup("tasks", [Fenced("taken over"), Unavailable("the broker is away")]), True),
    ],
)
async def test_work_that_was_taken_over_when_it_was_to_end_has_not_failed(error: Exception, is_failure: bool) -> None:
    begun: list[int] = []

    async def serve(share: Share) -> None:
        begun.append(share.index)
        await share.revoked.wait()
        if len(begun) <= PARTITIONS:
            raise error

    log = (await Installation(partitions=PARTITIONS).create_topics()).log
    async with member_of(log, serve) as member:
        await until_many(lambda: begun, PARTITIONS)
        async with member_of(log, serve):
            await until_many(lambda: begun, 2 * PARTITIONS)
            assert member.done() == is_failure
