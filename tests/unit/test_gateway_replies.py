"""The reply inbox on the log in memory."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from connectory.domain.cancellation import RequestCancelled
from connectory.domain.errors import Unavailable
from connectory.domain.replies import CommandRefused
from connectory.gateway.replies import ReplyInbox
from connectory.infra.messages import Messages
from connectory.infra.topics import REPLIES, topic_specs
from connectory.testing import InMemoryLog
from tests.unit.connectors import AT
from tests.waiting import until

MESSAGES = Messages()


class Trouble:
    """A broker that is away for some operations."""

    def __init__(self) -> None:
        self.operations: set[str] = set()
        self.refused = 0

    async def __call__(self, operation: str) -> None:
        if operation in self.operations:
            self.refused += 1
            raise Unavailable("the broker is away")


async def new_log(before: Callable[[str], Awaitable[None]] | None = None) -> InMemoryLog:
    log = InMemoryLog(3, before=before)
    await log.create_topics(topic_specs(timedelta(days=1)))
    return log


@asynccontextmanager
async def reading(log: InMemoryLog) -> AsyncIterator[ReplyInbox]:
    inbox = ReplyInbox(log, MESSAGES, random.Random(1))
    async with inbox.open():
        await until(lambda: is_open(inbox))
        yield inbox


def is_open(inbox: ReplyInbox) -> bool:
    try:
        return inbox.partition >= 0
    except Unavailable:
        return False


async def reply(log: InMemoryLog, inbox: ReplyInbox, command_id: str) -> CommandRefused:
    answer = CommandRefused(command_id=command_id, subject_id="c1", code="x", message=command_id)
    async with log.writer() as writer:
        await writer.write([MESSAGES.message(REPLIES, command_id, answer, at=AT, partition=inbox.partition)])
    return answer


async def test_each_reply_reaches_whoever_waits_for_its_id() -> None:
    log = await new_log()
    async with reading(log) as inbox:
        with inbox.awaiting("k1", CommandRefused) as first, inbox.awaiting("k2", CommandRefused) as second:
            sent = [await reply(log, inbox, "k2"), await reply(log, inbox, "k1")]

            assert [await second, await first] == sent


async def test_two_who_wait_for_one_id_both_get_the_reply() -> None:
    log = await new_log()
    async with reading(log) as inbox:
        with inbox.awaiting("k1", CommandRefused) as first, inbox.awaiting("k1", CommandRefused) as second:
            sent = await reply(log, inbox, "k1")

            assert (await first, await second) == (sent, sent)


async def test_of_one_id_each_kind_of_reply_reaches_whoever_waits_for_that_kind() -> None:
    log = await new_log()
    async with reading(log) as inbox:
        with inbox.awaiting("r1", CommandRefused) as first, inbox.awaiting("r1", RequestCancelled) as second:
            cancelled = RequestCancelled(request_id="r1", connector_id="c1", at=AT)
            async with log.writer() as writer:
                await writer.write([MESSAGES.message(REPLIES, "r1", cancelled, at=AT, partition=inbox.partition)])
            sent = await reply(log, inbox, "r1")

            assert (await first, await second) == (sent, cancelled)


async def test_replies_that_nobody_waits_for_and_rubbish_are_passed_over() -> None:
    log = await new_log()
    async with reading(log) as inbox:
        with inbox.awaiting("k1", CommandRefused) as future:
            await reply(log, inbox, "of another gateway")
            log.append_raw(REPLIES, inbox.partition, b"rubbish", key=b"k1")
            log.append_raw(REPLIES, inbox.partition, None, key=b"\xff")
            sent = await reply(log, inbox, "k1")

            assert await future == sent


async def test_no_partition_is_given_before_its_end_is_known() -> None:
    trouble = Trouble()
    trouble.operations = {"end-offset"}
    inbox = ReplyInbox(await new_log(trouble), MESSAGES, random.Random(1))
    async with inbox.open():
        await until(lambda: trouble.refused)

        with pytest.raises(Unavailable, match="the end of the replies was not found yet"):
            _ = inbox.partition


async def test_replies_written_while_the_broker_was_away_arrive_afterwards() -> None:
    trouble = Trouble()
    log = await new_log(trouble)
    async with reading(log) as inbox:
        with inbox.awaiting("k0", CommandRefused) as warm:
            await reply(log, inbox, "k0")
            await warm
        trouble.operations = {"fetch", "tail"}
        with inbox.awaiting("k1", CommandRefused) as future:
            sent = await reply(log, inbox, "k1")
            await until(lambda: trouble.refused)
            trouble.operations = set()

            async with asyncio.timeout(10):
                assert await future == sent


async def test_who_stops_waiting_is_forgotten() -> None:
    log = await new_log()
    async with reading(log) as inbox:
        with inbox.awaiting("k1", CommandRefused) as given_up:
            pass
        with inbox.awaiting("k1", CommandRefused) as future:
            sent = await reply(log, inbox, "k1")

            assert await future == sent
        assert given_up.cancelled()
