"""The wishes to have requests not run, as a partition knows them: followed from the log."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from connectory.domain.cancellation import CANCELLED, CancelRequest
from connectory.domain.errors import Refused, Undecodable
from connectory.domain.execution import ActionRequest
from connectory.infra.headers import reply_partition
from connectory.infra.log import Record, Tail
from connectory.infra.messages import Messages

FETCH_SECONDS = 1.0

log = logging.getLogger(__name__)

REMEMBERED_MS = 8 * 24 * 3600 * 1000
"""A day more than the requests that a wish could be about stay on their topics."""

Named: TypeAlias = tuple[str, str]
"""Space and request id. A wish names no connector: whoever asks may not know it."""


def name_of(of: ActionRequest | CancelRequest) -> Named:
    return of.space_id, of.request_id


class _Wish(NamedTuple):
    at_ms: int
    reply_partition: int | None


class Cancellations:
    """Every wish that the topic still has, so that a request which is read later does not run either.

    `follow` keeps them up to date and calls `on_new`. With a wish goes the partition of `replies` on which somebody
    waits to hear that it was met; None when nobody does.
    """

    def __init__(self, tail: Tail, messages: Messages, reply_partitions: int) -> None:
        self._tail = tail
        self._messages = messages
        self._reply_partitions = reply_partitions
        self._wishes: dict[Named, _Wish] = {}
        self.on_new: Callable[[Sequence[Named]], None] = lambda _names: None

    def ending(self, request: ActionRequest) -> Refused | None:
        """Why the request is not run, if that is somebody's wish."""
        if self._wishes and name_of(request) in self._wishes:
            return Refused(CANCELLED, f"the request {request.request_id} was cancelled")
        return None

    def met(self, request: ActionRequest) -> int | None:
        """The request ends by the wish: return where that is to be told, once."""
        name = name_of(request)
        wish = self._wishes.get(name)
        if wish is None:
            return None
        self._wishes[name] = wish._replace(reply_partition=None)
        return wish.reply_partition

    async def restore(self) -> None:
        """Read all up to the end as of now. Before `follow`, not beside it. Whoever waited then has stopped waiting."""
        end = await self._tail.end_offset()
        while self._tail.position < end:
            for record in await self._tail.fetch(FETCH_SECONDS):
                self._absorb(record)
        self._wishes = {name: wish._replace(reply_partition=None) for name, wish in self._wishes.items()}

    async def follow(self) -> None:
        """Read on until cancelled."""
        while True:
            names = [name for record in await self._tail.fetch(FETCH_SECONDS) if (name := self._absorb(record))]
            if names:
                self.on_new(names)

    def _absorb(self, record: Record) -> Named | None:
        try:
            wish = self._messages.decode(record.value, CancelRequest)
        except Undecodable as error:
            log.warning("passed over a record at %s/%d/%d: %s", *record[:3], error)
            return None
        name = name_of(wish)
        self._wishes.pop(name, None)
        self._wishes[name] = _Wish(record.timestamp_ms, reply_partition(record, self._reply_partitions))
        self._forget(record.timestamp_ms - REMEMBERED_MS)
        return name

    def _forget(self, before_ms: int) -> None:
        """Those come in their order, so the oldest stand first."""
        while (oldest := next(iter(self._wishes.items())))[1].at_ms < before_ms:
            del self._wishes[oldest[0]]
