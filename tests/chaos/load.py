"""A service that publishes requests and never gives up, and one that follows their outcomes all the while."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from connectory.client import BEGINNING, ActionRequestPublisher, NewActionRequest, OutcomeConsumer
from connectory.domain.errors import Unavailable
from connectory.domain.execution import Delivery
from connectory.infra.log import Log
from tests.chaos.sink import Sink
from tests.waiting import until

BATCH = 20
AHEAD = 200
"""How far publishing may be ahead of the target."""

REPEATED = 0.05
"""The share of batches that are published twice, as by a service that did not hear the acknowledgement."""


class Load:
    """`published` are the requests that the broker has acknowledged; `away` counts the writes that it did not."""

    def __init__(self, requests: Sequence[NewActionRequest], sink: Sink, chance: random.Random) -> None:
        self._requests = requests
        self._sink = sink
        self._chance = chance
        self.published: dict[str, Delivery] = {}
        self.ended: set[str] = set()
        self.away = 0
        self._allowed = 0

    def go_on(self, requests: int | None = None) -> None:
        """Publish so many more, or all that are left."""
        self._allowed += len(self._requests) if requests is None else requests

    @asynccontextmanager
    async def running(self, log: Log) -> AsyncIterator[None]:
        """Publish and follow beside what is done inside; an error of either is raised from here."""
        async with asyncio.TaskGroup() as tasks:
            both = [tasks.create_task(self._publish_all(log)), tasks.create_task(self._follow(log))]
            yield
            for task in both:
                task.cancel()

    async def all_ended(self, seconds: float) -> None:
        """Wait until all are published and every one has a final outcome."""
        await until(lambda: len(self.ended) >= len(self._requests), seconds, 0.05)

    async def _publish_all(self, log: Log) -> None:
        async with ActionRequestPublisher.over(log) as publisher:
            for first in range(0, len(self._requests), BATCH):
                await until(self._may_publish, 300.0, 0.005)
                batch = self._requests[first : first + BATCH]
                for _ in range(2 if self._chance.random() < REPEATED else 1):
                    await self._publish(publisher, batch)

    def _may_publish(self) -> bool:
        published = len(self.published)
        return published < self._allowed and published - len(self._sink.seen) < AHEAD

    async def _publish(self, publisher: ActionRequestPublisher, batch: Sequence[NewActionRequest]) -> None:
        """With the same ids until it is acknowledged."""
        while True:
            try:
                await publisher.publish_many(batch)
            except Unavailable:
                self.away += 1
            else:
                self.published.update((each.request_id, each.delivery) for each in batch)
                return

    async def _follow(self, log: Log) -> None:
        async with OutcomeConsumer.over(log, start=BEGINNING, final_only=True) as outcomes:
            async for outcome in outcomes:
                self.ended.add(outcome.request_id)
