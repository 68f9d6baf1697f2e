"""The outermost loop of a role."""

import asyncio

from connectory.domain.errors import Unavailable
from connectory.infra.supervision import keep_running


async def fails() -> None:
    raise Unavailable("the broker is away")


async def takes_its_time_to_end(ending: asyncio.Event, may_end: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ending.set()
        await may_end.wait()


async def test_a_cancellation_that_comes_while_a_task_group_is_failing_ends_the_role() -> None:
    ending, may_end = asyncio.Event(), asyncio.Event()

    async def body() -> None:
        if ending.is_set():
            await asyncio.Event().wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(takes_its_time_to_end(ending, may_end))
            await asyncio.sleep(0)
            tasks.create_task(fails())

    running = asyncio.create_task(keep_running("a role", body, first_wait=0.0, longest_wait=0.0))
    await ending.wait()
    running.cancel()
    await asyncio.sleep(0)
    may_end.set()
    done, _ = await asyncio.wait([running], timeout=5.0)

    assert [task.cancelled() for task in done] == [True]
