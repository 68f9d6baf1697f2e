"""What every log promises about claims: a partition has one writer, and whoever was it before is kept out."""

import asyncio
from collections.abc import Sequence

import pytest

from connectory.domain.errors import Fenced, MessageTooLarge
from connectory.infra.log import Claim, Log, Message, Position
from tests.contract.conftest import DEADLINE, PAUSE, OpenLog, new_topic, read, unique, visible, write
from tests.waiting import until


@pytest.fixture
def name() -> str:
    return unique("claim")


def messages(topic: str, *values: str) -> list[Message]:
    return [Message(topic, b"key", value.encode(), partition=0) for value in values]


async def test_what_a_claim_writes_is_read_where_it_says(log: Log, topic: str, name: str) -> None:
    headers = (("ce_type", b"Test"),)
    async with log.writer() as writer, writer.claim(topic, 1, name) as claim:
        positions = [*await claim.write([Message(topic, b"k", b"1", headers)]), *await claim.write([])]
        positions += await claim.write([Message(topic, b"k", b"2"), Message(topic, None, b"3")])

    records = await read(log, topic, 1)
    assert [(record.key, record.value) for record in records] == [(b"k", b"1"), (b"k", b"2"), (None, b"3")]
    assert records[0].headers == headers
    assert positions == [(topic, 1, record.offset) for record in records]


async def test_what_an_earlier_claim_writes_is_refused(open_log: OpenLog, name: str) -> None:
    async with open_log() as log, log.writer() as writer, open_log() as elsewhere, elsewhere.writer() as other:
        topic = await new_topic(log)
        async with writer.claim(topic, 0, name) as zombie:
            await zombie.write(messages(topic, "1"))
            async with other.claim(topic, 0, name) as owner:
                for _ in range(2):
                    with pytest.raises(Fenced):
                        await zombie.write(messages(topic, "late"))
                await owner.write(messages(topic, "2"))
            with pytest.raises(Fenced):
                await zombie.write(messages(topic, "later still"))

        assert await visible(log, topic) == [b"1", b"2"]


async def test_a_claim_that_has_written_nothing_is_fenced_too(log: Log, topic: str, name: str) -> None:
    async with log.writer() as writer, writer.claim(topic, 0, name) as zombie, writer.claim(topic, 0, name):
        with pytest.raises(Fenced):
            await zombie.write(messages(topic, "late"))

    assert await visible(log, topic) == []


async def test_what_is_under_way_when_a_claim_is_taken_over_is_written_before_or_never(
    log: Log, topic: str, name: str
) -> None:
    async def write_on() -> None:
        for n in range(100_000):
            written.extend(await zombie.write(messages(topic, str(n))))

    written: list[Position] = []
    async with log.writer() as writer, writer.claim(topic, 0, name) as zombie:
        tasks = [asyncio.create_task(write_on()) for _ in range(5)]
        await until(lambda: len(written) > 50, DEADLINE, PAUSE)
        async with writer.claim(topic, 0, name):
            before = await read(log, topic)
            results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} == {Fenced}
    assert await read(log, topic) == before
    assert {position.offset for position in written} <= {record.offset for record in before}


async def test_writes_through_several_claims_do_not_disturb_each_other(log: Log, topic: str) -> None:
    other = await new_topic(log)
    async with (
        log.writer() as writer,
        writer.claim(topic, 0, unique("a")) as first,
        writer.claim(topic, 1, unique("b")) as second,
        writer.claim(other, 0, unique("c")) as third,
    ):
        for n in range(30):
            await asyncio.gather(*(claim.write(messages(topic, str(n))) for claim in (first, second, third)))

    expected = [str(n).encode() for n in range(30)]
    assert [await visible(log, topic), await visible(log, topic, 1), await visible(log, other)] == [expected] * 3


async def test_a_refused_write_does_not_disturb_another_claim(log: Log, topic: str, name: str) -> None:
    async with (
        log.writer() as writer,
        writer.claim(topic, 0, name) as zombie,
        writer.claim(topic, 0, name),
        writer.claim(topic, 1, unique("other")) as other,
    ):
        results = await asyncio.gather(
            *(attempt(claim, messages(topic, str(n))) for n in range(10) for claim in (zombie, other))
        )

    assert {type(result) for result in results[::2]} == {Fenced}
    assert await visible(log, topic, 1) == [str(n).encode() for n in range(10)]


async def test_simultaneous_writes_of_a_claim_keep_the_order_of_the_calls(log: Log, topic: str, name: str) -> None:
    calls = [messages(topic, *(f"{call}-{n}" * 40 for n in range(20))) for call in range(60)]

    async with log.writer() as writer, writer.claim(topic, 0, name) as claim, asyncio.TaskGroup() as tasks:
        for call in calls:
            tasks.create_task(claim.write(call))

    assert await visible(log, topic) == [message.value for call in calls for message in call]


async def test_a_claim_and_the_writer_itself_write_side_by_side(log: Log, topic: str, name: str) -> None:
    async with log.writer() as writer, writer.claim(topic, 0, name) as claim:
        for n in range(5):
            await claim.write(messages(topic, f"{n} by claim"))
            await writer.write(messages(topic, f"{n} without"))

    assert await visible(log, topic) == [f"{n} {how}".encode() for n in range(5) for how in ("by claim", "without")]


async def test_who_does_not_claim_is_not_kept_out(log: Log, topic: str, name: str) -> None:
    async with log.writer() as writer, writer.claim(topic, 0, name) as claim:
        await claim.write(messages(topic, "1"))
        await write(log, *messages(topic, "2"))

    assert await visible(log, topic) == [b"1", b"2"]


async def test_a_claim_goes_on_after_a_record_that_is_too_large(log: Log, topic: str, name: str) -> None:
    async with log.writer() as writer, writer.claim(topic, 0, name) as claim:
        with pytest.raises(MessageTooLarge):
            await claim.write([*messages(topic, "fits"), Message(topic, None, b"x" * 1_100_000)])
        await claim.write(messages(topic, "fits"))

    assert await visible(log, topic) == [b"fits"]


async def attempt(claim: Claim, what: Sequence[Message]) -> object:
    try:
        return await claim.write(what)
    except Fenced as error:
        return error
