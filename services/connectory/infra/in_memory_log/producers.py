"""Writing: one by one, by claim, and in transactions that a later opener of the same id fences."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from connectory.domain.errors import Fenced
from connectory.infra.in_memory_log.partition import Transaction, TransactionState
from connectory.infra.log import Committed, Message, Position, check_sizes

Before = Callable[[str], Awaitable[None]]


class Store(Protocol):
    """What producers need of the log."""

    def append(self, message: Message, transaction: Transaction | None = None) -> Position: ...

    def claim(self, name: str) -> int:
        """The number of the newest claim of a name, which is the caller's."""
        ...

    def newest_claim(self, name: str) -> int: ...

    def record_progress(self, group: str, progress: Mapping[tuple[str, int], Committed]) -> None: ...


class InMemoryWriter:
    def __init__(self, store: Store, before: Before) -> None:
        self._store = store
        self._before = before

    async def write(self, messages: Sequence[Message]) -> list[Position]:
        check_sizes(messages)
        await self._before("write")
        positions = [self._store.append(message) for message in messages]
        await self._before("write-answer")
        return positions

    @asynccontextmanager
    async def claim(self, topic: str, partition: int, name: str) -> AsyncIterator["InMemoryClaim"]:
        await self._before("claim")
        yield InMemoryClaim((topic, partition), name, self._store, self._before)


class InMemoryClaim:
    def __init__(self, place: tuple[str, int], name: str, store: Store, before: Before) -> None:
        self._topic, self._partition = place
        self._name = name
        self._number = store.claim(name)
        self._store = store
        self._before = before

    async def write(self, messages: Sequence[Message]) -> list[Position]:
        check_sizes(messages)
        await self._before("write")
        if self._store.newest_claim(self._name) != self._number:
            raise Fenced(f"Another instance has claimed {self._name}")
        ours = [message._replace(topic=self._topic, partition=self._partition) for message in messages]
        positions = [self._store.append(message) for message in ours]
        await self._before("write-answer")
        return positions


class Producer:
    """The broker's memory of one transactional id: who owns it now, and its open transaction."""

    def __init__(self) -> None:
        self.epoch = 0
        self.open: Transaction | None = None

    def fence(self) -> int:
        """Abort what an earlier owner left open, and return the new owner's epoch."""
        self.end(TransactionState.ABORTED)
        self.epoch += 1
        return self.epoch

    def end(self, state: TransactionState) -> None:
        transaction, self.open = self.open, None
        if transaction is not None:
            transaction.end(state)


class InMemoryTransactions:
    def __init__(self, transactional_id: str, producer: Producer, store: Store, before: Before) -> None:
        self._id = transactional_id
        self._producer = producer
        self._epoch = producer.fence()
        self._store = store
        self._before = before

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["InMemoryTransactionWriter"]:
        await self._before("transaction-begin")
        self.check()
        transaction = self._producer.open = Transaction()
        try:
            yield InMemoryTransactionWriter(self, transaction, self._store, self._before)
            await self._before("transaction-commit")
            self.check()
        except BaseException:
            if self._producer.open is transaction:
                self._producer.end(TransactionState.ABORTED)
            raise
        self._commit(transaction)
        await self._before("transaction-commit-answer")

    def check(self) -> None:
        """Raises `Fenced` when the id has been opened again."""
        if self._producer.epoch != self._epoch:
            raise Fenced(f"Another instance has opened the transactional id {self._id}")

    def close(self) -> None:
        if self._producer.epoch == self._epoch:
            self._producer.end(TransactionState.ABORTED)

    def _commit(self, transaction: Transaction) -> None:
        self._producer.end(TransactionState.COMMITTED)
        for group, offsets in transaction.offsets.items():
            self._store.record_progress(group, {place: Committed(offset) for place, offset in offsets.items()})


class InMemoryTransactionWriter:
    def __init__(self, owner: InMemoryTransactions, transaction: Transaction, store: Store, before: Before) -> None:
        self._owner = owner
        self._transaction = transaction
        self._store = store
        self._before = before

    async def write(self, messages: Sequence[Message]) -> list[Position]:
        check_sizes(messages)
        await self._before("transaction-write")
        self._owner.check()
        return [self._store.append(message, self._transaction) for message in messages]

    async def commit_offsets(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        await self._before("transaction-offsets")
        self._owner.check()
        self._transaction.offsets.setdefault(group, {}).update(offsets)
