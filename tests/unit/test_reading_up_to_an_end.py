"""Reading a partition up to an offset that is known to be there."""

import asyncio
from collections.abc import Sequence

import pytest

from connectory.domain.errors import Unavailable
from connectory.infra.in_memory_log import InMemoryLog
from connectory.infra.log import STALLED_SECONDS, Message, Record, read_until
from connectory.infra.topics import TopicSpec
from connectory.testing import run_in_virtual_time

TOPIC = "letters"


async def filled(count: int) -> InMemoryLog:
    log = InMemoryLog(1)
    await log.create_topics([TopicSpec(TOPIC)])
    async with log.writer() as writer:
        await writer.write([Message(TOPIC, None, str(number).encode()) for number in range(count)])
    return log


async def test_what_lies_before_the_end_is_read_and_no_more() -> None:
    log = await filled(5)
    async with log.tail(TOPIC, 0, 1) as tail:
        batches = [batch async for batch in read_until(tail, 4)]

    assert [record.value for batch in batches for record in batch] == [b"1", b"2", b"3"]


class Silent:
    """A tail of a broker that has gone away: nothing comes, and nothing is raised."""

    position = 3

    async def end_offset(self) -> int:
        return 9

    async def high_watermark(self) -> int:
        return 9

    async def fetch(self, timeout: float) -> Sequence[Record]:
        await asyncio.sleep(timeout)
        return ()


def test_a_reader_does_not_wait_for_ever() -> None:
    async def test() -> float:
        with pytest.raises(Unavailable, match="delivers nothing from offset 3 on, and 9 is its end"):
            async for _ in read_until(Silent(), 9):
                pass
        return asyncio.get_running_loop().time()

    assert run_in_virtual_time(test()) == STALLED_SECONDS
