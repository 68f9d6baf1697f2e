"""An installation on the log in memory: what the roles share, a target that plays along, and ways to drive them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from connectory.aggregate import run_aggregates
from connectory.connector_types.contract import (
    MailConnection,
    MailServer,
    OutgoingRequest,
    OutgoingResponse,
    Surroundings,
    TypeSettings,
)
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.connector import Active
from connectory.domain.dead_letters import DeadLetter
from connectory.domain.execution import ActionRequest, Outcome
from connectory.domain.in_memory_connectors import NO_IN_MEMORY_CONNECTORS
from connectory.domain.json_types import JsonObject
from connectory.domain.replies import CommandAccepted, CommandRefused, RequestCompleted
from connectory.executor import Limits, ReportSettings, World, run_executor
from connectory.infra import topics
from connectory.infra.clock import Clock
from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.egress.hosts import AllowedHosts
from connectory.infra.log import Message
from connectory.infra.messages import Messages
from connectory.testing import InMemoryLog, ManualClock
from tests.fakes.egress import no_mail
from tests.unit.connectors import AT
from tests.waiting import until

T = TypeVar("T")
Answer = Callable[[OutgoingRequest], Awaitable[OutgoingResponse]]
KEY = "k" * 32


class Silent:
    def write(self, level: str, message: str) -> None:
        pass


async def says_ok(request: OutgoingRequest) -> OutgoingResponse:
    return OutgoingResponse(status=200, reason="OK", headers={}, body=b"")


@dataclass
class Target:
    """The outside world. `answer` decides what it says to each call; `calls` are those it saw."""

    answer: Answer = says_ok
    calls: list[OutgoingRequest] = field(default_factory=list)

    async def send(self, request: OutgoingRequest) -> OutgoingResponse:
        self.calls.append(request)
        return await self.answer(request)

    def connect_mail(self, server: MailServer) -> AbstractAsyncContextManager[MailConnection]:
        return no_mail(server)


class Installation:
    def __init__(
        self,
        partitions: int = 2,
        before: Callable[[str], Awaitable[None]] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or ManualClock(AT)
        self.log = InMemoryLog(partitions, clock=self.clock, before=before, grace=1.0)
        self.messages = Messages()
        self.target = Target()
        self.vault = SecretsVault(KeyRing(KEY))
        self.registry = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"])))
        self.in_memory = NO_IN_MEMORY_CONNECTORS
        self.limits = Limits(grace=timedelta(seconds=0.5))
        self.run_timeout = timedelta(minutes=5)
        self.reports: ReportSettings | None = None
        self._ids = itertools.count(1)

    async def create_topics(self) -> "Installation":
        await self.log.create_topics(topics.topic_specs(timedelta(days=1)))
        return self

    @property
    def world(self) -> World:
        return World(
            messages=self.messages,
            registry=self.registry,
            vault=self.vault,
            surroundings=Surroundings(egress=self.target, server_log=Silent(), now=self.clock),
            clock=self.clock,
            new_id=lambda: f"execution-{next(self._ids)}",
            run_timeout=self.run_timeout,
            in_memory=self.in_memory,
        )

    @asynccontextmanager
    async def executor(self) -> AsyncIterator[asyncio.Task[None]]:
        async with owned(run_executor(self.log, self.world, self.limits, reports=self.reports)) as task:
            yield task

    @asynccontextmanager
    async def aggregate(self) -> AsyncIterator[asyncio.Task[None]]:
        async with owned(run_aggregates(self.log, self.messages, self.registry)) as task:
            yield task

    async def write(self, *messages: Message) -> None:
        async with self.log.writer() as writer:
            await writer.write(messages)

    async def connector(self, connector_id: str = "c1", secrets: JsonObject | None = None, **changes: Any) -> None:
        """Put a connector where the executor finds it."""
        fields: dict[str, Any] = {
            "connector_id": connector_id,
            "space_id": "default",
            "name": "hook",
            "connector_type_id": ".webhook",
            "config": {"url": f"http://target/{connector_id}", "hasAuth": secrets is not None},
            "secrets": changes.pop("sealed", None) or self.vault.seal(connector_id, secrets or {}),
            "version": 1,
            "created_at": AT,
            "created_by": None,
            "updated_at": AT,
            "updated_by": None,
            "recent_commands": (),
            **changes,
        }
        await self.write(self.messages.message(topics.CONNECTORS, connector_id, Active(**fields), at=AT))

    def request_message(self, request_id: str = "r1", connector_id: str = "c1", **changes: Any) -> Message:
        fields: dict[str, Any] = {
            "request_id": request_id,
            "space_id": "default",
            "connector_id": connector_id,
            "params": {"body": request_id},
            "requested_at": AT,
            **changes,
        }
        return self.messages.message(topics.ACTION_REQUESTS, connector_id, ActionRequest(**fields), at=AT)

    async def submit(self, *request_ids: str, connector_id: str = "c1", **changes: Any) -> None:
        await self.write(*(self.request_message(each, connector_id, **changes) for each in request_ids))

    def read(self, topic: str, *types: type[T]) -> list[T]:
        return [self.messages.decode(record.value, *types) for record in self.log.records(topic)]

    def outcomes(self, request_id: str | None = None) -> list[Outcome]:
        found = self.read(topics.ACTION_OUTCOMES, Outcome)
        return [outcome for outcome in found if request_id in (None, outcome.request_id)]

    def states(self) -> dict[str, Active]:
        """The connectors that there are, as the compacted topic has them."""
        last = {record.key: record.value for record in self.log.records(topics.CONNECTORS)}
        found = [self.messages.decode(value, Active) for value in last.values() if value is not None]
        return {state.connector_id: state for state in found}

    def finals(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes() if outcome.final]

    def dead_letters(self) -> list[DeadLetter]:
        return self.read(topics.ACTION_DEAD_LETTERS, DeadLetter)

    def replies(self) -> Sequence[CommandAccepted | CommandRefused | RequestCompleted]:
        return self.read(topics.REPLIES, CommandAccepted, CommandRefused, RequestCompleted)

    async def final_outcomes(self, count: int) -> list[Outcome]:
        """Wait for that many final outcomes."""
        return await until(lambda: self.finals() if len(self.finals()) >= count else [])


@asynccontextmanager
async def owned(body: Any) -> AsyncIterator[asyncio.Task[None]]:
    """Run a role beside the test; an error of it is the test's."""
    task: asyncio.Task[None] = asyncio.create_task(body)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
