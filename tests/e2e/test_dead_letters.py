"""From a failure to its repetition: dead letters and replay by the command line, on a system that runs."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from connectory.client import ActionRequestPublisher, ConnectoryClient, NewActionRequest, OutcomeConsumer
from connectory.infra.kafka import KafkaLog
from connectory.infra.log import Message
from connectory.infra.topics import ACTION_REQUESTS
from tests.e2e.program import Up
from tests.fakes.http_target import Answer, HttpTarget
from tests.waiting import until_answer


async def failed(log: KafkaLog, publisher: ActionRequestPublisher, connector_id: str, *request_ids: str) -> None:
    """Publish the requests, and wait until they have ended."""
    requests = [
        NewActionRequest(connector_id=connector_id, params={"body": each}, request_id=each) for each in request_ids
    ]
    async with asyncio.timeout(60.0), OutcomeConsumer.over(log) as outcomes:
        ended = [each async for each in outcomes.answers(await publisher.publish_many(requests))]
    assert {each.outcome for each in ended} == {"failure"}


async def letters(system: Up, connector_id: str, count: int) -> list[dict[str, Any]]:
    """Wait until there are so many open ones."""

    async def listed() -> list[dict[str, Any]]:
        shown = await system.run("dead-letters", "list", "--connector", connector_id, "--json")
        return [json.loads(line) for line in shown.output.splitlines()]

    return await until_answer(listed, lambda found: len(found) == count, 30.0, 0.05)


async def mend(client: ConnectoryClient, connector_id: str, target: HttpTarget) -> None:
    await client.update_connector(connector_id, "Hook", {"url": f"{target.url}/mended", "hasAuth": False})


async def successes(client: ConnectoryClient, connector_id: str, count: int) -> dict[str, str | None]:
    """Wait for so many: id → the request that it repeats, as the event log has it."""

    async def logged() -> dict[str, str | None]:
        log = client.event_log(connector_id=connector_id, outcome="success")
        return {item.request_id: item.redrive_of async for item in log}

    return await until_answer(logged, lambda found: len(found) == count, 30.0, 0.05)


async def test_a_request_that_was_given_up_succeeds_when_it_is_redriven(
    system: Up,
    client: ConnectoryClient,
    log: KafkaLog,
    publisher: ActionRequestPublisher,
    webhook: str,
    target: HttpTarget,
) -> None:
    target.answers_with("/in", Answer(status=404))
    await failed(log, publisher, webhook, "redriven-1", "redriven-2")
    # Without an ordering key the two end in either order.
    first, second = sorted(await letters(system, webhook, 2), key=lambda letter: letter["request_id"])
    await mend(client, webhook, target)

    one = await system.run("dead-letters", "redrive", first["id"], "--json")
    again = await system.run("dead-letters", "redrive", first["id"])
    rest = await system.run("dead-letters", "redrive", "--connector", webhook)

    new_id = json.loads(one.output)["request_id"]
    assert (again.code, again.errors.strip().splitlines()[-1]) == (
        1,
        f"Error: Dead letter {first['id']} was redriven already, as request {new_id}",
    )
    assert (rest.output.split()[0], rest.errors.split()[-1]) == (second["id"], "1")
    assert await successes(client, webhook, 2) == {new_id: "redriven-1", rest.output.split()[1]: "redriven-2"}


async def test_what_cannot_be_read_is_shown_and_dropped(system: Up, log: KafkaLog) -> None:
    async with log.writer() as writer:
        [position] = await writer.write([Message(ACTION_REQUESTS, b"any", b"\x07junk")])
    letter = f"action-requests.{position.partition}.{position.offset}"
    shown = await until_answer(
        lambda: system.run("dead-letters", "show", letter, "--json"), lambda finished: finished.code == 0, 30.0, 0.05
    )

    redriven = await system.run("dead-letters", "redrive", letter)
    dropped = await system.run("dead-letters", "drop", letter)
    after = await system.run("dead-letters", "show", letter)

    assert json.loads(shown.output)["value"]["text"] == "\x07junk"
    assert "holds no request that could be repeated" in redriven.errors
    assert (dropped.code, dropped.output.strip()) == (0, letter)
    assert "dropped" in after.output


async def test_many_are_dropped_only_when_the_user_says_so(
    system: Up, log: KafkaLog, publisher: ActionRequestPublisher, webhook: str, target: HttpTarget
) -> None:
    target.answers_with("/in", Answer(status=404))
    await failed(log, publisher, webhook, "dropped-1", "dropped-2", "dropped-3")
    await letters(system, webhook, 3)

    no = await system.run("dead-letters", "drop", "--connector", webhook, text="n\n")
    kept = await letters(system, webhook, 3)
    yes = await system.run("dead-letters", "drop", "--connector", webhook, text="y\n")

    assert (no.code, len(kept), yes.code) == (1, 3, 0)
    assert "Drop 3 dead letters?" in yes.errors
    assert await letters(system, webhook, 0) == []


async def test_a_replay_is_rehearsed_and_then_sends_each_request_once_more(
    system: Up, client: ConnectoryClient, publisher: ActionRequestPublisher, webhook: str, target: HttpTarget
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    ids = [f"replayed-{number}" for number in range(20)]
    await publisher.publish_many(
        NewActionRequest(connector_id=webhook, params={"body": each}, request_id=each) for each in ids
    )
    await successes(client, webhook, 20)
    span = ("--from", since.isoformat(), "--connector", webhook)

    rehearsed = await system.run("replay", *span, "--dry-run", "--json")
    calls = [json.loads(line)["calls"][0] for line in rehearsed.output.splitlines()]
    assert [call["body"] for call in calls] == ids
    assert {call["url"] for call in calls} == {f"{target.url}/in"}
    assert len(target.received) == 20

    replayed = await system.run("replay", *span)
    repeats = {new: old for new, old in (await successes(client, webhook, 40)).items() if old}
    assert repeats == {new: old for old, new in map(str.split, replayed.output.splitlines())}
    assert list(repeats.values()).count("replayed-0") == 1
