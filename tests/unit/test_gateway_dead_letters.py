"""Redriving dead letters when something fails in the middle, and in bulk."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from connectory.domain.dead_letters import DeadLetter
from connectory.domain.errors import Refused, Unavailable
from connectory.domain.execution import ActionRequest
from connectory.gateway.dead_letters import DeadLetterDesk, Selection, Settled
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory.infra.log import Claim, Message, Position
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_DEAD_LETTERS, ACTION_REQUESTS
from connectory_projections import DEAD_LETTERS
from connectory_projections.dead_letters import DeadLetterFilter, Scope
from tests.dead_letters import letter, request
from tests.projection_events import NOON, changes_of, minutes
from tests.read_models import InMemoryReadModels

MESSAGES = Messages()
SCOPE = Scope("default")


class Written:
    """A writer that remembers, and is away for the topics in `away`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.away: set[str] = set()

    async def write(self, messages: Sequence[Message]) -> list[Position]:
        if any(message.topic in self.away for message in messages):
            raise Unavailable("the broker is away")
        self.messages.extend(messages)
        return []

    def claim(self, topic: str, partition: int, name: str) -> AbstractAsyncContextManager[Claim]:
        raise NotImplementedError

    def requests(self) -> list[ActionRequest]:
        written = [message.value for message in self.messages if message.topic == ACTION_REQUESTS]
        return [MESSAGES.decode(value, ActionRequest) for value in written]


async def desk_with(*letters: DeadLetter) -> tuple[DeadLetterDesk, Written]:
    store, written = InMemoryRowStore(), Written()
    changes = changes_of(DEAD_LETTERS, letters)
    await store.apply(DEAD_LETTERS, 0, changes, expected=0, next_offset=len(letters))
    desk = DeadLetterDesk(
        letters=InMemoryReadModels(store).for_gateway.dead_letters,
        progress=store.progress,
        messages=MESSAGES,
        writer=written,
        clock=lambda: NOON,
        view_wait=minutes(0) - NOON,
    )
    return desk, written


async def redrive(desk: DeadLetterDesk, selection: Selection) -> list[Settled]:
    return [each async for batch in desk.redrive(selection) for each in batch]


async def test_a_redrive_that_a_crash_cut_in_two_gives_the_same_request_again() -> None:
    desk, written = await desk_with(letter(1))
    written.away = {ACTION_DEAD_LETTERS}
    with pytest.raises(Unavailable):
        await redrive(desk, Selection(SCOPE, ids=["action-requests.0.1"]))

    written.away = set()
    await redrive(desk, Selection(SCOPE, ids=["action-requests.0.1"]))

    first, second = written.requests()
    assert first.request_id == second.request_id


async def test_no_letter_is_settled_whose_request_was_not_accepted() -> None:
    desk, written = await desk_with(letter(1))
    written.away = {ACTION_REQUESTS}

    with pytest.raises(Unavailable):
        await redrive(desk, Selection(SCOPE))

    assert written.messages == []


async def test_all_letters_of_a_filter_are_gone_through_though_the_view_does_not_move() -> None:
    desk, written = await desk_with(*(letter(number, at=minutes(number % 3)) for number in range(130)))

    done = await redrive(desk, Selection(SCOPE))
    limited = await redrive(desk, Selection(SCOPE, where=DeadLetterFilter(from_=minutes(1)), limit=60))

    assert (len({each.letter_id for each in done}), len(limited)) == (130, 60)
    order = [(int(each.redrive_of[1:]) % 3, int(each.redrive_of[1:])) for each in written.requests() if each.redrive_of]
    assert order[:130] == sorted(order[:130])


async def test_the_settlement_lies_on_the_partition_of_the_letter() -> None:
    desk, written = await desk_with(letter(1, partition=4))

    await redrive(desk, Selection(SCOPE))

    assert [message.partition for message in written.messages if message.topic == ACTION_DEAD_LETTERS] == [4]


async def test_an_expiry_that_is_still_to_come_is_kept() -> None:
    desk, written = await desk_with(letter(1, of=request("r1", expires_at=minutes(1))))

    await redrive(desk, Selection(SCOPE))

    assert [each.expires_at for each in written.requests()] == [minutes(1)]


async def test_one_unknown_id_among_several_writes_nothing() -> None:
    desk, written = await desk_with(letter(1))

    with pytest.raises(Refused, match=r"There is no dead letter action-requests\.0\.2"):
        await redrive(desk, Selection(SCOPE, ids=["action-requests.0.1", "action-requests.0.2"]))

    assert written.messages == []
