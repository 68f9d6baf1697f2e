"""`KafkaWriter`: an idempotent producer whose calls share batches, and claims, which share a producer of their own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import time

from connectory.infra.kafka.batches import positions
from connectory.infra.kafka.claim import KafkaClaim
from connectory.infra.kafka.connection import Connection
from connectory.infra.kafka.failures import translated
from connectory.infra.kafka.outlets import Outlets
from connectory.infra.log import Message, Position, check_sizes


class KafkaWriter:
    """Opens a producer at the first call, and a new one after one has failed, so that its owner need not."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._outlets = Outlets(connection, idempotent=True)
        self._claims_outlets = Outlets(connection, idempotent=False)
        # Held until the messages are queued: calls keep their order even while one of them waits for metadata.
        self._turn = asyncio.Lock()

    async def write(self, messages: Sequence[Message]) -> list[Position]:
        check_sizes(messages)
        async with self._turn:
            with translated(self._connection.servers, "write records"):
                outlet = await self._outlets.current()
                await outlet.learn({message.topic for message in messages})
            now = int(time() * 1000)
            placed = [outlet.add(message, now) for message in messages]
        for batch in {batch for _, batch, _ in placed}:
            await batch.acknowledged()
        return positions(messages, placed)

    @asynccontextmanager
    async def claim(self, topic: str, partition: int, name: str) -> AsyncIterator[KafkaClaim]:
        claim = KafkaClaim(self._connection, self._claims_outlets, topic, partition, name)
        try:
            await claim.open()
            yield claim
        finally:
            await claim.close()

    async def close(self) -> None:
        await asyncio.gather(self._outlets.close(), self._claims_outlets.close())
