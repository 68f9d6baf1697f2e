"""Which requests are to end without being run: cancelled ones, and those whose connector is gone or disabled."""

import asyncio
from collections.abc import Callable, Iterable
from typing import NoReturn

from connectory.domain.errors import Refused
from connectory.domain.execution import ActionRequest
from connectory.executor.cancellations import Cancellations
from connectory.executor.connectors import PartitionConnectors

MOST_REMEMBERED = 10_000
"""Connectors that are gone. Their requests that wait were ended when it was found, so the oldest may be forgotten."""


class Endings:
    """`on_found` is called when there may be more requests to end.

    That a connector is gone is found late, when others may have been told already that it is there again, and have
    sent requests. So it counts only once the partition's connectors have been read to their end, and it is gone still.
    """

    def __init__(
        self, connectors: PartitionConnectors, cancellations: Cancellations, on_found: Callable[[], None]
    ) -> None:
        self._connectors = connectors
        self._cancellations = cancellations
        self._on_found = on_found
        self._gone: dict[str, Refused] = {}
        self._suspects: set[str] = set()
        self._asked = asyncio.Event()

    def of(self, request: ActionRequest) -> Refused | None:
        """Why the request is to end; None: it is not."""
        return self._cancellations.ending(request) or self._gone.get(request.connector_id)

    def suspect(self, connector_ids: Iterable[str]) -> None:
        """Look whether these connectors are gone; those that are there count as such at once."""
        for connector_id in connector_ids:
            if self._connectors.ending(connector_id) is None:
                self._gone.pop(connector_id, None)
            else:
                self._suspects.add(connector_id)
                self._asked.set()

    async def run(self) -> NoReturn:
        """Look into suspicions until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            suspects, self._suspects = self._suspects, set()
            await self._connectors.catch_up()
            found = {each: refusal for each in suspects if (refusal := self._connectors.ending(each)) is not None}
            self._gone.update(found)
            while len(self._gone) > MOST_REMEMBERED:
                del self._gone[next(iter(self._gone))]
            if found:
                self._on_found()
