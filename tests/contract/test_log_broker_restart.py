"""A broker that goes away and comes back: whoever reads or writes goes on where it was."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectory.domain.errors import Unavailable
from connectory.infra.embedded import EmbeddedKafka, embedded_kafka
from connectory.infra.kafka import KafkaLog, open_kafka_log
from connectory.infra.log import Committed, Log, Message, Share, Tail, Writer
from connectory.infra.settings import KafkaSettings
from connectory.infra.topics import TopicSpec
from tests.contract.conftest import Member, fetch

TOPIC = "topic"
DEADLINE = 120.0


@pytest.fixture
async def broker(kafka_server: EmbeddedKafka, tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    """One of our own, since we end it. That the run's broker could be started says that this one can."""
    assert kafka_server.bootstrap_servers
    async with embedded_kafka(tmp_path) as broker:
        yield broker


@pytest.fixture
async def log(broker: EmbeddedKafka) -> AsyncIterator[KafkaLog]:
    settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=1)
    async with open_kafka_log(settings) as log:
        await log.create_topics([TopicSpec(TOPIC)])
        yield log


async def test_reading_and_writing_go_on_after_the_broker_has_died_and_come_back(
    log: KafkaLog, broker: EmbeddedKafka
) -> None:
    async with log.writer() as writer, log.tail(TOPIC, 0, 0) as tail, Member(log, "group", TOPIC) as member:
        await member.owns(1)
        member.shares[0].start({TOPIC: 0})
        await write_and_read(b"before", writer, tail, member.shares[0])

        await broker.process.restart()

        await write_and_read(b"after", writer, tail, member.shares[0])


async def test_a_transactional_id_is_opened_anew_after_the_broker_has_died(
    log: KafkaLog, broker: EmbeddedKafka
) -> None:
    async with log.transactions("id") as transactions, transactions.begin() as transaction:
        await transaction.write([Message(TOPIC, None, b"before", partition=0)])

    await broker.process.restart()

    async with asyncio.timeout(DEADLINE):
        await until_committed(log, Message(TOPIC, None, b"after", partition=0))
    async with log.tail(TOPIC, 0, 0) as tail:
        assert await next_values(tail, 2) == [b"before", b"after"]


async def write_and_read(value: bytes, writer: Writer, tail: Tail, share: Share) -> None:
    async with asyncio.timeout(DEADLINE):
        position = await until_written(writer, Message(TOPIC, None, value, partition=0))
        assert (await next_values(tail, 1))[0] == value
        assert [record.value for record in await fetch(share, TOPIC, 1, DEADLINE)] == [value]
        await share.commit({TOPIC: Committed(position + 1)})
        assert await share.committed(TOPIC) == Committed(position + 1)


async def until_written(writer: Writer, message: Message) -> int:
    """Write, again while the broker is away; returns the offset."""
    while True:
        try:
            [position] = await writer.write([message])
        except Unavailable:
            await asyncio.sleep(0.1)
            continue
        return position.offset


async def until_committed(log: Log, message: Message) -> None:
    while True:
        try:
            async with log.transactions("id") as transactions, transactions.begin() as transaction:
                await transaction.write([message])
        except Unavailable:
            await asyncio.sleep(0.1)
            continue
        return


async def next_values(tail: Tail, count: int) -> list[bytes | None]:
    values: list[bytes | None] = []
    while len(values) < count:
        values.extend(record.value for record in await tail.fetch(1.0))
    return values
