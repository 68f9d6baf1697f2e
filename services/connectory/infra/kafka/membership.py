"""`Member`: one member of a group, and the shares it serves.

One consumer fetches for all shares, and a loop of ours takes everything from it at once: the library does not ask a
broker for more while it holds records of any of its partitions. So each share buffers what it has not been asked for.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager

from connectory.infra.kafka.connection import Connection, milliseconds
from connectory.infra.kafka.failures import translated
from connectory.infra.kafka.library import (
    AIOKafkaConsumer,
    ConsumerRebalanceListener,
    RangePartitionAssignor,
    TopicPartition,
    start_client,
    stop_consumer,
)
from connectory.infra.kafka.share import KafkaShare
from connectory.infra.kafka.tail import records_of
from connectory.infra.serving import Serving

FETCH_BYTES = 1 << 20
FETCH_WAIT_SECONDS = 0.1
"""How long a broker may hold a fetch open when there is nothing new. Starting or resuming a partition waits so long."""

REJOIN_SECONDS = 5.0
"""What a member needs to join anew, beside the grace time of its work."""

logger = logging.getLogger(__name__)


class Member(ConsumerRebalanceListener):  # type: ignore[misc]
    """One call of `join`. Times are in seconds; `instance` is as in `KafkaLog`."""

    def __init__(
        self,
        connection: Connection,
        group: str,
        topics: Sequence[str],
        serving: Serving,
        *,
        instance: str | None,
        grace: float,
        session_timeout: float,
        heartbeat_interval: float,
    ) -> None:
        self._connection = connection
        self._group = group
        self._topics = {connection.prefixed(topic): topic for topic in topics}
        self._serving = serving
        self._shares: dict[int, KafkaShare] = {}
        self._is_leaving = False
        rebalance = grace + REJOIN_SECONDS
        self._consumer = AIOKafkaConsumer(
            **connection.options(
                group_id=connection.prefixed(group),
                group_instance_id=instance,
                partition_assignment_strategy=(RangePartitionAssignor,),
                isolation_level="read_committed",
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                fetch_max_wait_ms=milliseconds(FETCH_WAIT_SECONDS),
                max_partition_fetch_bytes=FETCH_BYTES,
                session_timeout_ms=milliseconds(session_timeout),
                heartbeat_interval_ms=milliseconds(heartbeat_interval),
                rebalance_timeout_ms=milliseconds(max(rebalance, session_timeout)),
                # A broker answers a join only when every member has joined.
                request_timeout_ms=milliseconds(max(rebalance, session_timeout) + REJOIN_SECONDS),
            )
        )

    async def run(self) -> None:
        try:
            self._consumer.subscribe(list(self._topics), listener=self)
            with self._translated():
                await start_client(self._consumer)
            await self._until_failure()
        finally:
            self._is_leaving = True
            try:
                await self._serving.end()
            finally:
                await stop_consumer(self._consumer)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called before the group is joined anew, which waits for this to end; heartbeats go on meanwhile."""
        await self._serving.end()
        self._shares = {}

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Called in one go with the assignment, so that nothing is fetched before a share is started."""
        self._consumer.pause(*assigned)
        if not self._is_leaving:
            indexes = sorted({place.partition for place in assigned})
            self._shares = {
                n: KafkaShare(n, self._topics.values(), self._connection, self._group, self._consumer) for n in indexes
            }
            self._serving.start(self._shares.values())

    async def _until_failure(self) -> None:
        waits = [asyncio.create_task(self._fetch()), asyncio.create_task(self._serving.failure())]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _fetch(self) -> None:
        """Take whatever has come, and hand it to the shares. Yields also when there is always something."""
        while True:
            with self._translated():
                fetched = await self._consumer.getmany(timeout_ms=1000)
            for place, records in fetched.items():
                share = self._shares.get(place.partition)
                if share is not None:
                    topic = self._topics[place.topic]
                    share.deliver(topic, records_of(topic, records))
            await asyncio.sleep(0)

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self._connection.servers, f"be a member of {self._group}")
