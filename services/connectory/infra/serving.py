"""The work of one member of a group: a `serve` task for each partition number it owns.

Both logs run their members by this, so that revoking, waiting and failing are the same in both.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

from connectory.domain.errors import ConnectoryError, Fenced, causes
from connectory.infra.log import Serve, Share

CANCEL_SECONDS = 2.0
"""How long cancelled work is waited for."""

logger = logging.getLogger(__name__)


class RevocableShare(Share, Protocol):
    """A share as its member sees it."""

    def revoke(self) -> None:
        """Set `revoked` and wake a waiting fetch. Commits are still accepted."""
        ...

    def release(self) -> None:
        """The work on it has ended: commits are `Fenced` from now on."""
        ...


class Serving:
    """Runs `serve` for the shares of one generation, ends them, and keeps the first failure."""

    def __init__(self, group: str, serve: Serve, grace: float) -> None:
        self._group = group
        self._serve = serve
        self._grace = grace
        self._running: dict[asyncio.Task[None], RevocableShare] = {}
        self._failure: BaseException | None = None
        self._failed = asyncio.Event()
        # A member that leaves during a rebalance waits for what the rebalance has begun to end.
        self._ending = asyncio.Lock()

    def start(self, shares: Iterable[RevocableShare]) -> None:
        for share in shares:
            task = asyncio.create_task(self._run(share), name=f"{self._group}-{share.index}")
            self._running[task] = share

    async def failure(self) -> None:
        """Wait for the first `serve` that fails, and raise what it raised."""
        await self._failed.wait()
        self.raise_failure()

    def raise_failure(self) -> None:
        """Raise what the first failed `serve` raised, if any has failed."""
        if self._failure is not None:
            raise self._failure

    async def end(self) -> None:
        """Revoke all shares, wait for their work up to the grace time, then cancel what is left."""
        async with self._ending:
            await self._end()

    async def _end(self) -> None:
        running, self._running = self._running, {}
        for share in running.values():
            share.revoke()
        try:
            late = await _wait(running, self._grace)
            for task in late:
                logger.warning(
                    "%s did not end within %s s after its partition was revoked", task.get_name(), self._grace
                )
                task.cancel()
            await _wait(late, CANCEL_SECONDS)
        finally:
            for task, share in running.items():
                task.cancel()
                share.release()

    async def _run(self, share: RevocableShare) -> None:
        try:
            await self._serve(share)
        except asyncio.CancelledError:
            # Nobody cancels before the revocation, but for a library that closes. As a cancellation it would end the
            # role in silence instead of starting it again.
            if not share.revoked.is_set():
                self._fail(ConnectoryError(f"The work on partition {share.index} of {self._group} was cancelled"))
            raise
        except Exception as error:
            # After the revocation somebody else may own the partition already: nothing of ours has failed.
            if not (share.revoked.is_set() and _is_fenced(error)):
                self._fail(error)
        else:
            if not share.revoked.is_set():
                self._fail(ConnectoryError(f"The work on partition {share.index} of {self._group} ended by itself"))

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        self._failed.set()


def _is_fenced(error: Exception) -> bool:
    """Work that runs as a group of tasks raises a group."""
    return all(isinstance(each, Fenced) for each in causes(error))


async def _wait(tasks: Iterable[asyncio.Task[None]], timeout: float) -> set[asyncio.Task[None]]:
    """Wait until all have ended or `timeout` seconds have passed; returns those that have not ended."""
    pending = set(tasks)
    if pending:
        _, pending = await asyncio.wait(pending, timeout=timeout)
    return pending
