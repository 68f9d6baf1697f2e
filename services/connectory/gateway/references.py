"""References to connectors: declared and withdrawn by a record each, and read from their projection.

Whoever may write to the topic can do the same without the gateway.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from connectory.domain.errors import Refused, Unavailable
from connectory.domain.in_memory_connectors import InMemoryConnectors
from connectory.domain.references import ConnectorReference
from connectory.gateway.origin import Origin
from connectory.gateway.read_models import ConnectorViews
from connectory.gateway.reference_views import References
from connectory.infra.clock import Clock
from connectory.infra.log import Message, Writer
from connectory.infra.messages import Messages
from connectory.infra.progress import ProgressWatch
from connectory.infra.topics import CONNECTOR_REFERENCES
from connectory_projections import CONNECTOR_REFERENCES as PROJECTION

BATCH: Final = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceDesk:
    """The use cases. Connectors are looked up: nothing can be said of one that is not there."""

    references: References
    connectors: ConnectorViews
    in_memory: InMemoryConnectors
    progress: ProgressWatch
    messages: Messages
    writer: Writer
    clock: Clock
    view_wait: timedelta

    async def declare(self, connector_id: str, type_: str, id_: str, origin: Origin) -> ConnectorReference:
        """Say that something uses the connector; again is harmless. Raises `Refused` when it is not in the space."""
        await self.require(origin.space_id, connector_id)
        reference = self._reference(connector_id, type_, id_, origin)
        message = self.messages.message(
            CONNECTOR_REFERENCES, reference.key, reference, at=reference.at, traceparent=origin.traceparent
        )
        await self._write([message])
        return reference

    async def withdraw(self, connector_id: str, type_: str, id_: str, origin: Origin) -> None:
        """Say that it does not any more; of one that nobody declared, too. Raises `Refused` as `declare`."""
        await self.require(origin.space_id, connector_id)
        await self._write([_withdrawal(self._reference(connector_id, type_, id_, origin))])

    async def withdraw_all(self, space_id: str) -> int:
        """Withdraw every reference to a connector of the space, and return how many there were."""
        withdrawn, cursor = 0, None
        while True:
            page = await self.references.page(space_id, None, BATCH, cursor)
            if page.items:
                await self._write([_withdrawal(each) for each in page.items])
            withdrawn += len(page.items)
            if (cursor := page.next_cursor) is None:
                return withdrawn

    async def require(self, space_id: str, connector_id: str) -> None:
        """Raise `Refused` unless the connector is in the space."""
        if connector_id not in self.in_memory and await self.connectors.get(space_id, connector_id) is None:
            raise Refused.not_found(connector_id)

    def _reference(self, connector_id: str, type_: str, id_: str, origin: Origin) -> ConnectorReference:
        return ConnectorReference(
            connector_id=connector_id,
            space_id=origin.space_id,
            type=type_,
            id=id_,
            at=self.clock(),
            by=origin.by,
        )

    async def _write(self, messages: Sequence[Message]) -> None:
        """Write, and wait a while until the read model shows it: it is durable already."""
        positions = await self.writer.write(messages)
        last = {position.partition: position.offset for position in positions}
        seconds = self.view_wait.total_seconds()
        wait = self.progress.wait_for
        try:
            seen = all(await asyncio.gather(*(wait(PROJECTION.name, *place, seconds) for place in last.items())))
        except Unavailable as error:
            log.warning("references are answered before they can be read: %s", error)
            return
        if not seen:
            log.warning("references are answered before they can be read: the projector lags")


def _withdrawal(reference: ConnectorReference) -> Message:
    return Message(CONNECTOR_REFERENCES, reference.key.encode(), None)
