"""What a run needs of an installation, however that is made up; and all there is to see of it in the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from connectory.client import BEGINNING, ConnectoryClient, OutcomeConsumer
from connectory.domain.execution import ActionRequest, Outcome
from connectory.infra.log import Log
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_REQUESTS
from connectory.testing.history import Entry, History, RequestKey, Submitted, entry_of
from tests.chaos.changing import Changing
from tests.chaos.load import Load
from tests.chaos.sink import Sink

FETCH_SECONDS = 1.0
DEADLINE_SECONDS = 300.0
PAUSE_SECONDS = 1.0


class System(Protocol):
    """An installation that answers, most of the time."""

    def client(self) -> ConnectoryClient:
        """A client of wherever its gateway answers now."""
        ...

    def log(self) -> AbstractAsyncContextManager[Log]:
        """Its log, as services open it."""
        ...

    def printed(self) -> list[str]:
        """What each of its processes has printed."""
        ...


async def observe(system: System, log: Log, sink: Sink, load: Load, changing: Changing) -> History:
    """Read everything there is to know of a run that has come to its end."""
    outcomes = await _outcomes(log)
    different = len({(each.execution_id, each.action) for each in outcomes})
    return History(
        submitted=await _submitted(log, load),
        calls=list(sink.calls),
        outcomes=outcomes,
        logged=await _event_log(system, different),
        changes=list(changing.changes),
    )


async def _outcomes(log: Log) -> list[Outcome]:
    async with OutcomeConsumer.over(log, start=BEGINNING, follow=False) as consumer:
        return [outcome async for outcome in consumer]


async def _submitted(log: Log, load: Load) -> list[Submitted]:
    """What was acknowledged, each with its place on the log; one that is not there is lost, at no place."""
    places: dict[RequestKey, int] = {}
    for partition in range(await log.partition_count(ACTION_REQUESTS)):
        async for offset, request in _requests(log, partition):
            places.setdefault(RequestKey(request.space_id, request.connector_id, request.request_id), offset)
    return [
        Submitted(
            key=key, at=at, offset=places.get(key, -1), delivery=request.delivery, ordering_key=request.ordering_key
        )
        for key, (request, at) in load.published.items()
    ]


async def _requests(log: Log, partition: int) -> AsyncIterator[tuple[int, ActionRequest]]:
    messages = Messages()
    async with log.tail(ACTION_REQUESTS, partition, 0) as tail:
        end = await tail.end_offset()
        while tail.position < end:
            for record in await tail.fetch(FETCH_SECONDS):
                yield record.offset, messages.decode(record.value, ActionRequest)


async def _event_log(system: System, at_least: int) -> list[Entry]:
    """All entries over HTTP, once there are so many; what there is when that takes too long."""
    entries: list[Entry] = []
    deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        async with system.client() as client:
            entries = [entry_of(item) async for item in client.event_log(size="1000")]
        if len(entries) >= at_least:
            break
        await asyncio.sleep(PAUSE_SECONDS)
    return entries
