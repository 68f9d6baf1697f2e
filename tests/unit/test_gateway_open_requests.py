"""How many requests are taken over HTTP while others are open."""

import asyncio

import pytest

from connectory.domain.errors import Unavailable
from connectory.gateway import open_requests
from connectory.gateway.open_requests import OpenRequests
from tests.unit.installation import Installation, owned
from tests.waiting import until


async def counted(installation: Installation, limit: int) -> OpenRequests:
    """With one count, and no further one."""
    counting = OpenRequests(installation.log, limit)
    async with owned(counting.follow()):
        await until(lambda: counting.known is not None)
    return counting


@pytest.mark.parametrize(
    ("open_", "count", "admitted"), [(0, 4, 4), (0, 5, 5), (0, 7, 5), (3, 4, 2), (5, 1, 0), (9, 2, 0)]
)
async def test_what_goes_beyond_the_limit_is_cut_off(open_: int, count: int, admitted: int) -> None:
    installation = await Installation().create_topics()
    await installation.submit(*(f"r{n}" for n in range(open_)))
    counting = await counted(installation, 5)
    assert counting.admit(count) == admitted


async def test_what_was_taken_since_the_count_is_added_to_it() -> None:
    counting = await counted(await Installation().create_topics(), 5)
    assert [counting.admit(3), counting.admit(3), counting.admit(3)] == [3, 2, 0]


async def test_what_has_been_run_makes_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_requests, "REFRESH_SECONDS", 0.001)
    installation = await Installation().create_topics()
    await installation.connector()
    counting = OpenRequests(installation.log, 3)
    async with installation.executor(), owned(counting.follow()):
        await until(lambda: counting.known is not None)
        assert counting.admit(3) == 3
        await installation.submit("r1", "r2", "r3")
        await installation.final_outcomes(3)
        await until(lambda: counting.admit(1) == 1)


async def test_after_a_quiet_time_nobody_is_judged_by_what_was_open_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_requests, "REFRESH_SECONDS", 0.001)
    installation = await Installation().create_topics()
    await installation.connector()
    await installation.submit("r1")
    counting = OpenRequests(installation.log, 1)  # of more, some could end first: below half it stops counting
    async with owned(counting.follow()):
        await until(lambda: counting.known == 1)
        async with installation.executor():
            await until(lambda: counting.known == 0)
    assert counting.admit(1) == 1


async def test_until_they_can_be_counted_nothing_is_refused() -> None:
    async def away(operation: str) -> None:
        if operation == "offsets":
            raise Unavailable("away")

    installation = await Installation(before=away).create_topics()
    counting = OpenRequests(installation.log, 1)
    async with owned(counting.follow()) as task:
        for _ in range(5):
            await asyncio.sleep(0)
        assert (counting.admit(10), task.done()) == (10, False)
