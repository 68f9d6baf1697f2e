"""A client that creates, updates and deletes connectors of its own all the while, and reads each change back."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NoReturn

from connectory.client import ApiError, ConnectoryClient
from connectory.domain.errors import Unavailable
from connectory.testing.history import Read, Written
from tests.chaos.sink import Sink

PAUSE_SECONDS = 0.2
START_SECONDS = 120.0
UPDATED = 0.8
"""The share of changes of a connector that are no deletion."""


class Changing:
    """`changes` is what it did and saw. Each change tells by the connector's name which one it was."""

    def __init__(self, client: Callable[[], ConnectoryClient], sink: Sink, chance: random.Random) -> None:
        self._client = client
        self._sink = sink
        self._chance = chance
        self._count = 0
        self.changes: list[Written | Read] = []

    @asynccontextmanager
    async def running(self, connector_ids: Sequence[str]) -> AsyncIterator[None]:
        """Change these beside what is done inside; in the end each is read once more."""
        async with asyncio.TaskGroup() as tasks:
            going = [tasks.create_task(self._go_on(each)) for each in connector_ids]
            yield
            for task in going:
                task.cancel()
        for each in connector_ids:
            await self.read(each)

    async def create_all(self, connector_ids: Sequence[str]) -> None:
        """Create them and read them back, as soon as there is a gateway; `TimeoutError` when there is none for long."""
        async with asyncio.timeout(START_SECONDS):
            await asyncio.gather(*map(self._create, connector_ids))

    async def _create(self, connector_id: str) -> None:
        """As often as it takes until it is read back."""
        while await self.read(connector_id) is None:
            await self._write(connector_id, self._next_name(connector_id), exists=False)

    async def read(self, connector_id: str) -> str | None:
        """Return the name that is read, or None; asks until there is an answer."""
        while True:
            try:
                async with self._client() as client:
                    value: str | None = (await client.connector(connector_id)).name
            except (Unavailable, ApiError) as error:
                if not _is_refusal(error):
                    await asyncio.sleep(PAUSE_SECONDS)
                    continue
                value = None
            self.changes.append(Read(connector_id=connector_id, value=value))
            return value

    async def _go_on(self, connector_id: str) -> NoReturn:
        while True:
            exists = await self.read(connector_id) is not None
            deletes = exists and self._chance.random() > UPDATED
            await self._write(connector_id, None if deletes else self._next_name(connector_id), exists=exists)
            await self.read(connector_id)
            await asyncio.sleep(self._chance.uniform(0.0, PAUSE_SECONDS))

    def _next_name(self, connector_id: str) -> str:
        self._count += 1
        return f"{connector_id} as of change {self._count}"

    async def _write(self, connector_id: str, value: str | None, *, exists: bool) -> None:
        """A refused change is not written down; one without an answer may have happened."""
        began_at = datetime.now(UTC)
        is_known = True
        try:
            async with self._client() as client:
                await self._change(client, connector_id, value, exists=exists)
        except (Unavailable, ApiError) as error:
            if _is_refusal(error):
                return
            is_known = False
        except asyncio.CancelledError:
            self._note(connector_id, value, began_at, is_known=False)
            raise
        self._note(connector_id, value, began_at, is_known=is_known)

    def _note(self, connector_id: str, value: str | None, began_at: datetime, *, is_known: bool) -> None:
        ended_at = datetime.now(UTC)
        self.changes.append(
            Written(connector_id=connector_id, value=value, began_at=began_at, ended_at=ended_at, is_known=is_known)
        )

    def _change(
        self, client: ConnectoryClient, connector_id: str, value: str | None, *, exists: bool
    ) -> Awaitable[object]:
        config = {"url": self._sink.url_of(connector_id), "hasAuth": False}
        if value is None:
            return client.delete_connector(connector_id)
        if exists:
            return client.update_connector(connector_id, value, config)
        return client.create_connector(value, ".webhook", config, connector_id=connector_id)


def _is_refusal(error: Unavailable | ApiError) -> bool:
    """Whether nothing has happened: there is no such connector, or there is one already. Raises what is unexpected."""
    if isinstance(error, ApiError) and error.status not in (404, 409, 503):
        raise error
    return isinstance(error, ApiError) and error.status != 503
