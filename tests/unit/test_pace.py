"""So many a second, in virtual time."""

import asyncio

import pytest

from connectory.infra.pace import Pace
from connectory.testing import run_in_virtual_time


async def seconds_for(pace: Pace, *counts: int) -> float:
    clock = asyncio.get_running_loop().time
    start = clock()
    for count in counts:
        await pace.wait(count)
    return clock() - start


@pytest.mark.parametrize(
    ("rate", "counts", "seconds"),
    [(None, [1000] * 10, 0.0), (10.0, [1] * 11, 1.0), (10.0, [10, 10, 10], 2.0), (0.5, [1, 1, 1], 4.0)],
)
def test_what_passes_in_a_time_is_what_the_rate_allows(rate: float | None, counts: list[int], seconds: float) -> None:
    assert run_in_virtual_time(seconds_for(Pace(rate), *counts)) == pytest.approx(seconds)


@pytest.mark.parametrize(("rate", "size"), [(None, 50), (1000.0, 50), (7.9, 7), (0.01, 1)])
def test_a_batch_is_no_more_than_passes_in_a_second(rate: float | None, size: int) -> None:
    assert Pace(rate).batch(50) == size
