"""What every log promises about transactions: all or nothing, in order, and one owner an id."""

import pytest

from connectory.domain.errors import Fenced
from connectory.infra.log import Committed, Log, Message, Transactions
from tests.contract.conftest import Member, OpenLog, new_topic, read, readable_now, until_committed, visible, write


class Stop(Exception):
    """Ends a transaction under test."""


async def write_and_stop(transactions: Transactions, message: Message) -> None:
    async with transactions.begin() as transaction:
        await transaction.write([message])
        raise Stop


async def commit_and_stop(transactions: Transactions, group: str, topic: str) -> None:
    async with transactions.begin() as transaction:
        await transaction.commit_offsets(group, {(topic, 0): 42})
        raise Stop


async def write_and_be_succeeded(zombie: Transactions, log: Log, transactional_id: str, topic: str) -> None:
    async with zombie.begin() as transaction:
        await transaction.write([Message(topic, None, b"lost", partition=0)])
        async with log.transactions(transactional_id) as owner, owner.begin() as own:
            await own.write([Message(topic, None, b"kept", partition=0)])


async def test_a_committed_transaction_is_visible_as_a_whole(log: Log, topic: str, transactional_id: str) -> None:
    other = await new_topic(log)

    async with log.transactions(transactional_id) as transactions, transactions.begin() as transaction:
        await transaction.write([Message(topic, b"k", b"1", partition=0), Message(other, b"k", b"2", partition=1)])
        assert await readable_now(log, topic) == await readable_now(log, other, 1) == 0

    assert await visible(log, topic) == [b"1"]
    assert await visible(log, other, 1) == [b"2"]


async def test_positions_in_a_transaction_say_where_each_record_is(log: Log, topic: str, transactional_id: str) -> None:
    async with log.transactions(transactional_id) as transactions, transactions.begin() as transaction:
        first = await transaction.write([Message(topic, None, b"1", partition=0)] * 2)
        second = await transaction.write([Message(topic, None, b"2", partition=0)])

    assert [position.offset for position in [*first, *second]] == [0, 1, 2]


async def test_an_exception_aborts(log: Log, topic: str, transactional_id: str) -> None:
    async with log.transactions(transactional_id) as transactions:
        with pytest.raises(Stop):
            await write_and_stop(transactions, Message(topic, None, b"lost", partition=0))
        async with transactions.begin() as transaction:
            await transaction.write([Message(topic, None, b"kept", partition=0)])

    assert await visible(log, topic) == [b"kept"]


async def test_a_transaction_without_writes_leaves_nothing(log: Log, topic: str, transactional_id: str) -> None:
    async with log.transactions(transactional_id) as transactions:
        async with transactions.begin():
            pass
        async with transactions.begin() as transaction:
            await transaction.write([Message(topic, None, b"1", partition=0)])

    assert [record.offset for record in await read(log, topic)] == [0]


async def test_records_after_an_open_transaction_wait_for_it(log: Log, topic: str, transactional_id: str) -> None:
    async with log.transactions(transactional_id) as transactions:
        async with transactions.begin() as transaction:
            await transaction.write([Message(topic, None, b"first", partition=0)])
            await write(log, Message(topic, None, b"second", partition=0))
            async with log.tail(topic, 0, 0) as tail:
                assert (await tail.end_offset(), await tail.high_watermark()) == (0, 2)
        assert await visible(log, topic) == [b"first", b"second"]


async def test_opening_an_id_again_fences_the_earlier_owner(open_log: OpenLog, transactional_id: str) -> None:
    async with open_log() as log, log.transactions(transactional_id) as zombie:
        topic = await new_topic(log)
        async with log.transactions(transactional_id):
            with pytest.raises(Fenced):
                async with zombie.begin() as transaction:
                    await transaction.write([Message(topic, None, b"late", partition=0)])

        assert await visible(log, topic) == []


async def test_a_fenced_owner_stays_fenced(log: Log, topic: str, transactional_id: str) -> None:
    async with log.transactions(transactional_id) as zombie, log.transactions(transactional_id):
        for _ in range(2):
            with pytest.raises(Fenced):
                async with zombie.begin() as transaction:
                    await transaction.write([Message(topic, None, b"late", partition=0)])


async def test_opening_an_id_again_aborts_what_the_earlier_owner_left_open(
    log: Log, topic: str, transactional_id: str
) -> None:
    async with log.transactions(transactional_id) as zombie:
        with pytest.raises(Fenced):
            await write_and_be_succeeded(zombie, log, transactional_id, topic)

    assert await visible(log, topic) == [b"kept"]


async def test_offsets_in_a_transaction_are_the_groups_progress(
    log: Log, topic: str, group: str, transactional_id: str
) -> None:
    async with log.transactions(transactional_id) as transactions, transactions.begin() as transaction:
        await transaction.write([Message(topic, None, b"1", partition=0)])
        await transaction.commit_offsets(group, {(topic, 0): 42, (topic, 1): 43})

    async with Member(log, group, topic) as member:
        await member.owns(4)
        await until_committed(member.shares[0], topic, Committed(42))
        await until_committed(member.shares[1], topic, Committed(43))


async def test_offsets_in_an_aborted_transaction_are_forgotten(
    log: Log, topic: str, group: str, transactional_id: str
) -> None:
    async with log.transactions(transactional_id) as transactions:
        with pytest.raises(Stop):
            await commit_and_stop(transactions, group, topic)

    async with Member(log, group, topic) as member:
        await member.owns(4)
        assert await member.shares[0].committed(topic) is None


async def test_a_member_may_commit_its_progress_in_transactions(
    log: Log, topic: str, group: str, transactional_id: str
) -> None:
    async with Member(log, group, topic) as member, log.transactions(transactional_id) as transactions:
        await member.owns(4)
        for offset in (1, 2):
            async with transactions.begin() as transaction:
                await transaction.commit_offsets(group, {(topic, 0): offset})

        await until_committed(member.shares[0], topic, Committed(2))
