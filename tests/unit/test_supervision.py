"""The outermost loop of a role."""

import asyncio
import logging

import pytest

from connectory.domain.errors import Fenced, Unavailable
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


@pytest.mark.parametrize(
    ("error", "level", "line"),
    [
        (Unavailable("no broker"), logging.WARNING, "a role failed, starting it again: no broker"),
        (
            ExceptionGroup("tasks", [ExceptionGroup("more", [Unavailable("no broker")]), Unavailable("no broker")]),
            logging.WARNING,
            "a role failed, starting it again: no broker",
        ),
        (
            ExceptionGroup("tasks", [Fenced("by another")]),
            logging.INFO,
            "a role was taken over by another instance, joining anew: by another",
        ),
        (
            ExceptionGroup("tasks", [Unavailable("no broker"), KeyError("x")]),
            logging.ERROR,
            "a role failed unexpectedly, starting it again",
        ),
    ],
)
async def test_what_was_raised_on_purpose_is_one_line_and_a_defect_has_its_traceback(
    error: Exception, level: int, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        if caplog.records:
            raise asyncio.CancelledError
        raise error

    with caplog.at_level(logging.INFO), pytest.raises(asyncio.CancelledError):
        await keep_running("a role", body, first_wait=0.0, longest_wait=0.0)

    [record] = caplog.records
    assert (record.levelno, record.getMessage(), bool(record.exc_info)) == (level, line, level == logging.ERROR)
