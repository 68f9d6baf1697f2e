"""Services that publish requests and never give up, over Kafka and over HTTP, and one that follows their outcomes."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from connectory.client import (
    BEGINNING,
    ActionRequestPublisher,
    ApiError,
    ConnectoryClient,
    NewActionRequest,
    OutcomeConsumer,
)
from connectory.domain.errors import Unavailable
from connectory.domain.execution import Delivery
from connectory.infra.log import Log
from connectory.testing.history import RequestKey, key_of
from tests.waiting import until

BATCH = 20
AHEAD = 400
"""How far publishing may be ahead of the outcomes: what there is of a backlog when something breaks."""

REPEATED = 0.05
"""The share of batches that are published twice, as by a service that did not hear the acknowledgement."""

OVER_HTTP = 0.1
"""The share of batches that go through the gateway."""

PAUSE_SECONDS = 0.2
START_SECONDS = 60.0
WAIT_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What requests are made of. `moving` connectors come and go; `to_moving` is the share of requests through them.

    `ordered` is the share of requests that have an ordering key, one of a few.
    """

    connector_ids: Sequence[str]
    moving: Sequence[str] = ()
    to_moving: float = 0.1
    ordered: float = 0.0
    at_most_once: float = 0.2
    ordering_keys: int = 3

    def draw(self, count: int, chance: random.Random) -> list[NewActionRequest]:
        """Ids are counted for each connector: those of two connectors are the same."""
        counts: Counter[str] = Counter()
        return [self._one(chance, counts) for _ in range(count)]

    def _one(self, chance: random.Random, counts: Counter[str]) -> NewActionRequest:
        among = self.moving if self.moving and chance.random() < self.to_moving else self.connector_ids
        connector_id = chance.choice(among)
        counts[connector_id] += 1
        in_line = chance.random() < self.ordered
        return NewActionRequest(
            connector_id=connector_id,
            params={"body": "x"},
            request_id=f"r{counts[connector_id]}",
            delivery=Delivery.AT_MOST_ONCE if chance.random() < self.at_most_once else Delivery.AT_LEAST_ONCE,
            ordering_key=f"key-{chance.randrange(self.ordering_keys)}" if in_line else None,
        )


class Load:
    """`published` are the requests that were acknowledged, with the time at which they were first handed in.

    `away` counts the writes that were not acknowledged, each of which is repeated until it is.
    """

    def __init__(
        self,
        requests: Sequence[NewActionRequest],
        chance: random.Random,
        client: Callable[[], ConnectoryClient],
        *,
        ahead: int = AHEAD,
    ) -> None:
        self._requests = requests
        self._chance = chance
        self._client = client
        self._handed_in: dict[RequestKey, datetime] = {}
        self._allowed = 0
        self._opened = 0
        self._ahead = ahead
        self.published: dict[RequestKey, tuple[NewActionRequest, datetime]] = {}
        self.ended: set[RequestKey] = set()
        self.away = 0

    def go_on(self, requests: int | None = None) -> None:
        """Publish so many more, or all that are left."""
        self._allowed += len(self._requests) if requests is None else requests

    @asynccontextmanager
    async def running(self, log: Log) -> AsyncIterator[None]:
        """Publish and follow beside what is done inside; an error of either is raised from here.

        Both are open before anything is disturbed: clients outlive a broker that goes away, and need one to begin.
        """
        async with asyncio.TaskGroup() as tasks:
            both = [tasks.create_task(self._publish_all(log)), tasks.create_task(self._follow(log))]
            await until(lambda: self._opened == len(both), START_SECONDS, 0.01)
            yield
            for task in both:
                task.cancel()

    async def all_published(self, seconds: float) -> None:
        await until(lambda: len(self.published) >= len(self._requests), seconds, 0.05)

    async def all_ended(self, seconds: float) -> None:
        """Wait until all are published and have a final outcome, or for so long: the history tells the rest."""
        await self.all_published(seconds)
        try:
            await until(lambda: self.published.keys() <= self.ended, seconds, 0.2)
        except TimeoutError:
            return

    async def _publish_all(self, log: Log) -> None:
        async with ActionRequestPublisher.over(log) as publisher:
            self._opened += 1
            remaining = iter(self._requests)
            while batch := list(islice(remaining, BATCH)):
                await until(self._may_publish, WAIT_SECONDS, 0.005)
                over_http = self._chance.random() < OVER_HTTP
                for _ in range(2 if self._chance.random() < REPEATED else 1):
                    await self._publish(publisher, batch, over_http=over_http)

    def _may_publish(self) -> bool:
        published = len(self.published)
        return published < self._allowed and published - len(self.ended) < self._ahead

    async def _publish(
        self, publisher: ActionRequestPublisher, batch: Sequence[NewActionRequest], *, over_http: bool
    ) -> None:
        """With the same ids until it is acknowledged."""
        for each in batch:
            self._handed_in.setdefault(key_of_new(each), datetime.now(UTC))
        while not await self._is_acknowledged(publisher, batch, over_http=over_http):
            self.away += 1
            await asyncio.sleep(PAUSE_SECONDS)
        for each in batch:
            key = key_of_new(each)
            self.published[key] = (each, self._handed_in[key])

    async def _is_acknowledged(
        self, publisher: ActionRequestPublisher, batch: Sequence[NewActionRequest], *, over_http: bool
    ) -> bool:
        try:
            if over_http:
                async with self._client() as client:
                    await client.submit(batch)
            else:
                await publisher.publish_many(batch)
        except Unavailable:
            return False
        except ApiError as error:
            if error.status != 503:
                raise
            return False
        return True

    async def _follow(self, log: Log) -> None:
        async with OutcomeConsumer.over(log, start=BEGINNING, final_only=True) as outcomes:
            self._opened += 1
            async for outcome in outcomes:
                self.ended.add(key_of(outcome))


def key_of_new(request: NewActionRequest) -> RequestKey:
    return RequestKey(request.space_id, request.connector_id, request.request_id)
