"""The documents as the gateway asks for them, and the way to ask by queries."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from connectory_projections import event_documents
from connectory_projections.event_documents import EventDocument, Order, Product
from connectory_projections.event_documents.conditions import Condition
from connectory_projections.model import Query

T = TypeVar("T")


class EventDocuments(Protocol):
    """Raises `Unavailable` when the read model cannot be reached, or takes too long."""

    async def search(
        self, where: Condition, order: Sequence[Order], product: Product, *, offset: int, limit: int
    ) -> Sequence[EventDocument]:
        """The documents that meet the condition, in that order."""
        ...

    async def count(self, where: Condition, product: Product, *, at_most: int) -> int:
        """How many there are; when more than that, that number."""
        ...

    async def outcomes(self, where: Condition, product: Product, *, newest: int) -> Mapping[str, int]:
        """How many of the newest runs ended in which way."""
        ...


class Queries(Protocol):
    async def one(self, query: Query[T]) -> T | None: ...

    async def all(self, query: Query[T]) -> Sequence[T]: ...


class QueriedEventDocuments:
    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def search(
        self, where: Condition, order: Sequence[Order], product: Product, *, offset: int, limit: int
    ) -> Sequence[EventDocument]:
        return await self._queries.all(event_documents.search(where, order, product, offset=offset, limit=limit))

    async def count(self, where: Condition, product: Product, *, at_most: int) -> int:
        return await self._queries.one(event_documents.count(where, product, at_most=at_most)) or 0

    async def outcomes(self, where: Condition, product: Product, *, newest: int) -> Mapping[str, int]:
        return dict(await self._queries.all(event_documents.outcomes(where, product, newest=newest)))
