"""The executor on the log in memory, in virtual time: waits of hours cost nothing, and a run is the same every time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from connectory.domain.cancellation import CancelRequest
from connectory.domain.execution import Action, Outcome, WaitingRequest
from connectory.infra import topics
from connectory.infra.headers import reply_to
from connectory.infra.log import Message
from connectory.testing import run_in_virtual_time
from tests.unit.connectors import AT
from tests.unit.installation import Installation
from tests.waiting import until

T = TypeVar("T")
LONG = 5_000.0


class Killed(Exception):
    """An executor ends on the spot, as by SIGKILL."""


def at(seconds: float) -> datetime:
    """The moment so many seconds after the start."""
    return AT + timedelta(seconds=seconds)


def elapsed() -> float:
    """Seconds since the start."""
    return asyncio.get_running_loop().time()


class TimedInstallation(Installation):
    """Its clock shows the time of the loop. `limits` are changes to the executor's."""

    def __init__(self, partitions: int = 1, **limits: Any) -> None:
        super().__init__(partitions, before=self._before, clock=lambda: at(elapsed()))
        self.limits = replace(self.limits, **limits)
        self.called_at: dict[str, list[float]] = {}
        self._is_dead = False
        self._script: dict[str, list[int | tuple[int, int]]] = {}
        self.target.answer = self._answer

    def answers(self, request_id: str, *statuses: int | tuple[int, int]) -> None:
        """What the target answers to the request, call by call: a status, or one with a `Retry-After` in seconds.

        0 means never. Everything else is answered with 200.
        """
        self._script[request_id] = list(statuses)

    @asynccontextmanager
    async def killed(self) -> AsyncIterator[None]:
        """An executor that is killed on the spot at the end of the block: it writes nothing any more."""
        async with self.executor():
            yield
            self._is_dead = True
        self._is_dead = False

    async def cancel(self, request_id: str, reply_partition: int | None = None) -> None:
        wish = CancelRequest(request_id=request_id, space_id="default", at=self.clock())
        message = self.messages.message(topics.ACTION_CANCELLATIONS, request_id, wish, at=wish.at, partition=0)
        if reply_partition is not None:
            message = message._replace(headers=(*message.headers, *reply_to(reply_partition)))
        await self.write(message)

    async def remove(self, connector_id: str = "c1") -> None:
        """The connector is deleted."""
        await self.write(Message(topics.CONNECTORS, connector_id.encode(), None))

    async def until(self, condition: Callable[[], T]) -> T:
        return await until(condition, LONG, 0.25)

    async def ended(self, *request_ids: str) -> list[Outcome]:
        """Wait until these have their final outcomes, and return those."""
        await self.until(lambda: set(request_ids) <= {each.request_id for each in self.finals()})
        finals = {each.request_id: each for each in self.finals()}
        return [finals[each] for each in request_ids]

    async def told(self, action: Action, request_id: str = "r1") -> Outcome:
        """Wait for an outcome of that kind."""
        return (await self.until(lambda: [o for o in self.outcomes(request_id) if o.action is action]))[0]

    async def settle(self, seconds: float = 5.0) -> None:
        """Let what goes on by itself go on for a while; virtual time, so that nothing depends on the machine."""
        await asyncio.sleep(seconds)

    def actions(self, request_id: str = "r1") -> list[str]:
        return [str(each.action) for each in self.outcomes(request_id)]

    def waiting(self, topic: str) -> list[WaitingRequest]:
        return self.read(topic, WaitingRequest)

    def calls(self, request_id: str = "r1") -> list[float]:
        """When the target was called for the request."""
        return self.called_at.get(request_id, [])

    def called(self) -> list[str]:
        """The requests in the order in which the target was called for them."""
        return [body_of(call) for call in self.target.calls]

    async def _answer(self, request: OutgoingRequest) -> OutgoingResponse:
        name = body_of(request)
        self.called_at.setdefault(name, []).append(elapsed())
        left = self._script.get(name)
        answer = left.pop(0) if left else 200
        if not answer:
            await asyncio.Event().wait()
        await asyncio.sleep(0.01)
        status, after = answer if isinstance(answer, tuple) else (answer, None)
        headers = {} if after is None else {"retry-after": str(after)}
        return OutgoingResponse(status=status, reason="", headers=headers, body=b"")

    async def _before(self, operation: str) -> None:
        if self._is_dead:
            raise Killed(operation)
        await asyncio.sleep(0.001)


async def installed(partitions: int = 1, **limits: Any) -> TimedInstallation:
    """One with the connector `c1`."""
    installation = TimedInstallation(partitions, **limits)
    await installation.create_topics()
    await installation.connector()
    return installation


def body_of(request: OutgoingRequest) -> str:
    return request.body.decode() if isinstance(request.body, bytes) else request.body or ""


def in_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test that runs on a loop with virtual time."""

    def run() -> None:
        virtually(test)

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


def virtually(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run_in_virtual_time(_bounded(test()))


async def _bounded(body: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(2 * LONG):
        await body
