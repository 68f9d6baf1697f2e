"""A broker that goes away and comes back: whoever reads or writes goes on where it was."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectory.domain.errors import Fenced, Unavailable
from connectory.infra.embedded import EmbeddedKafka, embedded_kafka
from connectory.infra.kafka import KafkaLog, connection, open_kafka_log, outlets
from connectory.infra.log import Claim, Committed, Log, Message, Share, Tail, Writer
from connectory.infra.settings import KafkaSettings
from connectory.infra.topics import TopicSpec
from tests.contract.conftest import Member, fetch, visible

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
        values = await next_values(tail, 2)
    # One whose answer was lost is written again.
    assert list(dict.fromkeys(values)) == [b"before", b"after"]


async def test_a_claim_goes_on_after_the_broker_has_died_and_come_back(
    log: KafkaLog, broker: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long the broker takes to start.
    monkeypatch.setattr(outlets, "DELIVERY_SECONDS", DEADLINE)
    monkeypatch.setattr(connection, "REQUEST_SECONDS", DEADLINE)
    async with log.writer() as writer, writer.claim(TOPIC, 0, "name") as claim:
        await claim.write([message("1")])
        await broker.process.kill()
        under_way = asyncio.create_task(claim.write([message("2")]))
        await broker.process.start()
        await under_way
        await claim.write([message("3")])

    assert await visible(log, TOPIC) == [b"1", b"2", b"3"]


async def test_a_claim_goes_on_after_writes_have_failed_but_not_when_it_was_taken_over_meanwhile(
    log: KafkaLog, broker: EmbeddedKafka
) -> None:
    async with log.writer() as writer, writer.claim(TOPIC, 0, "name") as claim, log.writer() as other:
        await fail_while_away(broker, claim)
        await until_written(claim, message("ours"))

        await fail_while_away(broker, claim)
        async with asyncio.timeout(DEADLINE), other.claim(TOPIC, 0, "name") as owner:
            await until_written(owner, message("theirs"))
            with pytest.raises(Fenced):
                await until_written(claim, message("late"))

    values = await visible(log, TOPIC)
    assert [value for value in values if value != b"maybe"] == [b"ours", b"theirs"]


def message(value: str) -> Message:
    return Message(TOPIC, None, value.encode(), partition=0)


async def fail_while_away(broker: EmbeddedKafka, claim: Claim) -> None:
    """Only this write has so little time: one that just takes longer would be given up, and then be there twice."""
    await broker.process.kill()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outlets, "DELIVERY_SECONDS", 1.0)
        with pytest.raises(Unavailable):
            await claim.write([message("maybe")])
    await broker.process.start()


async def write_and_read(value: bytes, writer: Writer, tail: Tail, share: Share) -> None:
    async with asyncio.timeout(DEADLINE):
        position = await until_written(writer, Message(TOPIC, None, value, partition=0))
        assert (await next_values(tail, 1))[0] == value
        assert [record.value for record in await fetch(share, TOPIC, 1, DEADLINE)] == [value]
        await share.commit({TOPIC: Committed(position + 1)})
        assert await share.committed(TOPIC) == Committed(position + 1)


async def until_written(writer: Writer | Claim, message: Message) -> int:
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
