"""The API keys as of now: the gateway follows their topic, and never answers from what may be out of date.

A key that was revoked anywhere is of no use here from the moment that was answered. So before a key is looked up the
broker is asked where the topic ends, and the answer waits until it was read up to there. That is one small question
for all requests that come at a time, on a connection of its own, and no clock has to be trusted. The price: while the
broker is away no API key is good for anything (503), as nobody can tell whether it was revoked through another gateway.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, NoReturn

from connectory.domain.api_keys import ApiKey
from connectory.domain.errors import Unavailable, Undecodable
from connectory.gateway.gathering import Gathering
from connectory.infra.log import Log, Record, Tail
from connectory.infra.messages import Messages
from connectory.infra.supervision import keep_running
from connectory.infra.topics import API_KEYS

PARTITION: Final = 0
"""Of all keys: one reader, and one question."""

FETCH_SECONDS: Final = 5.0
LONGEST_WAIT: Final = 2.0
"""Seconds between attempts to read again after trouble with the broker."""

CATCH_UP_SECONDS: Final = 5.0
"""Longest that a request waits until the end of the topic was read."""

log = logging.getLogger(__name__)


class ApiKeyDirectory:
    """The keys that are not revoked, expired ones included."""

    def __init__(self, log_: Log, messages: Messages) -> None:
        self._log = log_
        self._messages = messages
        self._keys: dict[str, ApiKey] = {}
        self._position = 0
        self._moved = asyncio.Condition()
        self._tail: Tail | None = None
        self._asked: Gathering[str, ApiKey] = Gathering(self._with_ids)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Follow the topic until left."""
        reading = asyncio.create_task(keep_running("the API keys", self._read, longest_wait=LONGEST_WAIT))
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    async def get(self, key_id: str) -> ApiKey | None:
        """The key as of now; None when there is none, or it was revoked. Raises `Unavailable`."""
        return await self._asked.get(key_id)

    async def all(self) -> Sequence[ApiKey]:
        """Every key as of now, in the order in which they were made. Raises `Unavailable`."""
        await self._catch_up()
        return list(self._keys.values())

    async def _with_ids(self, key_ids: Collection[str]) -> Mapping[str, ApiKey]:
        await self._catch_up()
        return {key_id: self._keys[key_id] for key_id in key_ids if key_id in self._keys}

    async def _catch_up(self) -> None:
        """Read all that was written before this call."""
        if self._tail is None:
            raise Unavailable("the API keys are not read at the moment")
        try:
            async with asyncio.timeout(CATCH_UP_SECONDS):
                end = await self._tail.high_watermark()
                async with self._moved:
                    await self._moved.wait_for(lambda: self._position >= end)
        except TimeoutError:
            raise Unavailable(f"the API keys were not read to their end in {CATCH_UP_SECONDS:.0f} seconds") from None

    async def _read(self) -> None:
        async with self._log.tail(API_KEYS, PARTITION, self._position) as tail:
            self._tail = tail
            try:
                await self._follow(tail)
            finally:
                self._tail = None

    async def _follow(self, tail: Tail) -> NoReturn:
        while True:
            for record in await tail.fetch(FETCH_SECONDS):
                self._take(record)
            async with self._moved:
                self._position = tail.position
                self._moved.notify_all()

    def _take(self, record: Record) -> None:
        """What cannot be read is of no use as a key, and puts an end to what was there under its id."""
        key_id = (record.key or b"").decode("utf-8", "replace")
        try:
            key = self._messages.decode(record.value, ApiKey)
        except Undecodable as error:
            log.warning("passed over an undecodable API key at %s/%d/%d: %s", *record[:3], error)
            self._keys.pop(key_id, None)
            return
        if key.is_revoked:
            self._keys.pop(key_id, None)
        else:
            self._keys[key_id] = key
