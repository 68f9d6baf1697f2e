"""What every log promises to the members of a group."""

import asyncio
from collections.abc import Sequence

import pytest

from connectory.domain.errors import Fenced
from connectory.infra.log import Committed, Log, Message, Record, Share
from tests.contract.conftest import DEADLINE, PARTITIONS, PAUSE, Member, fetch, new_topic, write
from tests.waiting import until


def messages(topic: str, partition: int, count: int) -> list[Message]:
    return [Message(topic, b"key", f"{partition}-{n}".encode(), partition=partition) for n in range(count)]


async def test_a_single_member_owns_every_partition_number(log: Log, topic: str, group: str) -> None:
    async with Member(log, group, topic) as member:
        await member.owns(PARTITIONS)

        assert sorted(member.shares) == list(range(PARTITIONS))


async def test_nothing_is_fetched_before_the_start(log: Log, topic: str, group: str) -> None:
    await write(log, *messages(topic, 0, 3))

    async with Member(log, group, topic) as member:
        await member.owns(PARTITIONS)

        assert list(await member.shares[0].fetch(topic, 10, 0.3)) == []


async def test_a_share_is_fetched_from_its_start_offset(log: Log, topic: str, group: str) -> None:
    await write(log, *messages(topic, 1, 5))

    async with Member(log, group, topic) as member:
        await member.owns(PARTITIONS)
        member.shares[1].start({topic: 2})

        assert [record.value for record in await fetch(member.shares[1], topic, 3)] == [b"1-2", b"1-3", b"1-4"]


async def test_a_share_has_the_same_partition_number_of_all_topics(log: Log, topic: str, group: str) -> None:
    other = await new_topic(log)
    await write(log, *messages(topic, 2, 1), *messages(other, 2, 1))

    async with Member(log, group, topic, other) as member:
        await member.owns(PARTITIONS)
        member.shares[2].start({topic: 0, other: 0})

        records = await asyncio.gather(fetch(member.shares[2], topic, 1), fetch(member.shares[2], other, 1))
    assert [(record.topic, record.partition) for [record] in records] == [(topic, 2), (other, 2)]


async def test_a_fetch_returns_no_more_than_asked_for(log: Log, topic: str, group: str) -> None:
    await write(log, *messages(topic, 0, 10))

    async with Member(log, group, topic) as member:
        await member.owns(PARTITIONS)
        member.shares[0].start({topic: 0})
        await until_fetchable(member.shares[0], topic)

        assert len(await member.shares[0].fetch(topic, 3, 10.0)) == 3


async def test_progress_and_its_metadata_are_remembered(log: Log, topic: str, group: str) -> None:
    async with Member(log, group, topic) as member:
        await member.owns(PARTITIONS)
        assert await member.shares[0].committed(topic) is None
        await member.shares[0].commit({topic: Committed(7, "noted: 12")})

    async with Member(log, group, topic) as member:
        await member.owns(PARTITIONS)
        assert await member.shares[0].committed(topic) == Committed(7, "noted: 12")
        assert await member.shares[1].committed(topic) is None


async def test_what_a_group_has_not_committed_is_its_backlog(log: Log, topic: str, group: str) -> None:
    other = await new_topic(log)
    await write(log, *messages(topic, 0, 3), *messages(topic, 1, 2))
    async with Member(log, group, topic) as member:
        await member.owns(PARTITIONS)
        assert await log.backlog(group, [topic, other]) == {topic: 5, other: 0}

        await member.shares[0].commit({topic: Committed(2)})

        assert await log.backlog(group, [topic]) == {topic: 3}


async def test_a_second_member_gets_half(log: Log, topic: str, group: str) -> None:
    other = await new_topic(log)
    async with Member(log, group, topic, other) as first:
        await first.owns(PARTITIONS)
        async with Member(log, group, topic, other) as second:
            await first.owns(PARTITIONS // 2)
            await second.owns(PARTITIONS // 2)

            assert sorted([*first.shares, *second.shares]) == list(range(PARTITIONS))


async def test_the_last_member_gets_all_when_the_other_leaves(log: Log, topic: str, group: str) -> None:
    async with Member(log, group, topic) as first:
        await first.owns(PARTITIONS)  # whoever is first has all for a moment
        async with Member(log, group, topic) as second:
            await second.owns(PARTITIONS // 2)
            await second.leave()

            assert len(second.ended) == PARTITIONS // 2
            await first.owns(PARTITIONS)


async def test_the_work_is_awaited_and_may_commit_before_the_partition_moves(log: Log, topic: str, group: str) -> None:
    async def serve(share: Share) -> None:
        held.append(share.index)
        await share.revoked.wait()
        await asyncio.sleep(0)
        await share.commit({topic: Committed(99)})

    held: list[int] = []
    leaver = asyncio.create_task(log.join(group, [topic], serve))
    await until(lambda: len(held) == PARTITIONS, DEADLINE, PAUSE)
    async with Member(log, group, topic) as member:
        leaver.cancel()
        await member.owns(PARTITIONS)

        assert [await member.shares[n].committed(topic) for n in range(PARTITIONS)] == [Committed(99)] * PARTITIONS


async def test_work_that_does_not_end_is_cancelled_after_the_grace_time(log: Log, topic: str, group: str) -> None:
    async def serve(share: Share) -> None:
        serving.append(share.index)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(share.index)
            assert share.revoked.is_set()

    serving: list[int] = []
    cancelled: list[int] = []
    join = asyncio.create_task(log.join(group, [topic], serve))
    await until(lambda: len(serving) == PARTITIONS, DEADLINE, PAUSE)
    join.cancel()
    async with asyncio.timeout(30):
        await asyncio.wait([join])

    assert sorted(cancelled) == list(range(PARTITIONS))


async def test_being_fenced_after_the_revocation_is_no_failure(log: Log, topic: str, group: str) -> None:
    async def serve(share: Share) -> None:
        serving.append(share.index)
        await share.revoked.wait()
        raise Fenced("somebody else has it")

    serving: list[int] = []
    join = asyncio.create_task(log.join(group, [topic], serve))
    await until(lambda: len(serving) == PARTITIONS, DEADLINE, PAUSE)
    async with Member(log, group, topic) as other:
        await other.owns(PARTITIONS // 2)
        assert not join.done()
    join.cancel()
    await asyncio.wait([join])


async def test_a_commit_after_the_partition_has_moved_is_fenced(log: Log, topic: str, group: str) -> None:
    async with Member(log, group, topic) as member:
        await member.owns(PARTITIONS)
        share = member.shares[0]
        await member.leave()

        with pytest.raises(Fenced):
            await share.commit({topic: Committed(1)})


async def test_every_fetch_ends_when_the_share_is_revoked(log: Log, topic: str, group: str) -> None:
    async def serve(share: Share) -> None:
        share.start({topic: 0, other: 0})
        serving.append(share.index)
        fetched.extend(await asyncio.gather(*(share.fetch(each, 10, 600.0) for each in (topic, other))))
        assert share.revoked.is_set()

    other = await new_topic(log)

    serving: list[int] = []
    fetched: list[Sequence[Record]] = []
    join = asyncio.create_task(log.join(group, [topic, other], serve))
    await until(lambda: len(serving) == PARTITIONS, DEADLINE, PAUSE)
    join.cancel()
    async with asyncio.timeout(30):
        await asyncio.wait([join])

    assert [list(records) for records in fetched] == [[]] * 2 * PARTITIONS


async def test_a_failing_serve_ends_the_membership(log: Log, topic: str, group: str) -> None:
    async def serve(share: Share) -> None:
        if share.index == 2:
            raise ValueError("broken")
        await share.revoked.wait()

    with pytest.raises(ValueError, match="broken"):
        async with asyncio.timeout(30):
            await log.join(group, [topic], serve)

    async with Member(log, group, topic) as member:
        await member.owns(PARTITIONS)


async def test_a_serve_that_ends_by_itself_ends_the_membership(log: Log, topic: str, group: str) -> None:
    async def serve(share: Share) -> None:
        if share.index != 2:
            await share.revoked.wait()

    with pytest.raises(Exception, match="ended by itself"):
        async with asyncio.timeout(30):
            await log.join(group, [topic], serve)


async def test_a_share_that_does_not_fetch_does_not_hold_up_others(log: Log, topic: str, group: str) -> None:
    bulk = [Message(topic, None, b"x" * 20_000, partition=0) for _ in range(700)]
    await write(log, *bulk, *messages(topic, 1, 3))

    async with Member(log, group, topic) as member:
        await member.owns(PARTITIONS)
        member.shares[0].start({topic: 0})
        await until_fetchable(member.shares[0], topic)
        member.shares[1].start({topic: 0})
        assert len(await fetch(member.shares[1], topic, 3)) == 3

        assert [record.offset for record in await fetch(member.shares[0], topic, 699)] == list(range(1, 700))


async def test_a_topic_that_nobody_fetches_does_not_hold_up_the_others_of_its_share(
    log: Log, topic: str, group: str
) -> None:
    other = await new_topic(log)
    bulk = [Message(topic, None, b"x" * 20_000, partition=0) for _ in range(700)]
    await write(log, *bulk, *messages(other, 0, 3))

    async with Member(log, group, topic, other) as member:
        await member.owns(PARTITIONS)
        share = member.shares[0]
        share.start({topic: 0})
        await until_fetchable(share, topic)
        share.start({other: 0})
        assert [record.topic for record in await fetch(share, other, 3)] == [other] * 3
        await write(log, *messages(other, 0, 2))
        assert [record.offset for record in await fetch(share, other, 2)] == [3, 4]

        assert [record.offset for record in await fetch(share, topic, 699)] == list(range(1, 700))


async def test_records_written_later_reach_a_started_share(log: Log, topic: str, group: str) -> None:
    async with Member(log, group, topic) as member:
        await member.owns(PARTITIONS)
        member.shares[3].start({topic: 0})
        assert list(await member.shares[3].fetch(topic, 1, 0.05)) == []
        for n, message in enumerate(messages(topic, 3, 5)):
            await write(log, message)
            [record] = await fetch(member.shares[3], topic, 1)
            assert record.offset == n


async def until_fetchable(share: Share, topic: str) -> None:
    """Fetch the first record, after which there are more in the buffer or on the way."""
    [record] = await fetch(share, topic, 1)
    assert record.offset == 0
