"""Gateway, aggregate, executor and projector together, under seeded crashes and duplicate deliveries.

Each seed is one history. What must hold in all of them is what Connectory promises.
"""

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import Collection
from functools import partial
from typing import get_args

import pytest

from connectory.domain.connector import Active, fold
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.events import ConnectorCreated, ConnectorDeleted, ConnectorEvent
from connectory.domain.execution import Action, ActionRequest, Delivery, Outcome
from connectory.gateway.changes import ConnectorChanges
from connectory.infra import topics
from connectory.testing import run_in_virtual_time
from tests.unit.simulation import Simulation, hook, log_keys

CONNECTORS = 4
REQUESTS = 40
LIMITED = DeliveryPolicy(requests_per_second=2.0, burst=3, max_attempts=4)


async def history(seed: int) -> Simulation:
    """Create connectors, use them, change them, delete two and create one of these anew, while everything breaks."""
    simulation = Simulation(seed)
    await simulation.installation.create_topics()
    async with asyncio.timeout(20_000), simulation.running() as changes:
        await asyncio.gather(*(change(simulation, changes, number) for number in range(CONNECTORS)))
        await simulation.calm()
    return simulation


async def change(simulation: Simulation, changes: ConnectorChanges, number: int) -> None:
    connector_id = f"c{number}"
    await simulation.persist(partial(changes.create, connector_id, ".webhook", hook(number)))
    if number == 3:
        await simulation.persist(partial(changes.set_delivery_policy, connector_id, LIMITED))
    for count in range(REQUESTS):
        await simulation.submit(f"r{number}-{count}", connector_id)
        if count % 10 == 9:
            assert await simulation.persist(partial(changes.update, connector_id, hook(count))) is None
        if count % 15 == 14:
            await simulation.cancel(f"r{number}-{count - 1}")
        if number == 2 and count % 10 == 5:
            for enabled in (False, True):
                await simulation.persist(partial(changes.switch, connector_id, enabled=enabled))
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


def test_the_target_is_not_called_but_for_attempts_that_are_told_of(simulation: Simulation) -> None:
    calls = Counter(calls_of(simulation))
    starts = Counter(each.request_id for each in told(simulation, Action.EXECUTE_START))
    assert calls <= starts


def test_every_request_with_an_attempt_in_doubt_that_was_run_again_is_marked(simulation: Simulation) -> None:
    doubted = {each.request_id: each.attempt for each in told(simulation, Action.EXECUTE) if each.reason == "in-doubt"}
    later = [each for each in told(simulation, Action.EXECUTE_START) if each.attempt > doubted.get(each.request_id, 99)]
    assert [each.request_id for each in later if not each.possible_duplicate] == []


def test_at_most_once_runs_nothing_again_that_is_in_doubt(simulation: Simulation) -> None:
    doubted = [each for each in told(simulation, Action.EXECUTE) if each.reason == "in-doubt"]
    at_most_once = deliveries(simulation)[Delivery.AT_MOST_ONCE]
    assert {each.request_id for each in doubted if not each.final} & at_most_once == set()


def test_every_start_has_an_end(simulation: Simulation) -> None:
    starts = {each.execution_id for each in told(simulation, Action.EXECUTE_START)}
    ends = {each.execution_id for each in told(simulation, Action.EXECUTE)}
    assert starts <= ends


def test_a_request_with_an_ordering_key_starts_after_those_before_it_have_ended(simulation: Simulation) -> None:
    ended: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    order = keyed_offsets(simulation)
    for outcome in unique_outcomes(simulation):
        key, offset = order.get(outcome.request_id, (None, 0))
        if key is None or outcome.position.offset != offset:
            continue
        if outcome.action is Action.EXECUTE_START:
            before = {each for other, each in order.values() if other == key and each < offset}
            assert before <= ended[key]
        if outcome.final:
            ended[key].add(offset)


def test_some_were_tried_again_put_off_and_given_up(simulation: Simulation) -> None:
    actions = Counter(each.action for each in unique_outcomes(simulation))
    assert actions[Action.RETRY_SCHEDULED] > 10
    assert simulation.installation.dead_letters()


def test_who_was_given_up_is_among_the_dead_letters(simulation: Simulation) -> None:
    letters = {letter.request_id for letter in simulation.installation.dead_letters()}
    failed = {each.request_id for each in unique_outcomes(simulation) if each.final and each.outcome != "success"}
    wanted = {each.request_id for each in told(simulation, Action.CANCELLED)} | {
        each.request_id for each in unique_outcomes(simulation) if each.reason == "connector-disabled"
    }
    assert letters == failed - wanted


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


def test_a_seed_is_the_same_history_each_time() -> None:
    once, again = (run_in_virtual_time(history(seed=0)) for _ in range(2))
    assert again.faults == once.faults
    assert again.installation.outcomes() == once.installation.outcomes()


def events(simulation: Simulation, connector_id: str | None = None) -> list[ConnectorEvent]:
    read = simulation.installation.read
    found: list[ConnectorEvent] = read(topics.CONNECTOR_EVENTS, *get_args(ConnectorEvent))
    return [event for event in found if connector_id in (None, event.connector_id)]


def calls_of(simulation: Simulation) -> list[str]:
    bodies = [call.body for call in simulation.installation.target.calls]
    return [body.decode() for body in bodies if isinstance(body, bytes)]


def told(simulation: Simulation, action: Action) -> list[Outcome]:
    return [each for each in unique_outcomes(simulation) if each.action is action]


def deliveries(simulation: Simulation) -> dict[Delivery, set[str]]:
    requests = simulation.installation.read(topics.ACTION_REQUESTS, ActionRequest)
    return {each: {request.request_id for request in requests if request.delivery is each} for each in Delivery}


def keyed_offsets(simulation: Simulation) -> dict[str, tuple[tuple[str, str], int]]:
    """Of each request with an ordering key: the connector and key, and the offset at which it was first accepted."""
    found: dict[str, tuple[tuple[str, str], int]] = {}
    for record in simulation.installation.log.records(topics.ACTION_REQUESTS):
        request = simulation.installation.messages.decode(record.value, ActionRequest)
        if request.ordering_key is not None:
            found.setdefault(request.request_id, ((request.connector_id, request.ordering_key), record.offset))
    return found


def unique_outcomes(simulation: Simulation) -> Collection[Outcome]:
    """A batch whose acknowledgement was lost stands twice on the log, and is one outcome all the same."""
    return {(each.execution_id, each.action): each for each in simulation.installation.outcomes()}.values()
