"""`KafkaClaim`: the one writer of a partition, until another claims it."""

import asyncio
import logging
from collections.abc import Sequence
from time import time

from connectory.domain.errors import ConnectoryError
from connectory.infra.kafka.batches import positions
from connectory.infra.kafka.connection import DELIVERY_SECONDS, Connection
from connectory.infra.kafka.failures import translated
from connectory.infra.kafka.library import TopicPartition
from connectory.infra.kafka.outlets import Lane, Outlet, Outlets
from connectory.infra.kafka.tenure import Tenure
from connectory.infra.log import Message, Position, check_sizes

RENEW_SECONDS = 6 * 3600.0
"""A broker forgets the epoch of a partition that its producer has not written to for a day, and with it whom to keep
out; a transactional id that is not used for a week is forgotten altogether."""

logger = logging.getLogger(__name__)


class KafkaClaim:
    """Its lane lasts as long as the outlet. On a new one it is established anew, which fails when it has been lost."""

    def __init__(self, connection: Connection, outlets: Outlets, topic: str, partition: int, name: str) -> None:
        self._servers = connection.servers
        self._outlets = outlets
        self._place = topic, partition
        self._tenure = Tenure(connection.prefixed(name), TopicPartition(connection.prefixed(topic), partition))
        self._seat: tuple[Outlet, Lane] | None = None
        self._renewing: asyncio.Task[None] | None = None
        # Held until the messages are queued: calls keep their order even while one of them establishes the claim.
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Fence every earlier claim."""
        async with self._turn:
            await self._lane()
        self._renewing = asyncio.create_task(self._renew_now_and_then(), name=f"renew-{self._place}")

    async def close(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        if self._seat is not None:
            outlet, lane = self._seat
            await outlet.end_claimed(lane)

    async def write(self, messages: Sequence[Message]) -> list[Position]:
        check_sizes(messages)
        async with self._turn:
            lane = await self._lane()
            now = int(time() * 1000)
            placed = [lane.add(message, now) for message in messages]
        for batch in {batch for _, batch, _ in placed}:
            await batch.acknowledged()
        return positions(messages, placed)

    async def _lane(self) -> Lane:
        if self._seat is not None and not self._seat[0].is_broken:
            return self._seat[1]
        with self._translated():
            # Outside of the deadline: a broken outlet must not be left half closed.
            outlet = await self._outlets.current()
            async with asyncio.timeout(DELIVERY_SECONDS):
                identity = await self._tenure.establish(outlet.producer.client)
        lane = outlet.claimed_lane(*self._place, identity)
        self._seat = outlet, lane
        return lane

    async def _renew_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._renew()
            except ConnectoryError as error:
                # There are several chances before it is too late, and one who has lost the claim learns it by writing.
                logger.debug("%s", error)

    async def _renew(self) -> None:
        async with self._turn:
            await self._lane()
            with self._translated():
                outlet = await self._outlets.current()
                async with asyncio.timeout(DELIVERY_SECONDS):
                    await self._tenure.renew(outlet.producer.client)

    def _translated(self) -> translated:
        topic, partition = self._place
        return translated(self._servers, f"claim {topic}[{partition}]")
