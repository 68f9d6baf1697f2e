"""The whole flow on the log in memory, in virtual time, under seeded faults.

Every role runs as in production, under `keep_running`. Before each operation on the log, and after each change to it,
the seed may decide that the broker is away for a moment (so that the answer is lost), or that the role is killed on the
spot: then nothing of it goes on, nothing is drained, and it starts again from what the log holds. Requests are
delivered twice now and then, as producers do that retry.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from connectory.aggregate import connector_aggregate, run_aggregate
from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from connectory.domain.cancellation import CancelRequest
from connectory.domain.errors import ConnectoryError, Refused, Unavailable
from connectory.domain.execution import Delivery
from connectory.domain.json_types import JsonObject
from connectory.executor import run_executor
from connectory.gateway.changes import ConnectorChanges, Details
from connectory.gateway.commanding import Channel, CommandDesk, Waits
from connectory.gateway.origin import Origin
from connectory.gateway.replies import ReplyInbox
from connectory.infra import topics
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory.infra.log import Writer
from connectory.infra.supervision import keep_running
from connectory.projector import run_projector
from connectory_projections import connectors_by_space
from tests.read_models import InMemoryReadModels
from tests.unit.connectors import AT
from tests.unit.installation import Installation
from tests.waiting import until


class Killed(Exception):
    """A role ends here and now, as by SIGKILL."""


class Simulation:
    """One run. `fault_rate` is the chance of a fault before each operation on the log."""

    def __init__(self, seed: int, fault_rate: float = 0.04) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.fault_rate = fault_rate
        self.faults: Counter[str] = Counter()
        self.installation = Installation(partitions=3, before=self._before, clock=self._now)
        self.installation.target.answer = self._answer
        self.rows = InMemoryRowStore()
        self.submitted: set[str] = set()

    def _now(self) -> datetime:
        return AT + timedelta(seconds=asyncio.get_running_loop().time())

    async def _before(self, operation: str) -> None:
        await asyncio.sleep(self.chance.random() * 0.01)
        if self.chance.random() >= self.fault_rate or operation == "create-topics":
            return
        fault = self.chance.choice(["away", "killed"])
        self.faults["answer lost" if operation.endswith("-answer") else fault] += 1
        if fault == "away":
            raise Unavailable(f"the broker is away before {operation}")
        raise Killed(operation)

    async def _answer(self, request: OutgoingRequest) -> OutgoingResponse:
        await asyncio.sleep(self.chance.random() * 0.5)
        status = self.chance.choice([200, 200, 200, 200, 404, 503, 429])
        headers = {"retry-after": str(self.chance.randrange(90))} if status == 429 else {}
        return OutgoingResponse(status=status, reason="", headers=headers, body=b"")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ConnectorChanges]:
        installation = self.installation
        inbox = ReplyInbox(installation.log, installation.messages, self.chance)
        async with (
            seeded(self.seed),
            installation.log.writer() as writer,
            inbox.open(),
            asyncio.TaskGroup() as tasks,
        ):
            roles = [
                tasks.create_task(body)
                for body in (
                    self._keep("aggregate", self._decide),
                    self._keep(
                        "executor",
                        lambda: run_executor(installation.log, installation.world, installation.limits),
                    ),
                    run_projector(installation.log, installation.messages, self.rows),
                )
            ]
            yield self._changes(writer, inbox)
            for role in roles:
                role.cancel()

    async def _decide(self) -> None:
        """On connectors: whatever nobody uses would be one more thing to break in every step."""
        installation = self.installation
        await run_aggregate(installation.log, installation.messages, connector_aggregate(installation.registry))

    def _keep(self, name: str, body: Callable[[], Coroutine[Any, Any, None]]) -> Coroutine[Any, Any, None]:
        return keep_running(name, body, first_wait=0.05, longest_wait=0.5)

    def _changes(self, writer: Writer, inbox: ReplyInbox) -> ConnectorChanges:
        installation = self.installation
        waits = Waits(reply=timedelta(seconds=2), projection=timedelta(seconds=60))
        channel = Channel(installation.messages, writer, inbox, self.rows.progress, waits)
        return ConnectorChanges(
            types=installation.registry,
            vault=installation.vault,
            views=InMemoryReadModels(self.rows),
            messages=installation.messages,
            desk=CommandDesk(channel, topics.CONNECTOR_COMMANDS, (connectors_by_space.CONNECTORS_BY_SPACE.name,)),
            clock=self._now,
            new_id=lambda: f"id-{self.chance.randrange(10**9)}",
        )

    async def persist(self, change: Callable[[Origin], Coroutine[Any, Any, Any]]) -> Refused | None:
        """Make a change as a stubborn client does: with one command id, until there is an answer."""
        origin = Origin(space_id="default", by="ada", command_id=f"k-{self.chance.randrange(10**9)}")
        while True:
            try:
                await change(origin)
            except Refused as refusal:
                return refusal
            except (ConnectoryError, Killed):
                await asyncio.sleep(0.1)
            else:
                return None

    async def submit(self, request_id: str, connector_id: str) -> None:
        """Publish a request until it is acknowledged, and sometimes once more."""
        self.submitted.add(request_id)
        times = self.chance.choice([1, 1, 1, 2])
        changes: dict[str, Any] = {
            "connector_id": connector_id,
            "ordering_key": self.chance.choice([None, None, "red", "blue"]),
            "delivery": self.chance.choice([*[Delivery.AT_LEAST_ONCE] * 3, Delivery.AT_MOST_ONCE]),
            "requested_at": self._now(),
        }
        while times:
            try:
                await self.installation.submit(request_id, **changes)
            except (Unavailable, Killed):
                await asyncio.sleep(0.05)
            else:
                times -= 1

    async def cancel(self, request_id: str) -> None:
        """Want a request cancelled, whatever partition it is on."""
        wish = CancelRequest(request_id=request_id, space_id="default", at=self._now())
        topic, partitions = topics.ACTION_CANCELLATIONS, range(3)
        message = self.installation.messages.message
        messages = [message(topic, request_id, wish, at=wish.at, partition=each) for each in partitions]
        with contextlib.suppress(Unavailable, Killed):
            await self.installation.write(*messages)

    async def calm(self) -> None:
        """No more faults; wait until every request has its final outcome and every reader has caught up."""
        self.fault_rate = 0.0
        await until(self._is_calm, seconds=7200, pause=1.0)

    def _is_calm(self) -> bool:
        finished = {outcome.request_id for outcome in self.installation.finals()}
        logged = len(self.rows.rows("event_log"))
        return finished >= self.submitted and logged == len(log_keys(self.installation)) and self._views_are_current()

    def _views_are_current(self) -> bool:
        return {row["connector_id"]: row["version"] for row in self.rows.rows("connectors_by_space")} == {
            state.connector_id: state.version for state in self.installation.states().values()
        }


@asynccontextmanager
async def seeded(seed: int) -> AsyncIterator[None]:
    """Chance as roles have it, for the length of their waits; afterwards it is that of other tests again."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def log_keys(installation: Installation) -> set[tuple[str, str]]:
    return {(outcome.execution_id, outcome.action) for outcome in installation.outcomes()}


def hook(number: int) -> Details:
    config: JsonObject = {"url": f"http://target/{number}", "hasAuth": True}
    return Details(name=f"hook {number}", config=config, secrets={"user": "u", "password": f"password-{number}"})
