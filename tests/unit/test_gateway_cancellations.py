"""Cancelling a request on the log in memory: to whom the wish goes, and what is made of the answer, or of none."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from connectory.domain.cancellation import CancelRequest, RequestCancelled
from connectory.domain.errors import Refused, Unavailable
from connectory.domain.execution import Outcome
from connectory.gateway.cancellations import Cancellations
from connectory.gateway.errors import OutcomeUnknown
from connectory.gateway.origin import Origin
from connectory.gateway.replies import ReplyInbox
from connectory.infra.headers import reply_partition
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory.infra.log import partition_for
from connectory.infra.topics import ACTION_CANCELLATIONS, REPLIES
from connectory_projections.event_log import EVENT_LOG
from tests.projection_events import NOON, changes_of, outcome
from tests.read_models import InMemoryReadModels
from tests.unit.connectors import AT
from tests.unit.installation import Installation
from tests.waiting import until, until_answer

ORIGIN = Origin(space_id="red", by="ada")
PARTITIONS = 3
NO_TIME = timedelta(0)
TIME_ENOUGH = timedelta(seconds=10)


@dataclass
class Desk:
    """A gateway's cancellations, and what they work on. `away` are operations that the broker does not carry out."""

    installation: Installation
    inbox: ReplyInbox
    away: set[str]
    store: InMemoryRowStore = field(default_factory=InMemoryRowStore)

    def __post_init__(self) -> None:
        self.read_models = InMemoryReadModels(self.store)

    async def cancel(
        self, request_id: str = "r1", connector_id: str | None = None, patience: timedelta = NO_TIME
    ) -> RequestCancelled | None:
        async with self.installation.log.writer() as writer:
            cancellations = Cancellations(
                log=self.installation.log,
                event_log=self.read_models,
                messages=self.installation.messages,
                writer=writer,
                inbox=self.inbox,
                clock=self.installation.clock,
                patience=patience,
            )
            return await cancellations.cancel(request_id, connector_id, ORIGIN)

    async def has_ended(self, *outcomes: Outcome) -> None:
        await self.store.apply(EVENT_LOG, 0, changes_of(EVENT_LOG, outcomes), expected=0, next_offset=len(outcomes))

    async def is_answered(self, cancelled: RequestCancelled) -> None:
        message = self.installation.messages.message(
            REPLIES, cancelled.request_id, cancelled, at=AT, partition=self.inbox.partition
        )
        await self.installation.write(message)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    away: set[str] = set()

    async def before(operation: str) -> None:
        if operation in away:
            raise Unavailable("the broker is away")

    installation = await Installation(PARTITIONS, before).create_topics()
    inbox = ReplyInbox(installation.log, installation.messages, random.Random(1))
    async with inbox.open():
        await until_answer(lambda: reached(inbox), bool)
        yield Desk(installation, inbox, away)


async def reached(inbox: ReplyInbox) -> bool:
    try:
        return inbox.partition >= 0
    except Unavailable:
        return False


async def test_the_wish_goes_to_every_partition_and_says_where_the_answer_goes(desk: Desk) -> None:
    await desk.cancel("r1")

    records = desk.installation.log.records(ACTION_CANCELLATIONS)
    wishes = {desk.installation.messages.decode(record.value, CancelRequest) for record in records}
    assert sorted(record.partition for record in records) == list(range(PARTITIONS))
    assert wishes == {CancelRequest(request_id="r1", space_id="red", at=AT, by="ada")}
    assert {reply_partition(record, PARTITIONS) for record in records} == {desk.inbox.partition}


async def test_with_the_connector_named_the_wish_goes_to_its_partition_only(desk: Desk) -> None:
    await desk.cancel("r1", "c1")

    records = desk.installation.log.records(ACTION_CANCELLATIONS)
    assert [record.partition for record in records] == [partition_for(b"c1", PARTITIONS)]


async def test_the_answer_of_whoever_held_the_request_is_returned(desk: Desk) -> None:
    sent = RequestCancelled(request_id="r1", connector_id="c1", at=AT)
    cancelling = asyncio.create_task(desk.cancel("r1", patience=TIME_ENOUGH))
    await until(lambda: desk.installation.log.records(ACTION_CANCELLATIONS))

    await desk.is_answered(sent)

    assert await cancelling == sent


async def test_without_an_answer_or_an_end_nothing_is_known(desk: Desk) -> None:
    await desk.has_ended(outcome(request_id="r1", space_id="red", final=False), outcome("e2", request_id="r1"))

    assert await desk.cancel("r1") is None


@pytest.mark.parametrize(
    ("outcome_", "reason", "how"),
    [("success", None, "success"), ("failure", "target-failed", "target-failed"), ("unknown", "in-doubt", "in-doubt")],
)
async def test_a_request_that_has_ended_cannot_be_cancelled(
    desk: Desk, outcome_: str, reason: str | None, how: str
) -> None:
    await desk.has_ended(outcome(request_id="r1", space_id="red", outcome=outcome_, reason=reason))

    with pytest.raises(Refused) as refusal:
        await desk.cancel("r1")

    assert refusal.value.code == "request-ended"
    assert str(refusal.value) == (
        f"the request r1 has ended already, at 2026-11-24T12:00:00.000Z ({how}): it cannot be cancelled"
    )


async def test_cancelling_twice_is_cancelling_once(desk: Desk) -> None:
    await desk.has_ended(outcome(request_id="r1", space_id="red", outcome="failure", reason="request-cancelled"))

    assert await desk.cancel("r1") == RequestCancelled(request_id="r1", connector_id="c1", at=NOON)


async def test_of_several_requests_with_the_id_the_end_of_the_named_connectors_counts(desk: Desk) -> None:
    await desk.has_ended(outcome(request_id="r1", space_id="red", connector_id="c2"))

    assert await desk.cancel("r1", "c1") is None


async def test_without_the_event_log_nothing_is_known(desk: Desk) -> None:
    desk.read_models.away = True

    assert await desk.cancel("r1") is None


async def test_without_the_broker_the_caller_is_told_to_ask_again(desk: Desk) -> None:
    desk.away.add("write")

    with pytest.raises(OutcomeUnknown, match="Cancel it again; that is safe") as unknown:
        await desk.cancel("r1")
    assert unknown.value.attributes == {"request_id": "r1"}
