"""An executor that was replaced while it slept."""

from connectory.executor.journal import CLAIM
from tests.unit.timed import in_virtual_time, installed


@in_virtual_time
async def test_an_executor_whose_partition_was_claimed_makes_no_call_and_records_nothing() -> None:
    installation = await installed()
    await installation.submit("r0")
    async with installation.executor():
        await installation.ended("r0")
        installation.log.claim(f"{CLAIM}-0")
        await installation.submit("r1")
        await installation.settle()
    assert (installation.calls("r1"), installation.actions("r1")) == ([], [])
    async with installation.executor():
        (final,) = await installation.ended("r1")
    assert (final.attempt, final.possible_duplicate) == (1, False)


@in_virtual_time
async def test_what_was_under_way_when_the_partition_was_claimed_is_in_doubt_for_the_new_owner() -> None:
    installation = await installed()
    installation.answers("r1", 0)
    await installation.submit("r1")
    async with installation.executor():
        await installation.until(installation.calls)
        installation.log.claim(f"{CLAIM}-0")
        await installation.submit("r2")
        await installation.settle()
    async with installation.executor():
        first, second = await installation.ended("r1", "r2")
    assert (first.attempt, first.possible_duplicate) == (2, True)
    assert (second.attempt, second.possible_duplicate) == (1, False)
