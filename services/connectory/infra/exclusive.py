"""What may run once at a time in the whole installation.

`connectory.infra.postgres.exclusive` keeps it to one by a lock of the database; the twin here does so within a process.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from connectory.domain.errors import ConnectoryError


class Exclusive(Protocol):
    def hold(self, name: str, otherwise: ConnectoryError) -> AbstractAsyncContextManager[None]:
        """Be the only holder of the name until left; raises `otherwise` when somebody holds it, and `Unavailable`."""
        ...


class InProcessExclusive:
    """Names held within one process."""

    def __init__(self) -> None:
        self._held: set[str] = set()

    @asynccontextmanager
    async def hold(self, name: str, otherwise: ConnectoryError) -> AsyncIterator[None]:
        if name in self._held:
            raise otherwise
        self._held.add(name)
        try:
            yield
        finally:
            self._held.discard(name)
