"""When a password is checked: slowly, a few at a time, and never twice for the same without need.

A check is slow by intent, so strangers could keep all processors busy with it. Credentials that passed are remembered,
and those that failed for a short while; for the rest there is a short queue, and a shorter one for each name, so that
guesses at one account do not keep the others waiting. Who is remembered never waits.
"""

import asyncio
import hashlib
import secrets as randomness
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from connectory.domain.errors import ConnectoryError
from connectory.domain.principal import Principal

REMEMBERED_SECONDS: Final = 60.0
"""From the last use on."""

RENEWED_AFTER: Final = 1.0
"""Seconds. A use within them of the last one does not count: to write it down costs as much as all the rest."""

FAILED_SECONDS: Final = 10.0
REMEMBERED_AT_MOST: Final = 1000
CHECKS_AT_ONCE: Final = 2
"""One argon2 check takes some 64 MB, and a processor for tens of milliseconds."""

WAITING_AT_MOST: Final = 64
WAITING_FOR_A_NAME: Final = 8


class TooManyLogins(ConnectoryError):
    """More credentials wait to be checked than can be in a second or two."""

    code = "too-many-logins"

    def __init__(self) -> None:
        super().__init__("Too many logins are being checked at the moment. Try again in a few seconds.")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check came to; `principal` None: the credentials are wrong."""

    principal: Principal | None


class PasswordChecks:
    """`clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = randomness.token_bytes(32)
        self._passed = _Memory(clock, REMEMBERED_SECONDS)
        self._failed = _Memory(clock, FAILED_SECONDS)
        self._under_way: dict[bytes, asyncio.Event] = {}
        self._waiting: Counter[str] = Counter()
        self._turns = asyncio.Semaphore(CHECKS_AT_ONCE)

    def forget(self) -> None:
        self._passed.clear()
        self._failed.clear()

    async def verdict(self, user: str, password: str, check: Callable[[], Awaitable[Verdict | None]]) -> Verdict:
        """What is remembered, or what `check` says, made once for all who ask at a time. Raises `TooManyLogins`.

        A check that says None is out of date, and is made again.
        """
        credentials = self._digest(user, password)
        while (known := self._passed.get(credentials) or self._failed.get(credentials)) is None:
            if (under_way := self._under_way.get(credentials)) is not None:
                await under_way.wait()
            else:
                await self._make(credentials, user, check)
        return known

    async def _make(self, credentials: bytes, user: str, check: Callable[[], Awaitable[Verdict | None]]) -> None:
        under_way = self._under_way[credentials] = asyncio.Event()
        try:
            async with self._turn(user):
                verdict = await check()
            if verdict is not None:
                (self._failed if verdict.principal is None else self._passed).put(credentials, verdict)
        finally:
            del self._under_way[credentials]
            under_way.set()

    @asynccontextmanager
    async def _turn(self, user: str) -> AsyncIterator[None]:
        if self._waiting.total() >= WAITING_AT_MOST or self._waiting[user] >= WAITING_FOR_A_NAME:
            raise TooManyLogins
        self._waiting[user] += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting[user] -= 1
            if not self._waiting[user]:
                del self._waiting[user]

    def _digest(self, user: str, password: str) -> bytes:
        """Under a key of this process: what is remembered is of no use elsewhere."""
        name = user.encode("utf-8", "surrogatepass")
        message = len(name).to_bytes(4, "big") + name + password.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(message, key=self._key, digest_size=32).digest()


class _Memory:
    """Verdicts by the digest of their credentials; bounded in time, from the last use on, and in number."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._entries: OrderedDict[bytes, tuple[float, Verdict]] = OrderedDict()

    def get(self, digest: bytes) -> Verdict | None:
        expires_at, verdict = self._entries.get(digest, (0.0, None))
        if verdict is None:
            return None
        left = expires_at - self._clock()
        if left <= 0:
            return None
        if verdict.principal is not None and left < self._seconds - RENEWED_AFTER:
            self.put(digest, verdict)
        return verdict

    def put(self, digest: bytes, verdict: Verdict) -> None:
        self._entries[digest] = (self._clock() + self._seconds, verdict)
        self._entries.move_to_end(digest)
        if len(self._entries) > REMEMBERED_AT_MOST:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        self._entries.clear()
