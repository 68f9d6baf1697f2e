"""The aggregate loop on the log in memory: what a batch of commands leaves behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar, get_args

import pytest

from connectory.aggregate import connector_aggregate, run_aggregate, space_aggregate
from connectory.domain.connector import Active
from connectory.domain.errors import Unavailable
from connectory.domain.events import ConnectorEvent
from connectory.domain.replies import CommandAccepted, CommandRefused
from connectory.domain.spaces import CreateSpace, SpaceCreated, SpaceDetails
from connectory.infra import topics
from connectory.infra.headers import REPLY_PARTITION, reply_to
from connectory.infra.log import MAX_RECORD_BYTES, partition_for
from connectory.infra.messages import Messages
from connectory.infra.topics import topic_specs
from connectory.testing import AnyConfig, InMemoryLog
from tests.unit.connectors import (
    AT,
    POLICY,
    create,
    created,
    delete,
    deleted,
    disable,
    disabled,
    enable,
    policy_set,
    set_policy,
    update,
    updated,
)
from tests.waiting import until, until_many

MESSAGES = Messages()
PARTITIONS = 2
T = TypeVar("T")


async def new_log(before: Callable[[str], Awaitable[None]] | None = None) -> InMemoryLog:
    log = InMemoryLog(PARTITIONS, before=before)
    await log.create_topics(topic_specs(timedelta(days=1)))
    return log


@asynccontextmanager
async def running(log: InMemoryLog, aggregate: Any = None) -> AsyncIterator[None]:
    task = asyncio.create_task(run_aggregate(log, MESSAGES, aggregate or connector_aggregate(AnyConfig())))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def send(log: InMemoryLog, *commands: Any, topic: str = topics.CONNECTOR_COMMANDS) -> None:
    messages = [
        MESSAGES.message(topic, getattr(command, "connector_id", None) or command.space_id, command, at=AT)
        for command in commands
    ]
    async with log.writer() as writer:
        await writer.write([message._replace(headers=(*message.headers, *reply_to(0))) for message in messages])


def read(log: InMemoryLog, topic: str, *types: type[T]) -> list[T]:
    return [MESSAGES.decode(record.value, *types) for record in log.records(topic)]


def events(log: InMemoryLog) -> list[Any]:
    return read(log, topics.CONNECTOR_EVENTS, *get_args(ConnectorEvent))


def replies(log: InMemoryLog) -> list[CommandAccepted | CommandRefused]:
    return read(log, topics.REPLIES, CommandAccepted, CommandRefused)


async def test_a_command_becomes_an_event_a_state_and_a_reply() -> None:
    log = await new_log()
    async with running(log):
        await send(log, create())
        (reply,) = await until(lambda: replies(log))
    assert events(log) == [created()]
    assert [state.name for state in read(log, topics.CONNECTORS, Active)] == ["hook"]
    assert isinstance(reply, CommandAccepted)
    assert (reply.version, reply.topic, reply.offset) == (1, topics.CONNECTOR_EVENTS, 0)


async def test_commands_of_one_batch_are_decided_against_each_other() -> None:
    log = await new_log()
    await send(log, create(), update(expected_version=1), delete(), delete(command_id="k4"))
    async with running(log):
        answers = await until_many(lambda: replies(log), 4)
    assert events(log) == [created(), updated(), deleted(version=3)]
    assert [type(answer) for answer in answers] == [CommandAccepted] * 3 + [CommandRefused]


async def test_a_deletion_leaves_a_tombstone() -> None:
    log = await new_log()
    async with running(log):
        await send(log, create())
        await until(lambda: replies(log))
        await send(log, delete())
        await until(lambda: len(replies(log)) == 2)
    assert log.records(topics.CONNECTORS)[-1].value is None


@pytest.mark.parametrize("command", [create(), update(), delete(), disable(), set_policy()])
async def test_a_command_seen_again_gets_an_answer_and_changes_nothing(command: Any) -> None:
    log = await new_log()
    before = [] if command == create() else [create()]
    async with running(log):
        await send(log, *before, command)
        await until(lambda: len(replies(log)) == len(before) + 1)
        await send(log, command)
        answers = await until_many(lambda: replies(log), len(before) + 2)
    assert len(events(log)) == len(before) + 1
    assert isinstance(answers[-1], CommandAccepted)
    assert answers[-1] == answers[-2]


@pytest.mark.parametrize("command", [create(), update(), delete(), disable(), set_policy()])
async def test_a_command_is_known_again_after_a_restart(command: Any) -> None:
    log = await new_log()
    before = [] if command == create() else [create()]
    async with running(log):
        await send(log, *before, command)
        await until(lambda: len(replies(log)) == len(before) + 1)
    async with running(log):
        await send(log, command)
        answers = await until_many(lambda: replies(log), len(before) + 2)
    assert len(events(log)) == len(before) + 1
    assert answers[-1] == answers[-2]


async def test_a_connector_is_disabled_and_limited_in_its_state() -> None:
    log = await new_log()
    async with running(log):
        await send(log, create(), disable(), set_policy())
        await until_many(lambda: replies(log), 3)
    assert events(log) == [created(), disabled(), policy_set(version=3)]
    state = read(log, topics.CONNECTORS, Active)[-1]
    assert (state.enabled, state.delivery_policy, state.version) == (False, POLICY, 3)


async def test_a_command_with_nothing_to_do_is_accepted_with_the_state_and_the_last_event() -> None:
    log = await new_log()
    async with running(log):
        await send(log, create())
        await until(lambda: replies(log))
        await send(log, enable(), enable())
        _, *answers = await until_many(lambda: replies(log), 3)
    assert len(events(log)) == 1
    assert [type(answer) for answer in answers] == [CommandAccepted] * 2
    for answer in answers:
        assert isinstance(answer, CommandAccepted)
        assert (answer.version, answer.offset) == (1, 0)
        assert MESSAGES.decode(answer.state, Active).enabled


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_a_command_that_had_nothing_to_do_does_nothing_later_either(is_restarted: bool) -> None:
    log = await new_log()
    async with running(log):
        await send(log, create(), enable(), disable())
        await until_many(lambda: replies(log), 3)
        if not is_restarted:
            await send(log, enable())
            await until_many(lambda: replies(log), 4)
    async with running(log):
        await send(log, enable())
        answers = await until_many(lambda: replies(log), 4 if is_restarted else 5)
    assert isinstance(answers[-1], CommandAccepted)
    assert MESSAGES.decode(answers[-1].state, Active).enabled is False
    assert events(log) == [created(), disabled()]


@pytest.mark.parametrize("command", [create(), disable(), delete()])
async def test_the_commands_of_a_deleted_connector_are_known_again_after_a_restart(command: Any) -> None:
    log = await new_log()
    async with running(log):
        await send(log, create(), disable(), delete())
        await until_many(lambda: replies(log), 3)
    async with running(log):
        await send(log, command)
        answers = await until_many(lambda: replies(log), 4)
    assert isinstance(answers[-1], CommandAccepted)
    assert len(events(log)) == 3


async def test_each_answer_of_a_batch_tells_the_state_that_its_own_command_left() -> None:
    log = await new_log()
    await send(log, create(), disable(), disable(command_id="k9"), enable(), update())
    async with running(log):
        answers = await until_many(lambda: replies(log), 5)
    accepted = [answer for answer in answers if isinstance(answer, CommandAccepted)]
    states = [MESSAGES.decode(answer.state, Active) for answer in accepted]
    assert [(state.version, state.enabled) for state in states] == [
        (1, True),
        (2, False),
        (2, False),
        (3, True),
        (4, True),
    ]
    assert [answer.version for answer in accepted] == [1, 2, 2, 3, 4]
    assert len(events(log)) == 4


async def test_a_connector_that_was_deleted_and_created_anew_is_there_after_a_restart() -> None:
    log = await new_log()
    async with running(log):
        await send(log, create(), delete(), create(command_id="k4"))
        await until_many(lambda: replies(log), 3)
    async with running(log):
        await send(log, update(command_id="k5", expected_version=1))
        answers = await until_many(lambda: replies(log), 4)
    assert isinstance(answers[-1], CommandAccepted)


async def test_a_refused_command_is_answered_and_leaves_no_event() -> None:
    log = await new_log()
    async with running(log):
        await send(log, delete())
        (reply,) = await until(lambda: replies(log))
    assert isinstance(reply, CommandRefused)
    assert (reply.code, reply.message) == ("connector-not-found", "Saved object [action/c1] not found")
    assert events(log) == []


async def test_an_undecodable_command_is_answered_and_stops_nothing() -> None:
    log = await new_log()
    async with running(log):
        good = MESSAGES.message(topics.CONNECTOR_COMMANDS, "c1", create(), at=AT)
        bad = good._replace(value=b"\x00garbage", headers=(("ce_id", b"k0"), *reply_to(0)))
        async with log.writer() as writer:
            await writer.write([bad])
        await send(log, create())
        first, second = await until_many(lambda: replies(log), 2)
    assert (type(first), first.command_id) == (CommandRefused, "k0")
    assert isinstance(second, CommandAccepted)


@pytest.mark.parametrize("partition", [b"99", b"9" * 5000, b"-1", b"\xff"])
async def test_a_command_whose_answer_has_nowhere_to_go_is_decided_all_the_same(partition: bytes) -> None:
    log = await new_log()
    message = MESSAGES.message(topics.CONNECTOR_COMMANDS, "c1", create(), at=AT)
    async with running(log):
        async with log.writer() as writer:
            await writer.write([message._replace(headers=((REPLY_PARTITION, partition),))])
        await send(log, update())
        (reply,) = await until(lambda: replies(log))
    assert (type(reply), len(events(log))) == (CommandAccepted, 2)


async def test_a_change_that_no_record_holds_is_refused_and_stops_nothing() -> None:
    """The state names who created and who changed the connector, so it is larger than the command."""
    log = await new_log()
    async with running(log):
        await send(log, create(by="a" * 5000, name="x" * (MAX_RECORD_BYTES - 6000)), create())
        first, second = await until_many(lambda: replies(log), 2)
    assert isinstance(first, CommandRefused)
    assert (first.code, type(second)) == ("message-too-large", CommandAccepted)


async def test_an_answer_that_no_record_holds_is_left_out() -> None:
    log = await new_log()
    async with running(log):
        await send(log, delete(command_id="k" * 400_000), create())
        (reply,) = await until(lambda: replies(log))
    assert (type(reply), reply.command_id) == (CommandAccepted, "k1")


async def test_garbage_among_states_and_events_costs_the_commands_on_that_connector_only() -> None:
    log = await new_log()
    home, other = partition_for(b"c1", PARTITIONS), "c3"
    log.append_raw(topics.CONNECTORS, home, b"garbage", key=b"c1")
    log.append_raw(topics.CONNECTORS, home, b"garbage", key=b"\xff")
    log.append_raw(topics.CONNECTOR_EVENTS, home, b"garbage", key=b"c1")
    async with running(log):
        await send(log, update(), create(connector_id=other))
        answers = await until_many(lambda: replies(log), 2)
    assert partition_for(other.encode(), PARTITIONS) == home
    assert {(answer.subject_id, type(answer)) for answer in answers} == {
        ("c1", CommandRefused),
        (other, CommandAccepted),
    }


async def test_a_command_on_a_foreign_partition_is_refused() -> None:
    log = await new_log()
    foreign = 1 - partition_for(b"c1", PARTITIONS)
    message = MESSAGES.message(topics.CONNECTOR_COMMANDS, "c1", create(), at=AT, partition=foreign)
    async with running(log):
        async with log.writer() as writer:
            await writer.write([message._replace(headers=reply_to(0))])
        (reply,) = await until(lambda: replies(log))
    assert isinstance(reply, CommandRefused)
    assert reply.code == "command-misplaced"


async def test_a_rule_that_breaks_costs_its_command_only(caplog: pytest.LogCaptureFixture) -> None:
    def decide(command: Any, state: Any) -> list[Any]:
        if command.command_id == "bad":
            raise ZeroDivisionError
        return sound.decide(command, state)

    sound = connector_aggregate(AnyConfig())
    log = await new_log()
    async with running(log, replace(sound, decide=decide)):
        await send(log, create(command_id="bad"), create())
        first, second = await until_many(lambda: replies(log), 2)
    assert isinstance(first, CommandRefused)
    assert isinstance(second, CommandAccepted)


async def test_an_aborted_batch_leaves_nothing_and_is_decided_again() -> None:
    failing = ["transaction-commit"]

    async def before(operation: str) -> None:
        if failing and operation == failing[0]:
            failing.clear()
            raise Unavailable("the broker is away")

    log = await new_log(before)
    await send(log, create())
    with pytest.raises(Unavailable):
        await run_aggregate(log, MESSAGES, connector_aggregate(AnyConfig()))
    assert events(log) == []
    async with running(log):
        await until(lambda: replies(log))
    assert events(log) == [created()]


async def test_replies_never_carry_secrets() -> None:
    log = await new_log()
    async with running(log):
        await send(log, create())
        (reply,) = await until(lambda: replies(log))
    assert isinstance(reply, CommandAccepted)
    state = MESSAGES.decode(reply.state, Active)
    assert (state.secrets.ciphertexts, state.secrets.wrapped_key) == ({}, None)


async def test_spaces_run_on_the_same_loop() -> None:
    log = await new_log()
    command = CreateSpace(command_id="k1", space_id="red", at=AT, by="ada", details=SpaceDetails(name="Red"))
    async with running(log, space_aggregate()):
        await send(log, command, topic=topics.SPACE_COMMANDS)
        await until(lambda: replies(log))
    assert [event.space_id for event in read(log, topics.SPACE_EVENTS, SpaceCreated)] == ["red"]
