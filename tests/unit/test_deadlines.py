"""Time limits with one timer for all: as `asyncio.timeout`, for each task that is within one."""

import asyncio

import pytest

from connectory.infra.deadlines import Deadlines
from tests.unit.timed import in_virtual_time

LONG = 60.0
SHORT = 0.001


async def wait_within(deadlines: Deadlines, seconds: float) -> None:
    with deadlines.limit(seconds):
        await asyncio.Event().wait()


async def test_what_takes_too_long_is_cut_off() -> None:
    with pytest.raises(TimeoutError):
        await wait_within(Deadlines(), SHORT)
    assert not current().cancelling()


async def test_what_ends_in_time_is_left_alone() -> None:
    deadlines = Deadlines()
    with deadlines.limit(SHORT):
        pass
    with pytest.raises(TimeoutError):
        await wait_within(deadlines, SHORT * 10)


async def test_a_shorter_limit_does_not_wait_for_a_longer_one() -> None:
    deadlines = Deadlines()
    with deadlines.limit(LONG), pytest.raises(TimeoutError):
        await wait_within(deadlines, SHORT)


@in_virtual_time
async def test_limits_end_in_order_of_time_whichever_began_first() -> None:
    deadlines, ended = Deadlines(), list[float]()
    await asyncio.gather(*(end_within(deadlines, seconds, ended) for seconds in (3.0, 1.0, 2.0)))
    assert ended == [1.0, 2.0, 3.0]


@in_virtual_time
async def test_limits_that_a_late_loop_finds_over_all_at_once_end_in_order_of_time_too() -> None:
    deadlines, ended = Deadlines(), list[float]()
    ending = asyncio.gather(*(end_within(deadlines, seconds, ended) for seconds in (3.0, 1.0, 2.0)))
    await asyncio.sleep(0)  # all have begun
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.get_running_loop(), "time", lambda: LONG)
        await ending
    assert ended == [1.0, 2.0, 3.0]


async def end_within(deadlines: Deadlines, seconds: float, ended: list[float]) -> None:
    with pytest.raises(TimeoutError):
        await wait_within(deadlines, seconds)
    ended.append(seconds)


async def test_an_outer_limit_ends_what_stands_within_an_inner_one() -> None:
    deadlines = Deadlines()
    with pytest.raises(TimeoutError), deadlines.limit(SHORT):
        await wait_within(deadlines, LONG)


async def test_a_cancellation_from_outside_stays_one() -> None:
    deadlines = Deadlines()
    task = asyncio.create_task(wait_within(deadlines, LONG))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_from_outside_goes_before_the_limit() -> None:
    async def cancelled_as_the_time_is_up() -> None:
        with Deadlines().limit(SHORT):
            try:
                await asyncio.Event().wait()
            finally:
                current().cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(cancelled_as_the_time_is_up())


async def test_an_error_of_the_call_passes_through() -> None:
    with pytest.raises(ValueError, match="its own"), Deadlines().limit(LONG):
        raise ValueError("its own")


def current() -> "asyncio.Task[None]":
    task = asyncio.current_task()
    assert task is not None
    return task
