"""What runs queries for the gateway."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from connectory_projections.model import Query

T = TypeVar("T")


class Queries(Protocol):
    """`connectory.infra.postgres.Database`. Raises `Unavailable` when it cannot be reached."""

    async def one(self, query: Query[T]) -> T | None: ...

    async def all(self, query: Query[T]) -> Sequence[T]: ...
