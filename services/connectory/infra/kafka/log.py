"""`KafkaLog`: the log on a Kafka cluster."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from connectory.infra.kafka import administration
from connectory.infra.kafka.administration import TopicDescription
from connectory.infra.kafka.connection import DELIVERY_SECONDS, Connection
from connectory.infra.kafka.failures import translated
from connectory.infra.kafka.library import (
    AIOKafkaAdminClient,
    AIOKafkaConsumer,
    TopicPartition,
    start_client,
    stop_consumer,
)
from connectory.infra.kafka.membership import Member
from connectory.infra.kafka.noise import quieten_library
from connectory.infra.kafka.tail import KafkaTail
from connectory.infra.kafka.transactions import KafkaTransactions
from connectory.infra.kafka.writer import KafkaWriter
from connectory.infra.log import Serve
from connectory.infra.serving import Serving
from connectory.infra.settings import KafkaSettings
from connectory.infra.topics import TopicSpec


class KafkaLog:
    """Times are in seconds: `grace` for the work on a revoked partition, the others as in the group protocol.

    `instance` is a name that no other process of the installation has. A member with it takes over from its former
    self at once, where a nameless one that was killed is waited for until its session has timed out.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        instance: str | None = None,
        grace: float = 10.0,
        session_timeout: float = 10.0,
        heartbeat_interval: float = 3.0,
    ) -> None:
        quieten_library()
        self._settings = settings
        self._connection = Connection(settings)
        self._instance = instance
        self._grace = grace
        self._session_timeout = session_timeout
        self._heartbeat_interval = heartbeat_interval

    async def create_topics(self, specs: Sequence[TopicSpec]) -> list[str]:
        by_name = {self._connection.prefixed(spec.name): spec for spec in specs}
        async with self._admin("create topics") as admin:
            created = await administration.create_topics(
                admin, by_name, self._settings.partitions, self._settings.replication_factor
            )
        return [by_name[name].name for name in created]

    async def describe_topics(self) -> list[TopicDescription]:
        """Every topic of this installation, without the prefix."""
        async with self._admin("describe the topics") as admin:
            found = await administration.describe(admin, self._connection.prefix)
        places = [TopicPartition(topic.name, n) for topic in found for n in range(topic.partitions)]
        async with self._reader("read the end offsets") as reader:
            ends = await reader.end_offsets(places)
        return [self._completed(topic, ends) for topic in found]

    async def partition_count(self, topic: str) -> int:
        async with self._admin(f"look at the topic {topic}") as admin:
            return await administration.partition_count(admin, self._connection.prefixed(topic))

    async def beginning_offset(self, topic: str, partition: int) -> int:
        place = self._place(topic, partition)
        async with self._reader(f"read the beginning offset of {topic}") as reader:
            return int((await reader.beginning_offsets([place]))[place])

    async def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        place = self._place(topic, partition)
        async with self._reader(f"find an offset of {topic}") as reader:
            found = (await reader.offsets_for_times({place: timestamp_ms}))[place]
            return int(found.offset if found else (await reader.end_offsets([place]))[place])

    async def backlog(self, group: str, topics: Sequence[str]) -> Mapping[str, int]:
        async with self._admin(f"read the progress of {group}") as admin:
            committed = await admin.list_consumer_group_offsets(self._connection.prefixed(group))
            places = [
                self._place(topic, n)
                for topic in topics
                for n in range(await administration.partition_count(admin, self._connection.prefixed(topic)))
            ]
        async with self._reader(f"read the end offsets for {group}") as reader:
            beginnings, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
        left: Counter[str] = Counter()
        for place in places:
            passed = committed[place].offset if place in committed else 0
            left[place.topic] += ends[place] - max(passed, beginnings[place])
        return {topic: left[self._connection.prefixed(topic)] for topic in topics}

    @asynccontextmanager
    async def tail(self, topic: str, partition: int, offset: int) -> AsyncIterator[KafkaTail]:
        tail = KafkaTail(self._connection, topic, partition)
        try:
            await tail.open(offset)
            yield tail
        finally:
            await tail.close()

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[KafkaWriter]:
        """The cluster is not contacted before the first write, so that this works while it is out of reach."""
        writer = KafkaWriter(self._connection)
        try:
            yield writer
        finally:
            await writer.close()

    @asynccontextmanager
    async def transactions(self, transactional_id: str) -> AsyncIterator[KafkaTransactions]:
        transactions = KafkaTransactions(self._connection, transactional_id)
        try:
            await transactions.open()
            yield transactions
        finally:
            await transactions.close()

    async def join(self, group: str, topics: Sequence[str], serve: Serve) -> None:
        member = Member(
            self._connection,
            group,
            topics,
            Serving(group, serve, self._grace),
            instance=self._instance,
            grace=self._grace,
            session_timeout=self._session_timeout,
            heartbeat_interval=self._heartbeat_interval,
        )
        await member.run()

    def _place(self, topic: str, partition: int) -> TopicPartition:
        return TopicPartition(self._connection.prefixed(topic), partition)

    def _completed(self, topic: TopicDescription, ends: Mapping[TopicPartition, int]) -> TopicDescription:
        offsets = tuple(ends[TopicPartition(topic.name, n)] for n in range(topic.partitions))
        return replace(topic, name=topic.name.removeprefix(self._connection.prefix), end_offsets=offsets)

    @asynccontextmanager
    async def _admin(self, doing: str) -> AsyncIterator[AIOKafkaAdminClient]:
        """A client for a question or two: these are rare, and an idle connection would have to be kept sound."""
        admin = AIOKafkaAdminClient(**self._connection.options())
        try:
            with translated(self._connection.servers, doing):
                async with asyncio.timeout(DELIVERY_SECONDS):
                    await start_client(admin)
                    yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def _reader(self, doing: str) -> AsyncIterator[AIOKafkaConsumer]:
        """A client for questions about offsets."""
        reader = AIOKafkaConsumer(
            **self._connection.options(isolation_level="read_committed", enable_auto_commit=False)
        )
        try:
            with translated(self._connection.servers, doing):
                async with asyncio.timeout(DELIVERY_SECONDS):
                    await start_client(reader)
                    yield reader
        finally:
            await stop_consumer(reader)


@asynccontextmanager
async def open_kafka_log(
    settings: KafkaSettings,
    *,
    instance: str | None = None,
    grace: float = 10.0,
    session_timeout: float = 10.0,
    heartbeat_interval: float = 3.0,
) -> AsyncIterator[KafkaLog]:
    """The log on the cluster of the settings. Each of its parts opens and closes its own clients."""
    yield KafkaLog(
        settings,
        instance=instance,
        grace=grace,
        session_timeout=session_timeout,
        heartbeat_interval=heartbeat_interval,
    )
