"""Gateway, aggregate, executor and projector together, under seeded crashes and duplicate deliveries.

Each seed is one history. What must hold in all of them is what Connectory promises.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Collection
from functools import partial

import pytest

from connectory.domain.connector import Active, fold
from connectory.domain.events import ConnectorCreated, ConnectorDeleted, ConnectorEvent, ConnectorUpdated
from connectory.domain.execution import Action, Outcome
from connectory.gateway.changes import ConnectorChanges
from connectory.infra import topics
from connectory.testing import run_in_virtual_time
from tests.unit.simulation import Simulation, hook, log_keys

CONNECTORS = 4
REQUESTS = 40


async def history(seed: int) -> Simulation:
    """Create connectors, use them, change them, delete two and create one of these anew, while everything breaks."""
    simulation = Simulation(seed)
    await simulation.installation.create_topics()
    async with asyncio.timeout(600), simulation.running() as changes:
        await asyncio.gather(*(change(simulation, changes, number) for number in range(CONNECTORS)))
        await simulation.calm()
    return simulation


async def change(simulation: Simulation, changes: ConnectorChanges, number: int) -> None:
    connector_id = f"c{number}"
    await simulation.persist(partial(changes.create, connector_id, ".webhook", hook(number)))
    for count in range(REQUESTS):
        await simulation.submit(f"r{number}-{count}", connector_id)
        if count % 10 == 9:
            assert await simulation.persist(partial(changes.update, connector_id, hook(count))) is None
        if number == 1 and count == REQUESTS // 2:
            await simulation.persist(partial(changes.delete, connector_id))
            await simulation.persist(partial(changes.create, connector_id, ".webhook", hook(count)))
    if number == 0:
        await simulation.persist(partial(changes.delete, connector_id))


@pytest.fixture(scope="module", params=range(12))
def simulation(request: pytest.FixtureRequest) -> Simulation:
    return run_in_virtual_time(history(request.param))


def test_faults_did_happen(simulation: Simulation) -> None:
    assert simulation.faults["killed"] > 5
    assert simulation.faults["away"] > 5
    assert simulation.faults["answer lost"] > 0


def test_every_accepted_request_has_exactly_one_final_outcome(simulation: Simulation) -> None:
    finals = Counter(outcome.request_id for outcome in unique_outcomes(simulation) if outcome.final)
    assert finals == Counter(simulation.submitted)


def test_calls_beyond_the_first_are_no_more_than_the_attempts_in_doubt(simulation: Simulation) -> None:
    calls = Counter(call.body for call in simulation.installation.target.calls)
    doubted = Counter(each.request_id for each in unique_outcomes(simulation) if each.reason == "in-doubt")
    repeated = {body: count for body, count in calls.items() if isinstance(body, bytes) and count > 1}
    assert all(count - 1 <= doubted[body.decode()] for body, count in repeated.items())


def test_every_request_that_may_have_run_twice_is_marked(simulation: Simulation) -> None:
    calls = Counter(call.body for call in simulation.installation.target.calls)
    marked = {each.request_id for each in unique_outcomes(simulation) if each.final and each.possible_duplicate}
    twice = {body.decode() for body, count in calls.items() if isinstance(body, bytes) and count > 1}
    assert twice <= marked


def test_every_start_has_an_end(simulation: Simulation) -> None:
    starts = {each.execution_id for each in unique_outcomes(simulation) if each.action is Action.EXECUTE_START}
    ends = {each.execution_id for each in unique_outcomes(simulation) if each.action is Action.EXECUTE}
    assert starts <= ends


def test_no_command_took_effect_twice(simulation: Simulation) -> None:
    commands = Counter(event.command_id for event in events(simulation))
    assert set(commands.values()) == {1}


def test_versions_count_the_events_of_each_connector_since_it_was_created(simulation: Simulation) -> None:
    for number in range(CONNECTORS):
        version = 0
        for event in events(simulation, f"c{number}"):
            version = 1 if isinstance(event, ConnectorCreated) else version + 1
            assert event.version == version


def test_a_connector_is_created_only_where_there_is_none(simulation: Simulation) -> None:
    for number in range(CONNECTORS):
        for before, event in itertools.pairwise(events(simulation, f"c{number}")):
            assert isinstance(event, ConnectorCreated) == isinstance(before, ConnectorDeleted)


def test_the_compacted_states_are_the_folded_events(simulation: Simulation) -> None:
    folded = {f"c{number}": fold(events(simulation, f"c{number}")) for number in range(CONNECTORS)}
    expected = {key: state.version for key, state in folded.items() if isinstance(state, Active)}
    assert {key: state.version for key, state in simulation.installation.states().items()} == expected


def test_the_views_are_the_states(simulation: Simulation) -> None:
    views = {row["connector_id"]: row["name"] for row in simulation.rows.rows("connectors_by_space")}
    assert views == {key: state.name for key, state in simulation.installation.states().items()}


def test_the_event_log_has_every_outcome_once(simulation: Simulation) -> None:
    rows = Counter((row["execution_id"], row["action"]) for row in simulation.rows.rows("event_log"))
    assert rows == Counter(log_keys(simulation.installation))


def events(simulation: Simulation, connector_id: str | None = None) -> list[ConnectorEvent]:
    read = simulation.installation.read
    found: list[ConnectorEvent] = read(topics.CONNECTOR_EVENTS, ConnectorCreated, ConnectorUpdated, ConnectorDeleted)
    return [event for event in found if connector_id in (None, event.connector_id)]


def unique_outcomes(simulation: Simulation) -> Collection[Outcome]:
    """A batch whose acknowledgement was lost stands twice on the log, and is one outcome all the same."""
    return {(each.execution_id, each.action): each for each in simulation.installation.outcomes()}.values()
