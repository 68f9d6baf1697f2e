"""What only the log on a cluster has: topics with their configuration, and a cluster that may be out of reach."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient, ConnectionGroup  # type: ignore[import-untyped]
from aiokafka.conn import AIOKafkaConnection  # type: ignore[import-untyped]

from connectory.domain.errors import Unavailable
from connectory.infra.kafka import KafkaLog, claim, library, open_kafka_log
from connectory.infra.kafka.library import kafka_errors
from connectory.infra.log import Message, Share
from connectory.infra.settings import KafkaSettings
from connectory.infra.topics import TopicSpec
from tests.contract.conftest import unique, visible, write
from tests.waiting import until_answer

NOBODY = "127.0.0.1:1"
"""An address at which nobody listens."""


@pytest.fixture
async def log(kafka_bootstrap: str, topic_prefix: str) -> AsyncIterator[KafkaLog]:
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap, topic_prefix=topic_prefix, partitions=2)
    async with open_kafka_log(settings) as log:
        yield log


@pytest.fixture
async def unreachable() -> AsyncIterator[KafkaLog]:
    async with open_kafka_log(KafkaSettings(bootstrap_servers=NOBODY)) as log:
        yield log


async def test_an_opening_that_is_given_up_leaves_no_connection(log: KafkaLog, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, connections, send = asyncio.Event(), set[Any](), AIOKafkaConnection.send

    def spied(connection: Any, request: Any, *args: Any, **options: Any) -> Any:
        connections.add(connection)
        if type(request).__name__.startswith("MetadataRequest"):
            asked.set()
        return send(connection, request, *args, **options)

    monkeypatch.setattr(AIOKafkaConnection, "send", spied)
    monkeypatch.setattr(library, "GIVE_UP", 60.0)  # however long the broker takes to answer
    opening = asyncio.create_task(open_tail(log))
    await asked.wait()
    opening.cancel()
    await asyncio.wait([opening])

    assert opening.cancelled()
    assert [each for each in connections if each.connected()] == []


async def never(share: Share) -> None:
    raise AssertionError(share)


async def open_tail(log: KafkaLog) -> None:
    async with log.tail("topic", 0, 0):
        pass


async def open_transactions(log: KafkaLog) -> None:
    async with log.transactions("id"):
        pass


async def test_a_claim_that_the_broker_is_reminded_of_goes_on(log: KafkaLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "RENEW_SECONDS", 0.01)
    await log.create_topics([TopicSpec("events")])
    async with log.writer() as writer, writer.claim("events", 0, "name") as claimed, log.tail("events", 0, 0) as tail:
        for _ in range(3):
            [written] = await claimed.write([Message("events", None, b"1")])
            # The reminder takes an offset, and is no record.
            await until_answer(tail.high_watermark, (written.offset + 1).__lt__)


async def test_a_batch_of_a_claim_whose_answer_was_lost_is_written_once(
    log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forget_every_other_answer(*place: object, group: ConnectionGroup = ConnectionGroup.DEFAULT) -> object:
        [_, _, request] = place
        answer = await send(*place, group=group)
        if type(request).__name__ == "ProduceRequest":
            sent.append(request)
            if len(sent) % 2:
                raise kafka_errors.RequestTimedOutError
        return answer

    sent: list[object] = []
    send: Callable[..., Awaitable[object]] = AIOKafkaClient.send
    await log.create_topics([TopicSpec("events")])
    async with log.writer() as writer, writer.claim("events", 0, "name") as claimed:
        monkeypatch.setattr(AIOKafkaClient, "send", forget_every_other_answer)
        for n in range(5):
            await claimed.write([Message("events", None, bytes([n]))])

    assert len(sent) == 10
    assert await visible(log, "events") == [bytes([n]) for n in range(5)]


async def test_topics_are_described_without_the_prefix(log: KafkaLog) -> None:
    await log.create_topics([TopicSpec("events")])
    await write(log, Message("events", None, b"1", partition=1), Message("events", None, b"2", partition=1))

    [topic] = await log.describe_topics()

    assert (topic.name, topic.partitions, topic.replication_factor) == ("events", 2, 1)
    assert list(topic.end_offsets) == [0, 2]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (TopicSpec("forever"), {"cleanup.policy": "delete", "retention.ms": "-1"}),
        (TopicSpec("hour", timedelta(hours=1)), {"retention.ms": "3600000", "segment.ms": "600000"}),
        (TopicSpec("state", compacted=True), {"cleanup.policy": "compact", "segment.ms": "3600000"}),
    ],
)
async def test_topics_keep_records_as_declared(log: KafkaLog, spec: TopicSpec, expected: dict[str, str]) -> None:
    await log.create_topics([spec])

    [topic] = await log.describe_topics()

    assert {key: topic.configs[key] for key in expected} == expected


async def test_no_topics_are_described_as_none(log: KafkaLog) -> None:
    assert await log.describe_topics() == []


async def test_a_topic_that_does_not_exist_is_named(log: KafkaLog) -> None:
    with pytest.raises(Unavailable, match="absent"):
        await log.partition_count("absent")


@pytest.mark.parametrize(
    "use",
    [
        lambda log: log.create_topics([TopicSpec("topic")]),
        lambda log: log.partition_count("topic"),
        lambda log: log.beginning_offset("topic", 0),
        lambda log: log.offset_at("topic", 0, 0),
        lambda log: log.join("group", ["topic"], never),
        lambda log: write(log, Message("topic", b"key", b"value")),
        open_tail,
        open_transactions,
    ],
    ids=["create", "count", "beginning", "offset at", "join", "write", "tail", "transactions"],
)
async def test_a_cluster_out_of_reach_is_unavailable_and_named(
    unreachable: KafkaLog, use: Callable[[KafkaLog], Awaitable[object]]
) -> None:
    with pytest.raises(Unavailable, match=NOBODY):
        async with asyncio.timeout(30):
            await use(unreachable)


async def test_a_writer_can_be_opened_before_the_cluster_is_there(unreachable: KafkaLog) -> None:
    async with unreachable.writer() as writer:
        for _ in range(3):
            with pytest.raises(Unavailable):
                await writer.write([Message(unique("topic"), b"key", b"value")])
