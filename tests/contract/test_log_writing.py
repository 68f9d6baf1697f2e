"""What every log promises about writing and about reading one partition."""

import asyncio
import time

import pytest

from connectory.domain.errors import MessageTooLarge
from connectory.infra.log import Log, Message, partition_for
from connectory.infra.topics import TopicSpec
from tests.contract.conftest import PARTITIONS, new_topic, read, unique, visible, write


async def test_topics_are_created_once(log: Log) -> None:
    name = unique("topic")

    assert await log.create_topics([TopicSpec(name)]) == [name]
    assert await log.create_topics([TopicSpec(name)]) == []
    assert await log.partition_count(name) == PARTITIONS


async def test_a_written_record_is_read_as_it_was_written(log: Log, topic: str) -> None:
    headers = (("ce_type", b"Test"), ("ce_type", b"again"), ("empty", b""))

    await write(log, Message(topic, b"key", b"value", headers, partition=1))

    [record] = await read(log, topic, 1)
    assert (record.topic, record.partition, record.offset) == (topic, 1, 0)
    assert (record.key, record.value, tuple(record.headers)) == (b"key", b"value", headers)
    assert abs(record.timestamp_ms - time.time() * 1000) < 3_600_000


async def test_positions_say_where_each_record_is(log: Log, topic: str) -> None:
    messages = [Message(topic, None, str(n).encode(), partition=n % 2) for n in range(7)]

    async with log.writer() as writer:
        positions = await writer.write(messages)

    assert [(p.topic, p.partition, p.offset) for p in positions] == [(topic, n % 2, n // 2) for n in range(7)]


async def test_nothing_to_write_is_no_error(log: Log) -> None:
    async with log.writer() as writer:
        assert await writer.write([]) == []


async def test_a_key_goes_to_its_partition(log: Log, topic: str) -> None:
    keys = [f"connector-{n}".encode() for n in range(50)]

    async with log.writer() as writer:
        positions = await writer.write([Message(topic, key, b"") for key in keys])

    assert [position.partition for position in positions] == [partition_for(key, PARTITIONS) for key in keys]


async def test_a_record_for_a_foreign_partition_stays_there(log: Log, topic: str) -> None:
    foreign = (partition_for(b"key", PARTITIONS) + 1) % PARTITIONS

    await write(log, Message(topic, b"key", b"astray", partition=foreign))

    assert await visible(log, topic, foreign) == [b"astray"]


async def test_simultaneous_writes_keep_the_order_of_the_calls(log: Log, topic: str) -> None:
    calls = [[Message(topic, None, f"{call}-{n}".encode() * 40, partition=0) for n in range(20)] for call in range(60)]

    async with log.writer() as writer, asyncio.TaskGroup() as tasks:
        for call in calls:
            tasks.create_task(writer.write(call))

    assert await visible(log, topic) == [message.value for call in calls for message in call]


async def test_positions_of_simultaneous_writes_are_right(log: Log, topic: str) -> None:
    async with log.writer() as writer:
        positions = await asyncio.gather(
            *(writer.write([Message(topic, None, str(n).encode(), partition=0)] * 2) for n in range(100))
        )

    values = await visible(log, topic)
    assert [values[each.offset] for pair in positions for each in pair] == [
        str(n).encode() for n in range(100) for _ in range(2)
    ]


async def test_more_than_a_request_holds_is_written_in_order(log: Log, topic: str) -> None:
    messages = [Message(topic, None, bytes([n]) * 300_000, partition=0) for n in range(12)]

    await write(log, *messages)

    assert await visible(log, topic) == [message.value for message in messages]


async def test_a_tombstone_is_read_as_no_value(log: Log) -> None:
    topic = await new_topic(log, compacted=True)

    await write(log, Message(topic, b"id", b"state", partition=0), Message(topic, b"id", None, partition=0))

    assert await visible(log, topic) == [b"state", None]


async def test_a_record_that_is_too_large_is_refused_before_anything_is_written(log: Log, topic: str) -> None:
    messages = [Message(topic, None, b"fits", partition=0), Message(topic, None, b"x" * 1_100_000, partition=0)]

    with pytest.raises(MessageTooLarge, match="1100000 bytes"):
        await write(log, *messages)

    assert await visible(log, topic) == []


async def test_a_writer_goes_on_after_a_refusal(log: Log, topic: str) -> None:
    async with log.writer() as writer:
        with pytest.raises(MessageTooLarge):
            await writer.write([Message(topic, None, b"x" * 1_100_000, partition=0)])
        [position] = await writer.write([Message(topic, None, b"fits", partition=0)])

    assert position.offset == 0
