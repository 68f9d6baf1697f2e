"""What every log promises about offsets and tails."""

import asyncio

from connectory.infra.log import Log, Message, Tail
from tests.contract.conftest import read, visible, write


def messages(topic: str, count: int) -> list[Message]:
    return [Message(topic, b"key", str(n).encode(), partition=0) for n in range(count)]


async def first_value(tail: Tail) -> bytes | None:
    async with asyncio.timeout(30):
        while True:
            for record in await tail.fetch(1.0):
                return record.value


async def test_an_empty_partition_begins_and_ends_at_zero(log: Log, topic: str) -> None:
    async with log.tail(topic, 0, 0) as tail:
        assert await log.beginning_offset(topic, 0) == 0
        assert await tail.end_offset() == 0
        assert tail.position == 0


async def test_a_tail_reads_from_its_offset_on(log: Log, topic: str) -> None:
    await write(log, *messages(topic, 5))

    async with log.tail(topic, 0, 3) as tail:
        assert [record.offset for record in await tail.fetch(30.0)] == [3, 4]
        assert tail.position == await tail.end_offset() == 5


async def test_a_tail_sees_what_is_written_later(log: Log, topic: str) -> None:
    async with log.tail(topic, 0, 0) as tail:
        fetching = asyncio.create_task(first_value(tail))
        await write(log, *messages(topic, 1))

        assert await fetching == b"0"


async def test_a_fetch_with_nothing_to_read_returns_nothing(log: Log, topic: str) -> None:
    async with log.tail(topic, 0, 0) as tail:
        assert list(await tail.fetch(0.05)) == []


async def test_the_position_moves_past_the_marker_of_a_transaction(log: Log, topic: str, transactional_id: str) -> None:
    async with log.transactions(transactional_id) as transactions:
        for message in messages(topic, 3):
            async with transactions.begin() as transaction:
                await transaction.write([message])

    values: list[bytes | None] = []
    async with log.tail(topic, 0, 0) as tail, asyncio.timeout(30):
        while tail.position < 6:
            values.extend(record.value for record in await tail.fetch(5.0))
        assert (values, await tail.end_offset()) == ([b"0", b"1", b"2"], 6)


async def test_the_position_moves_when_there_are_only_markers_left(log: Log, topic: str, transactional_id: str) -> None:
    async with log.transactions(transactional_id) as transactions, transactions.begin() as transaction:
        await transaction.write(messages(topic, 1))

    async with log.tail(topic, 0, 1) as tail:
        assert list(await tail.fetch(30.0)) == []
        assert tail.position == 2


async def test_the_offset_at_a_time_is_that_of_the_first_record_not_older(log: Log, topic: str) -> None:
    await write(log, *messages(topic, 1))
    [first] = await read(log, topic)
    later = first.timestamp_ms + 1

    assert await log.offset_at(topic, 0, first.timestamp_ms) == 0
    assert await log.offset_at(topic, 0, later + 3_600_000) == 1


async def test_two_tails_do_not_disturb_each_other(log: Log, topic: str) -> None:
    await write(log, *messages(topic, 2))

    assert await visible(log, topic) == await visible(log, topic) == [b"0", b"1"]
