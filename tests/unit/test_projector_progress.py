"""Waiting until a projection has applied an event."""

import asyncio

from connectory.infra.progress import Progress


async def test_what_is_applied_already_is_not_waited_for() -> None:
    progress = Progress()
    progress.reached("connectors_by_space", 2, 8)

    assert await progress.wait_for("connectors_by_space", 2, 7, timeout=0)


async def test_waiting_ends_when_the_event_is_applied() -> None:
    progress = Progress()
    waiting = asyncio.create_task(progress.wait_for("connectors_by_space", 2, 7, timeout=60))
    await asyncio.sleep(0)

    progress.reached("connectors_by_space", 2, 7)
    progress.reached("connectors_by_space", 3, 99)
    progress.reached("event_log", 2, 99)
    assert not waiting.done()
    progress.reached("connectors_by_space", 2, 8)

    assert await waiting


async def test_waiting_gives_up_in_time() -> None:
    assert not await Progress().wait_for("connectors_by_space", 0, 0, timeout=0)


async def test_progress_that_a_crash_has_taken_back_is_no_longer_believed() -> None:
    progress = Progress()
    progress.reached("connectors_by_space", 0, 8)

    progress.replace({("connectors_by_space", 0): 5})

    assert not await progress.wait_for("connectors_by_space", 0, 7, timeout=0)


async def test_nobody_is_remembered_after_waiting() -> None:
    progress = Progress()
    for _ in range(3):
        await progress.wait_for("connectors_by_space", 0, 7, timeout=0)

    assert progress.waiting == 0
