"""Deleting what is in a space, whatever is killed on the way, and whatever happens meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import get_args

import pytest

from connectory.aggregate import run_aggregates
from connectory.domain.errors import Unavailable
from connectory.domain.events import ConnectorDeleted, ConnectorEvent
from connectory.domain.in_memory_connectors import NO_IN_MEMORY_CONNECTORS
from connectory.domain.spaces import ActiveSpace, SpaceDetails
from connectory.gateway import space_deletions
from connectory.gateway.catching_up import CatchingUp
from connectory.gateway.changes import ConnectorChanges
from connectory.gateway.commanding import Channel, CommandDesk, Waits
from connectory.gateway.dead_letters import DeadLetterDesk
from connectory.gateway.origin import Origin
from connectory.gateway.references import ReferenceDesk
from connectory.gateway.replies import ReplyInbox
from connectory.gateway.space_deletions import SpaceDeletions
from connectory.gateway.spaces import SpaceChanges, Spaces
from connectory.infra import topics
from connectory.infra.log import Writer
from connectory.infra.settings import SpacesSettings
from connectory.projector import run_projector
from connectory.testing import run_in_virtual_time
from connectory_projections import CONNECTOR_REFERENCES, CONNECTORS_BY_SPACE, DEAD_LETTERS, SPACES
from connectory_projections.model import AnyProjection
from tests.read_models import InMemoryReadModels
from tests.unit.installation import owned
from tests.unit.simulation import Killed, Simulation, hook
from tests.waiting import until

SALES = SpaceDetails(name="Sales")
HELD = 6
"""Connectors in the space that is deleted."""


class SpaceSimulation(Simulation):
    """Two gateways drive deletions, under the same faults as the other roles. The second can be left away."""

    def __init__(self, seed: int, fault_rate: float = 0.04) -> None:
        super().__init__(seed, fault_rate)
        self.read_models = InMemoryReadModels(self.rows).for_gateway

    async def _decide(self) -> None:
        await run_aggregates(self.installation.log, self.installation.messages, self.installation.registry)

    @asynccontextmanager
    async def driving(self) -> AsyncIterator[SpaceChanges]:
        """A gateway as far as spaces are concerned."""
        log = self.installation.log
        inbox = ReplyInbox(log, self.installation.messages, self.chance)
        async with AsyncExitStack() as stack:
            writer = await stack.enter_async_context(log.writer())
            await stack.enter_async_context(inbox.open())
            process = self._process(writer, self._channel(writer, inbox))
            await stack.enter_async_context(owned(self._keep("deletions", process.run)))
            yield self._space_changes(self._channel(writer, inbox))

    def _channel(self, writer: Writer, inbox: ReplyInbox) -> Channel:
        waits = Waits(reply=timedelta(seconds=2), projection=timedelta(seconds=60))
        return Channel(self.installation.messages, writer, inbox, self.rows.progress, waits)

    def _process(self, writer: Writer, channel: Channel) -> SpaceDeletions:
        return SpaceDeletions(
            log=self.installation.log,
            messages=self.installation.messages,
            spaces=self.read_models.spaces,
            connectors=self.read_models.connectors,
            references=ReferenceDesk(
                references=self.read_models.references,
                connectors=self.read_models.connectors,
                in_memory=NO_IN_MEMORY_CONNECTORS,
                progress=self.rows.progress,
                messages=self.installation.messages,
                writer=writer,
                clock=self._now,
                view_wait=timedelta(seconds=2),
            ),
            letters=DeadLetterDesk(
                letters=self.read_models.dead_letters,
                progress=self.rows.progress,
                messages=self.installation.messages,
                writer=writer,
                clock=self._now,
                view_wait=timedelta(seconds=2),
            ),
            space_desk=CommandDesk(channel, topics.SPACE_COMMANDS, (SPACES.name,)),
            connector_desk=CommandDesk(channel, topics.CONNECTOR_COMMANDS, (CONNECTORS_BY_SPACE.name,)),
            catching_up=CatchingUp(self.installation.log, self.rows.progress),
            clock=self._now,
        )

    def _space_changes(self, channel: Channel) -> SpaceChanges:
        return SpaceChanges(
            spaces=Spaces(self.read_models.spaces),
            connectors=self.read_models.connectors,
            limits=SpacesSettings(),
            messages=self.installation.messages,
            desk=CommandDesk(channel, topics.SPACE_COMMANDS, (SPACES.name,)),
            clock=self._now,
            new_id=lambda: f"id-{self.chance.randrange(10**9)}",
            deletion_wait=timedelta(seconds=7200),
        )

    @asynccontextmanager
    async def changing_connectors(self) -> AsyncIterator[ConnectorChanges]:
        inbox = ReplyInbox(self.installation.log, self.installation.messages, self.chance)
        async with self.installation.log.writer() as writer, inbox.open():
            yield self._changes(writer, inbox)

    def following(self, *projections: AnyProjection) -> AbstractAsyncContextManager[object]:
        return owned(run_projector(self.installation.log, self.installation.messages, self.rows, projections))

    def is_being_deleted(self, space_id: str) -> bool:
        return any(space.space_id == space_id and space.deletion_id for space in self.spaces())

    async def create_connector(self, changes: ConnectorChanges, connector_id: str, space_id: str) -> None:
        async def create(origin: Origin) -> None:
            await changes.create(connector_id, ".webhook", hook(1), replace(origin, space_id=space_id))

        assert await self.persist(create) is None

    def spaces(self) -> list[ActiveSpace]:
        last = {record.key: record.value for record in self.installation.log.records(topics.SPACES)}
        return [self.installation.messages.decode(value, ActiveSpace) for value in last.values() if value is not None]

    def connectors(self, space_id: str) -> Sequence[str]:
        return sorted(each.connector_id for each in self.installation.states().values() if each.space_id == space_id)


async def history(seed: int) -> SpaceSimulation:
    """Fill a space, use it, delete it, and create it anew with connectors of the same ids, while everything breaks."""
    simulation = SpaceSimulation(seed)
    await simulation.installation.create_topics()
    async with asyncio.timeout(20_000), simulation.running() as connectors, simulation.driving() as spaces:
        async with simulation.driving():
            await fill(simulation, connectors, spaces)
            deleting = asyncio.create_task(simulation.persist(partial(spaces.delete, "sales")))
            await simulation.create_connector(connectors, "other-late", "default")
            assert await deleting is None
        assert simulation.connectors("sales") == []
        await simulation.persist(partial(spaces.create, "sales", SALES))
        await asyncio.gather(*(simulation.create_connector(connectors, f"c{n}", "sales") for n in range(2)))
        await simulation.calm()
    return simulation


async def fill(simulation: SpaceSimulation, connectors: ConnectorChanges, spaces: SpaceChanges) -> None:
    await simulation.persist(partial(spaces.create, "sales", SALES))
    await asyncio.gather(*(simulation.create_connector(connectors, f"c{n}", "sales") for n in range(HELD)))
    await simulation.create_connector(connectors, "other", "default")
    for number in range(20):
        await submit(simulation, f"r{number}", f"c{number % HELD}")


async def submit(simulation: SpaceSimulation, request_id: str, connector_id: str) -> None:
    """Until it is acknowledged."""
    simulation.submitted.add(request_id)
    while True:
        try:
            await simulation.installation.submit(request_id, connector_id=connector_id, space_id="sales")
        except (Unavailable, Killed):
            await asyncio.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module", params=range(3))
def simulation(request: pytest.FixtureRequest) -> SpaceSimulation:
    return run_in_virtual_time(history(request.param))


def test_every_connector_of_the_space_was_deleted_once_by_whoever_deleted_the_space(
    simulation: SpaceSimulation,
) -> None:
    events: list[ConnectorEvent] = simulation.installation.read(topics.CONNECTOR_EVENTS, *get_args(ConnectorEvent))
    deleted = [event for event in events if isinstance(event, ConnectorDeleted)]

    assert sorted(event.connector_id for event in deleted) == [f"c{number}" for number in range(HELD)]
    assert {(event.space_id, event.by) for event in deleted} == {("sales", "ada")}


def test_what_is_in_other_spaces_and_in_the_new_space_of_that_id_stays(simulation: SpaceSimulation) -> None:
    assert simulation.connectors("default") == ["other", "other-late"]
    assert simulation.connectors("sales") == ["c0", "c1"]
    assert [(space.space_id, space.version, space.deletion_id) for space in simulation.spaces()] == [("sales", 1, None)]


def test_every_request_of_the_space_has_a_final_outcome(simulation: SpaceSimulation) -> None:
    assert {outcome.request_id for outcome in simulation.installation.finals()} == simulation.submitted


@asynccontextmanager
async def without_faults(*projections: AnyProjection) -> AsyncIterator[tuple[SpaceSimulation, SpaceChanges]]:
    """A space with one connector; of the projections only these are followed."""
    simulation = SpaceSimulation(seed=1, fault_rate=0.0)
    installation = await simulation.installation.create_topics()
    async with installation.aggregate(), simulation.following(*projections), simulation.driving() as spaces:
        await simulation.persist(partial(spaces.create, "sales", SALES))
        async with simulation.changing_connectors() as connectors:
            await simulation.create_connector(connectors, "c1", "sales")
        yield simulation, spaces


def test_a_connector_that_the_read_model_does_not_show_yet_is_not_missed() -> None:
    async def scenario() -> None:
        async with without_faults(SPACES, CONNECTOR_REFERENCES, DEAD_LETTERS) as (simulation, spaces):
            deleting = asyncio.create_task(simulation.persist(partial(spaces.delete, "sales")))
            await until(lambda: simulation.is_being_deleted("sales"), pause=0.1)
            await asyncio.sleep(600)  # of virtual time: whatever could be done without the read model is done by then
            assert simulation.connectors("sales") == ["c1"]
            async with simulation.following(CONNECTORS_BY_SPACE):
                assert await deleting is None
            assert (simulation.connectors("sales"), simulation.spaces()) == ([], [])

    run_in_virtual_time(scenario())


def test_a_deletion_that_is_read_again_after_its_end_leaves_the_new_space_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        async with without_faults(SPACES, CONNECTOR_REFERENCES, DEAD_LETTERS, CONNECTORS_BY_SPACE) as (
            simulation,
            spaces,
        ):
            await simulation.persist(partial(spaces.delete, "sales"))
            await simulation.persist(partial(spaces.create, "sales", SALES))
            async with simulation.changing_connectors() as connectors:
                await simulation.create_connector(connectors, "c1", "sales")
            monkeypatch.setattr(space_deletions, "GROUP", "a group without progress")
            async with simulation.driving():
                await asyncio.sleep(600)  # of virtual time
            assert simulation.connectors("sales") == ["c1"]
            assert [space.version for space in simulation.spaces()] == [1]

    run_in_virtual_time(scenario())


def test_a_connector_that_somebody_else_has_deleted_does_not_stop_the_deletion() -> None:
    async def scenario() -> None:
        async with without_faults(SPACES, CONNECTOR_REFERENCES, DEAD_LETTERS, CONNECTORS_BY_SPACE) as (
            simulation,
            spaces,
        ):
            shown = simulation.rows.rows(CONNECTORS_BY_SPACE.name)
            async with simulation.changing_connectors() as connectors:
                await simulation.persist(lambda origin: connectors.delete("c1", replace(origin, space_id="sales")))
            simulation.rows.tables[CONNECTORS_BY_SPACE.name] = {("c1",): shown[0]}
            async with owned(simulation.persist(partial(spaces.delete, "sales"))):
                await until(lambda: not simulation.spaces(), pause=0.1)

    run_in_virtual_time(scenario())
