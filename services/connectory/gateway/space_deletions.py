"""Deletes what is in spaces that are being deleted: a process that follows the events of spaces.

Each gateway runs it as a member of one group, so that one of them drives a deletion. The group's progress moves on when
a deletion has ended: after a crash it is begun anew, by whoever gets the partition, and every step may be repeated.
What was in the space when its deletion began is deleted; what comes later is in a space that does not exist, as it may.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from connectory.domain.commands import DeleteConnector
from connectory.domain.errors import Refused, Undecodable
from connectory.domain.spaces import CompleteSpaceDeletion, SpaceDeletionBegun, SpaceEvent
from connectory.gateway.catching_up import CatchingUp
from connectory.gateway.commanding import CommandDesk
from connectory.gateway.dead_letters import DeadLetterDesk, Selection
from connectory.gateway.read_models import ConnectorViews, SpaceViews
from connectory.gateway.references import ReferenceDesk
from connectory.infra.clock import Clock
from connectory.infra.log import Committed, Log, Record, Share
from connectory.infra.messages import Messages
from connectory.infra.supervision import keep_running
from connectory.infra.topics import SPACE_EVENTS
from connectory_projections import CONNECTOR_REFERENCES, CONNECTORS_BY_SPACE, DEAD_LETTERS, SPACES
from connectory_projections.dead_letters import Scope
from connectory_projections.model import AnyProjection

GROUP: Final = "space-deletions"
BATCH: Final = 100
FETCH_SECONDS: Final = 1.0
AT_ONCE: Final = 500
"""Connectors whose deletion is under way at one time."""

CONTENTS: Final[tuple[AnyProjection, ...]] = (CONNECTORS_BY_SPACE, CONNECTOR_REFERENCES, DEAD_LETTERS)
"""What shows that which is in spaces."""

_COMMANDS: Final = uuid.UUID("5f3b1f63-9d53-4a0c-8a53-6f0c9be8d1f4")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceDeletions:
    """`space_desk` and `connector_desk` take the commands, `references` and `letters` do away with the rest."""

    log: Log
    messages: Messages
    spaces: SpaceViews
    connectors: ConnectorViews
    references: ReferenceDesk
    letters: DeadLetterDesk
    space_desk: CommandDesk
    connector_desk: CommandDesk
    catching_up: CatchingUp
    clock: Clock

    async def run(self) -> None:
        """Be a member of the group until cancelled. Raises `Unavailable`: then run it anew."""
        await self.log.join(GROUP, [SPACE_EVENTS], self._serve)

    async def _serve(self, share: Share) -> None:
        committed = await share.committed(SPACE_EVENTS)
        beginning = await self.log.beginning_offset(SPACE_EVENTS, share.index)
        share.start({SPACE_EVENTS: committed.offset if committed else beginning})
        while not share.revoked.is_set():
            for record in await share.fetch(SPACE_EVENTS, BATCH, FETCH_SECONDS):
                await self._handle(record)
                await share.commit({SPACE_EVENTS: Committed(record.offset + 1)})

    async def _handle(self, record: Record) -> None:
        try:
            event: SpaceEvent = self.messages.decode(record.value, *SPACES.handles)
        except Undecodable as error:
            log.warning("skipped an undecodable event at %s/%d/%d: %s", *record[:3], error)
            return
        if isinstance(event, SpaceDeletionBegun):
            await self.catching_up.until(SPACES, record.partition, record.offset)
            await _Deletion(self, event, record.partition).run()


@asynccontextmanager
async def driving_deletions(process: SpaceDeletions) -> AsyncIterator[None]:
    """Drive deletions until left."""
    driving = asyncio.create_task(keep_running("the deletion of spaces", process.run))
    try:
        yield
    finally:
        driving.cancel()
        await asyncio.wait([driving])


@dataclass(frozen=True, slots=True)
class _Deletion:
    """One deletion. `partition` is that of the space's events."""

    process: SpaceDeletions
    begun: SpaceDeletionBegun
    partition: int

    async def run(self) -> None:
        """Delete what is in the space, then the space; nothing, when that was done before."""
        if not await self._is_known():
            return
        log.info("deleting what is in the space %s", self.begun.space_id)
        await asyncio.gather(*map(self.process.catching_up.everywhere, CONTENTS))
        if await self._delete_connectors() and await self._is_under_way():
            await self.process.references.withdraw_all(self.begun.space_id)
            await self._drop_dead_letters()
            await self._complete()
            log.info("deleted the space %s", self.begun.space_id)

    async def _is_known(self) -> bool:
        """Whether it had not ended as far as the read model goes, which has come to its beginning at least."""
        return await self.process.spaces.deletion(self.begun.space_id) == self.begun.command_id

    async def _is_under_way(self) -> bool:
        """Whether it had not ended when this was called: its id may have been given to a new space since."""
        await self.process.catching_up.at(SPACES, self.partition)
        return await self._is_known()

    async def _delete_connectors(self) -> bool:
        """Delete them page by page; False when the deletion turns out to have ended.

        That is looked at after each page was read: then they are known to be those of the space that is deleted.
        """
        after = ""
        while page := await self.process.connectors.by_id(self.begun.space_id, after, AT_ONCE):
            if not await self._is_under_way():
                return False
            await self._delete([view.connector_id for view in page])
            after = page[-1].connector_id
        return True

    async def _delete(self, connector_ids: Sequence[str]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for connector_id in connector_ids:
                tasks.create_task(self._delete_one(connector_id))

    async def _delete_one(self, connector_id: str) -> None:
        command = DeleteConnector(
            command_id=self._command_id(f"connector\n{connector_id}"),
            connector_id=connector_id,
            space_id=self.begun.space_id,
            at=self.process.clock(),
            by=self.begun.by,
        )
        try:
            await self.process.connector_desk.carry_out(connector_id, command)
        except Refused as refusal:
            # Somebody else has deleted it, or it is broken beyond what anybody could use: neither may stop the rest.
            log.info("the connector %s stays as it is: %s", connector_id, refusal)

    async def _drop_dead_letters(self) -> None:
        selection = Selection(Scope(self.begun.space_id))
        async for dropped in self.process.letters.drop(selection, by=self.begun.by):
            log.info("dropped %d dead letters of the space %s", len(dropped), self.begun.space_id)

    async def _complete(self) -> None:
        command = CompleteSpaceDeletion(
            command_id=self._command_id("end"),
            space_id=self.begun.space_id,
            at=self.process.clock(),
            by=self.begun.by,
            deletion_id=self.begun.command_id,
        )
        await self.process.space_desk.carry_out(self.begun.space_id, command)

    def _command_id(self, what: str) -> str:
        """Always the same, so that a step that is repeated has one effect."""
        return str(uuid.uuid5(_COMMANDS, f"{self.begun.command_id}\n{what}"))
