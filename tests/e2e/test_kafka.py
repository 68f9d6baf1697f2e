"""Requests and outcomes over Kafka, from well-behaved publishers and from others."""

import asyncio
from collections.abc import Sequence

from connectory.client import ActionRequestPublisher, ConnectoryClient, NewActionRequest, OutcomeConsumer
from connectory.domain.dead_letters import DeadLetter, DeadLetterSettled
from connectory.domain.execution import Outcome
from connectory.infra.clock import utc_now
from connectory.infra.kafka import KafkaLog
from connectory.infra.log import Message, partition_for, read_all
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_DEAD_LETTERS, ACTION_REQUESTS
from tests.e2e.program import Up
from tests.fakes.http_target import HttpTarget

MESSAGES = Messages()


def requests(connector_id: str, count: int) -> list[NewActionRequest]:
    return [NewActionRequest(connector_id=connector_id, params={"body": f"{number}"}) for number in range(count)]


async def answers(consumer: OutcomeConsumer, request_ids: Sequence[str]) -> list[Outcome]:
    async with asyncio.timeout(60.0):
        return [outcome async for outcome in consumer.answers(request_ids)]


async def test_published_requests_reach_the_target_and_succeed(
    log: KafkaLog, publisher: ActionRequestPublisher, webhook: str, target: HttpTarget
) -> None:
    async with OutcomeConsumer.over(log) as outcomes:
        published = await publisher.publish_many(requests(webhook, 50))
        ended = await answers(outcomes, published)

    assert {outcome.outcome for outcome in ended} == {"success"}
    assert sorted(int(received.body) for received in target.received) == list(range(50))


async def test_requests_on_a_foreign_partition_are_run_all_the_same(log: KafkaLog, webhook: str) -> None:
    foreign = (partition_for(webhook.encode(), 6) + 1) % 6
    request = NewActionRequest(connector_id=webhook, params={"body": "misplaced"})
    message = MESSAGES.message(ACTION_REQUESTS, webhook, request.record(utc_now()), at=utc_now(), partition=foreign)

    async with OutcomeConsumer.over(log) as outcomes, log.writer() as writer:
        await writer.write([message])
        [ended] = await answers(outcomes, [request.request_id])

    assert ended.outcome == "success"
    assert ended.position.partition == partition_for(webhook.encode(), 6)


async def test_undecodable_records_become_dead_letters_and_nothing_else_suffers(
    log: KafkaLog, publisher: ActionRequestPublisher, webhook: str
) -> None:
    [good] = requests(webhook, 1)
    encoded = MESSAGES.encode(good.record(utc_now()))
    bad = [b"\x07random bytes", b"\x00\x00\x0f\xff\xff" + encoded[5:], encoded[: len(encoded) // 2], b""]
    home = partition_for(webhook.encode(), 6)

    async with OutcomeConsumer.over(log) as outcomes, log.writer() as writer:
        await writer.write([Message(ACTION_REQUESTS, webhook.encode(), value) for value in bad])
        await publisher.publish(good)
        [ended] = await answers(outcomes, [good.request_id])

    assert ended.outcome == "success"
    async with log.tail(ACTION_DEAD_LETTERS, home, 0) as tail:
        found = [MESSAGES.decode(record.value, DeadLetter, DeadLetterSettled) for record in await read_all(tail)]
    letters = [each for each in found if isinstance(each, DeadLetter) and each.key == webhook.encode()]
    assert [letter.value for letter in letters] == bad


async def test_a_request_for_another_spaces_connector_fails_as_if_there_were_none(
    log: KafkaLog, publisher: ActionRequestPublisher, webhook: str, target: HttpTarget
) -> None:
    request = NewActionRequest(connector_id=webhook, params={"body": "x"}, space_id="elsewhere")

    async with OutcomeConsumer.over(log) as outcomes:
        await publisher.publish(request)
        [ended] = await answers(outcomes, [request.request_id])

    assert (ended.outcome, ended.error) == ("failure", f"Saved object [action/{webhook}] not found")
    assert target.received == []


async def test_the_same_request_id_again_is_not_run_again(
    log: KafkaLog, publisher: ActionRequestPublisher, webhook: str, target: HttpTarget
) -> None:
    [request] = requests(webhook, 1)

    async with OutcomeConsumer.over(log) as outcomes:
        ended = []
        for _ in range(2):
            await publisher.publish(request)
            ended += await answers(outcomes, [request.request_id])

    assert [outcome.action for outcome in ended] == ["execute", "duplicate"]
    assert len(target.received) == 1


async def test_a_request_finds_the_connector_created_right_before_it(
    log: KafkaLog, publisher: ActionRequestPublisher, client: ConnectoryClient
) -> None:
    async with OutcomeConsumer.over(log) as outcomes:
        for number in range(5):
            created = await client.create_connector(f"Fresh {number}", ".server-log")
            request = NewActionRequest(connector_id=created.id, params={"message": "hello"})
            await publisher.publish(request)
            [ended] = await answers(outcomes, [request.request_id])
            assert ended.outcome == "success"


async def test_the_event_log_over_http_has_what_kafka_has(
    system: Up, log: KafkaLog, publisher: ActionRequestPublisher, client: ConnectoryClient, webhook: str
) -> None:
    async with OutcomeConsumer.over(log) as outcomes:
        published = await publisher.publish_many(requests(webhook, 20))
        await answers(outcomes, published)

    logged: set[str] = set()
    async with asyncio.timeout(30.0):
        while logged != set(published):
            pages = client.event_log(connector_id=webhook, outcome="success", size="7")
            logged = {item.request_id async for item in pages}
