"""What the in-memory log has beyond the seam, for tests. What it shares with Kafka is in the contract suite."""

import asyncio
from datetime import UTC, datetime

import pytest

from connectory.domain.errors import Unavailable
from connectory.infra.in_memory_log import InMemoryLog
from connectory.infra.log import Claim, Committed, Message, Share, read_all
from connectory.infra.topics import TopicSpec
from tests.waiting import until

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
async def log() -> InMemoryLog:
    log = InMemoryLog(2, clock=lambda: NOON)
    await log.create_topics([TopicSpec("topic", compacted=True)])
    return log


async def write(log: InMemoryLog, *pairs: tuple[str, bytes | None]) -> None:
    async with log.writer() as writer:
        await writer.write([Message("topic", key.encode(), value, partition=0) for key, value in pairs])


def values(log: InMemoryLog) -> list[bytes | None]:
    return [record.value for record in log.records("topic")]


async def test_records_bear_the_time_of_the_clock(log: InMemoryLog) -> None:
    await write(log, ("a", b"1"))

    assert [record.timestamp_ms for record in log.records("topic")] == [NOON.timestamp() * 1000]


async def test_compaction_keeps_the_last_record_of_each_key_and_its_offset(log: InMemoryLog) -> None:
    await write(log, ("a", b"1"), ("b", b"2"), ("a", b"3"), ("b", None), ("c", b"4"))

    log.compact("topic")

    assert [(record.offset, record.value) for record in log.records("topic")] == [(2, b"3"), (4, b"4")]


async def test_compaction_may_leave_tombstones_for_a_while(log: InMemoryLog) -> None:
    await write(log, ("a", b"1"), ("a", None))

    log.compact("topic", drop_tombstones=False)

    assert values(log) == [None]


async def test_a_tail_reaches_the_end_of_a_partition_that_was_compacted_away(log: InMemoryLog) -> None:
    await write(log, ("a", b"1"), ("a", None))
    log.compact("topic")

    async with log.tail("topic", 0, 0) as tail:
        assert list(await read_all(tail)) == []
        assert tail.position == 2


async def test_compaction_leaves_an_open_transaction_alone(log: InMemoryLog) -> None:
    async with log.transactions("id") as transactions, transactions.begin() as transaction:
        await transaction.write([Message("topic", b"a", b"1", partition=0), Message("topic", b"a", b"2", partition=0)])
        log.compact("topic")

    assert values(log) == [b"1", b"2"]


async def test_retention_moves_the_beginning(log: InMemoryLog) -> None:
    await write(log, ("a", b"1"), ("b", b"2"))

    log.delete_before("topic", 0, 1)

    assert await log.beginning_offset("topic", 0) == 1
    async with log.tail("topic", 0, 0) as tail:
        assert [record.value for record in await read_all(tail)] == [b"2"]


async def test_a_raw_record_may_be_anything_anywhere(log: InMemoryLog) -> None:
    position = log.append_raw("topic", 1, b"\xff", key=b"a", timestamp_ms=5)

    assert position == ("topic", 1, 0)
    [record] = log.records("topic")
    assert (record.partition, record.value, record.timestamp_ms) == (1, b"\xff", 5)


async def test_the_offset_at_a_time_is_found_among_back_dated_records(log: InMemoryLog) -> None:
    for timestamp_ms in (10, 20, 30):
        log.append_raw("topic", 0, b"", timestamp_ms=timestamp_ms)

    assert [await log.offset_at("topic", 0, at) for at in (0, 20, 21, 31)] == [0, 1, 2, 3]


async def test_a_topic_that_does_not_exist_is_unavailable(log: InMemoryLog) -> None:
    with pytest.raises(Unavailable, match="absent"):
        await log.partition_count("absent")


async def test_a_fault_before_the_commit_aborts_the_transaction() -> None:
    async def fail(operation: str) -> None:
        if operation == "transaction-commit":
            raise Unavailable("injected")

    log = InMemoryLog(2, before=fail)
    await log.create_topics([TopicSpec("topic")])
    with pytest.raises(Unavailable, match="injected"):
        async with log.transactions("id") as transactions, transactions.begin() as transaction:
            await transaction.write([Message("topic", b"a", b"1")])

    assert values(log) == []


async def test_a_claim_that_fails_leaves_the_earlier_one_in_force() -> None:
    async def fail(operation: str) -> None:
        if operation == "claim" and claimed:
            raise Unavailable("injected")

    claimed: list[Claim] = []
    log = InMemoryLog(2, before=fail)
    await log.create_topics([TopicSpec("topic")])
    async with log.writer() as writer, writer.claim("topic", 1, "name") as claim:
        claimed.append(claim)
        with pytest.raises(Unavailable, match="injected"):
            await writer.claim("topic", 1, "name").__aenter__()
        await claim.write([Message("topic", b"a", b"1")])

    assert [record.partition for record in log.records("topic")] == [1]


async def test_every_operation_is_announced(log: InMemoryLog) -> None:
    async def note(operation: str) -> None:
        seen.append(operation)

    async def serve(share: Share) -> None:
        await share.committed("topic")
        share.start({"topic": 0})
        await share.fetch("topic", 1, 0.0)
        await share.commit({"topic": Committed(0)})
        raise Unavailable("enough")

    seen: list[str] = []
    log = InMemoryLog(1, before=note)
    await log.create_topics([TopicSpec("topic")])
    with pytest.raises(Unavailable, match="enough"):
        await log.join("group", ["topic"], serve)

    assert seen == ["create-topics", "join", "committed", "fetch", "commit", "commit-answer"]


async def test_the_progress_of_a_group_can_be_looked_at(log: InMemoryLog) -> None:
    async def serve(share: Share) -> None:
        await share.commit({"topic": Committed(share.index, "noted")})
        await share.revoked.wait()

    join = asyncio.create_task(log.join("group", ["topic"], serve))
    await until(lambda: len(log.progress("group")) == 2)
    join.cancel()
    await asyncio.wait([join])

    assert log.progress("group") == {("topic", 0): Committed(0, "noted"), ("topic", 1): Committed(1, "noted")}
