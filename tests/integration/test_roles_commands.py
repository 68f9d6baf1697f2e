"""The aggregate on a real Kafka: commands become events, states and replies, whatever else lies among them."""

import random
from collections.abc import AsyncIterator

import pytest

from connectory.domain.connector import Active
from connectory.domain.events import ConnectorCreated, ConnectorDeleted, ConnectorUpdated
from connectory.domain.replies import CommandAccepted, CommandRefused
from connectory.infra.log import Message
from connectory.infra.topics import CONNECTOR_COMMANDS, CONNECTOR_EVENTS, CONNECTORS
from tests.integration.roles import (
    MESSAGES,
    PARTITIONS,
    Roles,
    command_message,
    create_command,
    garbage,
    home_of,
    open_roles,
)


@pytest.fixture
async def roles(kafka_bootstrap: str, topic_prefix: str) -> AsyncIterator[Roles]:
    async with open_roles(kafka_bootstrap, topic_prefix) as opened, opened.aggregate():
        yield opened


async def events(roles: Roles) -> list[ConnectorCreated | ConnectorUpdated | ConnectorDeleted]:
    return await roles.read(CONNECTOR_EVENTS, ConnectorCreated, ConnectorUpdated, ConnectorDeleted)


async def test_a_command_becomes_an_event_a_state_and_a_reply(roles: Roles) -> None:
    reply = await roles.create("c1")

    [event] = await events(roles)
    [state] = await roles.read(CONNECTORS, Active)
    assert (reply.subject_id, reply.version, reply.partition) == ("c1", 1, home_of("c1"))
    assert (event.connector_id, event.version) == ("c1", 1)
    assert (state.connector_id, state.config["url"]) == ("c1", "http://target/")
    assert MESSAGES.decode(reply.state, Active).name == "hook"


async def test_a_command_that_is_sent_again_changes_nothing_and_is_answered_alike(roles: Roles) -> None:
    command = create_command("c1", "k1")

    first, second = [await roles.command(command) for _ in range(2)]

    assert isinstance(first, CommandAccepted)
    assert first == second
    assert len(await events(roles)) == 1


async def test_garbage_is_refused_where_somebody_waits_and_stops_nothing(roles: Roles) -> None:
    good = command_message(create_command("c1", "to-be-spoiled"))
    assert good.value is not None
    await roles.send(*(good._replace(value=value) for value in garbage(good.value)))

    refused = await roles.reply("to-be-spoiled")
    accepted = await roles.create("c1")

    assert isinstance(refused, CommandRefused)
    assert refused.code == "undecodable"
    assert accepted.version == 1


async def test_noise_on_every_partition_stops_none(roles: Roles) -> None:
    chance = random.Random(1)
    noise = [
        Message(CONNECTOR_COMMANDS, chance.randbytes(4), chance.randbytes(40), (), n % PARTITIONS) for n in range(100)
    ]
    await roles.send(*noise)

    created = [await roles.create(f"c{number}") for number in range(16)]

    assert {reply.partition for reply in created} == set(range(PARTITIONS))
    assert len(await events(roles)) == 16
