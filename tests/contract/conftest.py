"""What the contract suites of the log share: the log under test, and names that no other test uses."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import pytest

from connectory.infra.in_memory_log import InMemoryLog
from connectory.infra.kafka import open_kafka_log
from connectory.infra.log import Committed, Log, Message, Record, Share, read_all
from connectory.infra.settings import KafkaSettings
from connectory.infra.topics import TopicSpec
from tests.http_reference import SEEN_FILE, keep_seen
from tests.waiting import until, until_answer

PARTITIONS = 4
GRACE = 1.0
"""Seconds that the work on a revoked partition is given."""

DEADLINE, PAUSE = 30.0, 0.01
"""Seconds: the longest wait for a condition, and between two looks at it."""

OpenLog = Callable[[], AbstractAsyncContextManager[Log]]


def pytest_sessionfinish() -> None:
    """For the reference of the HTTP API, which names a test for each of its lines."""
    if path := os.environ.get(SEEN_FILE):
        keep_seen(Path(path))


@pytest.fixture(params=["memory", "kafka"])
def open_log(request: pytest.FixtureRequest) -> OpenLog:
    """Opens the log under test; opened twice, it is the same log seen from two processes."""
    if request.param == "memory":
        log = InMemoryLog(PARTITIONS, grace=GRACE)
        return lambda: nullcontext(log)
    settings = KafkaSettings(
        bootstrap_servers=request.getfixturevalue("kafka_bootstrap"),
        topic_prefix=request.getfixturevalue("topic_prefix"),
        partitions=PARTITIONS,
    )
    return lambda: open_kafka_log(settings, grace=GRACE, session_timeout=6.0, heartbeat_interval=0.3)


@pytest.fixture
async def log(open_log: OpenLog) -> AsyncIterator[Log]:
    async with open_log() as log:
        yield log


@pytest.fixture
async def topic(log: Log) -> str:
    return await new_topic(log)


@pytest.fixture
def group() -> str:
    return unique("group")


@pytest.fixture
def transactional_id() -> str:
    return unique("transactional-id")


def unique(word: str) -> str:
    return f"{word}-{uuid.uuid4().hex[:12]}"


async def new_topic(log: Log, *, compacted: bool = False) -> str:
    name = unique("topic")
    await log.create_topics([TopicSpec(name, compacted=compacted)])
    return name


async def write(log: Log, *messages: Message) -> None:
    async with log.writer() as writer:
        await writer.write(messages)


async def visible(log: Log, topic: str, partition: int = 0) -> list[bytes | None]:
    """The values that a reader sees once what is committed has become readable."""
    return [record.value for record in await read(log, topic, partition)]


async def read(log: Log, topic: str, partition: int = 0) -> list[Record]:
    async with log.tail(topic, partition, 0) as tail:
        return list(await read_all(tail, settled=True))


async def readable_now(log: Log, topic: str, partition: int = 0) -> int:
    async with log.tail(topic, partition, 0) as tail:
        return await tail.end_offset()


async def until_committed(share: Share, topic: str, expected: Committed) -> None:
    """Progress in a transaction shows a moment after its commit, as its records do."""
    await until_answer(lambda: share.committed(topic), lambda found: found == expected, DEADLINE, PAUSE)


class Member:
    """A member under test. Holds every share it is given until that is revoked."""

    def __init__(self, log: Log, group: str, *topics: str) -> None:
        self.shares: dict[int, Share] = {}
        self.ended: list[int] = []
        self._join = asyncio.create_task(log.join(group, topics, self._hold))

    async def __aenter__(self) -> "Member":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def owns(self, count: int) -> None:
        """Wait until it has so many shares."""
        await until(lambda: self._join.done() or len(self.shares) == count, DEADLINE, PAUSE)
        assert not self._join.done(), self._join

    async def leave(self) -> None:
        self._join.cancel()
        await asyncio.wait([self._join])

    async def _hold(self, share: Share) -> None:
        self.shares[share.index] = share
        await share.revoked.wait()
        del self.shares[share.index]
        self.ended.append(share.index)


async def fetch(share: Share, topic: str, count: int, deadline: float = 30.0) -> list[Record]:
    """Fetch until there are `count` records of a topic."""
    records: list[Record] = []
    async with asyncio.timeout(deadline):
        while len(records) < count:
            records.extend(await share.fetch(topic, count - len(records), 1.0))
    return records
