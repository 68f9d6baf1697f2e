"""Aggregate and executor on a real Kafka: requests are run and become outcomes, whatever else lies among them."""

import random
from collections.abc import AsyncIterator

import pytest

from connectory.domain.dead_letters import DeadLetter
from connectory.infra.egress import EgressSettings, open_egress
from connectory.infra.log import Message
from connectory.infra.topics import ACTION_DEAD_LETTERS, ACTION_REQUESTS
from tests.fakes.http_target import Answer, HttpTarget, http_target
from tests.integration.roles import (
    PARTITIONS,
    Roles,
    command_message,
    create_command,
    garbage,
    home_of,
    open_roles,
    request_message,
)


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    async with http_target() as opened:
        yield opened


@pytest.fixture
async def roles(kafka_bootstrap: str, topic_prefix: str, target: HttpTarget) -> AsyncIterator[Roles]:
    """With a connector `c1` that calls the target."""
    async with (
        open_roles(kafka_bootstrap, topic_prefix) as opened,
        open_egress(EgressSettings(user_agent="test")) as egress,
        opened.aggregate(),
        opened.executor(egress),
    ):
        await opened.create("c1", f"{target.url}/c1")
        yield opened


async def test_a_request_becomes_a_call_a_start_and_an_end(roles: Roles, target: HttpTarget) -> None:
    [position] = await roles.send(request_message("r1", "c1"))

    start, end = await roles.outcomes(["r1"])

    assert (start.action, end.action, end.outcome) == ("execute-start", "execute", "success")
    assert start.execution_id == end.execution_id
    assert (end.position.partition, end.position.offset) == (position.partition, position.offset)
    assert (target.last.headers["idempotency-key"], target.last.body) == ("r1", b"r1")


async def test_a_target_that_refuses_is_a_failure(roles: Roles, target: HttpTarget) -> None:
    target.answers_with("/c1", Answer(status=404))
    await roles.send(request_message("r1", "c1"))

    *_, end = await roles.outcomes(["r1"])

    assert (end.outcome, end.final) == ("failure", True)


async def test_a_request_finds_the_connector_created_just_before_it(roles: Roles, target: HttpTarget) -> None:
    names = [f"just-now-{number}" for number in range(20)]
    for name in names:
        await roles.create(name, f"{target.url}/{name}")
        await roles.send(request_message(name, name))

    outcomes = await roles.outcomes(names)

    assert {each.outcome for each in outcomes if each.final} == {"success"}


@pytest.mark.parametrize("away", [1, 2, 3])
async def test_a_request_on_a_foreign_partition_is_forwarded_and_runs_once(
    roles: Roles, target: HttpTarget, away: int
) -> None:
    foreign = (home_of("c1") + away) % PARTITIONS
    await roles.send(*(request_message(f"r{number}", "c1", foreign) for number in range(10)))

    outcomes = await roles.outcomes(f"r{number}" for number in range(10))

    assert {each.position.partition for each in outcomes} == {home_of("c1")}
    assert sorted(each.body.decode() for each in target.received) == [f"r{number}" for number in range(10)]


async def test_garbage_becomes_dead_letters_byte_for_byte_and_stops_nothing(roles: Roles) -> None:
    good = request_message("r1", "c1")
    assert good.value is not None
    of_another_type = command_message(create_command("c1", "k")).value
    bad = [*garbage(good.value), of_another_type, None]
    await roles.send(*(good._replace(value=value) for value in bad), good)

    outcomes = await roles.outcomes(["r1"])

    letters = await roles.read(ACTION_DEAD_LETTERS, DeadLetter)
    assert outcomes[-1].outcome == "success"
    assert [letter.value for letter in letters] == bad
    assert {(letter.reason, letter.partition, letter.key) for letter in letters} == {
        ("undecodable", home_of("c1"), b"c1")
    }


async def test_noise_on_every_partition_stops_none(roles: Roles, target: HttpTarget) -> None:
    chance = random.Random(1)
    noise = [Message(ACTION_REQUESTS, None, chance.randbytes(40), (), n % PARTITIONS) for n in range(100)]
    names = [f"c{number}" for number in range(2, 10)]
    for name in names:
        await roles.create(name, f"{target.url}/{name}")

    await roles.send(*noise, *(request_message(name, name) for name in names))
    outcomes = await roles.outcomes(names)

    letters = await roles.read(ACTION_DEAD_LETTERS, DeadLetter)
    assert {each.outcome for each in outcomes if each.final} == {"success"}
    assert sorted(filter(None, (each.value for each in letters))) == sorted(each.value or b"" for each in noise)
