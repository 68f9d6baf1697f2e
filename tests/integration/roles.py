"""Aggregate and executors on a real Kafka, and ways to drive them without a gateway."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from connectory.aggregate import connector_aggregate, run_aggregate
from connectory.client import BEGINNING, OutcomeConsumer
from connectory.connector_types.contract import Egress, Surroundings, TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.commands import ConnectorCommand, CreateConnector
from connectory.domain.execution import ActionRequest, Outcome
from connectory.domain.replies import CommandAccepted, CommandRefused
from connectory.executor import Limits, World, run_executor
from connectory.infra.clock import utc_now
from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.egress import AllowedHosts
from connectory.infra.headers import reply_to
from connectory.infra.kafka import KafkaLog, open_kafka_log
from connectory.infra.log import Message, Position, Tail, Writer, partition_for, read_all
from connectory.infra.messages import Messages
from connectory.infra.settings import KafkaSettings
from connectory.infra.topics import (
    ACTION_REQUESTS,
    CONNECTOR_COMMANDS,
    REPLIES,
    topic_specs,
)
from tests.unit.installation import KEY, Silent, owned

T = TypeVar("T")
MESSAGES = Messages()
REGISTRY = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"])))
VAULT = SecretsVault(KeyRing(KEY))
PARTITIONS = 4
REPLY_PARTITION = 1
REPLY_TYPES: tuple[type[CommandAccepted | CommandRefused], ...] = (CommandAccepted, CommandRefused)
DEADLINE_SECONDS = 60.0


@dataclass
class Roles:
    """The topics of one installation, a writer, and the replies to whoever writes with it."""

    kafka: KafkaSettings
    log: KafkaLog
    writer: Writer
    replies: Tail

    @asynccontextmanager
    async def aggregate(self) -> AsyncIterator[asyncio.Task[None]]:
        async with owned(run_aggregate(self.log, MESSAGES, connector_aggregate(REGISTRY))) as task:
            yield task

    @asynccontextmanager
    async def executor(self, egress: Egress, vault: SecretsVault = VAULT) -> AsyncIterator[asyncio.Task[None]]:
        """An executor with a client of its own."""
        world = World(
            messages=MESSAGES,
            registry=REGISTRY,
            vault=vault,
            surroundings=Surroundings(egress=egress, server_log=Silent(), now=utc_now),
            clock=utc_now,
            new_id=lambda: str(uuid.uuid4()),
            run_timeout=timedelta(seconds=30),
        )
        async with (
            open_kafka_log(self.kafka, heartbeat_interval=0.3) as log,
            owned(run_executor(log, world, Limits())) as task,
        ):
            yield task

    async def create(self, connector_id: str, url: str = "http://target/") -> CommandAccepted:
        """Have a webhook created, and wait for the reply."""
        reply = await self.command(create_command(connector_id, f"create-{connector_id}", url))
        assert isinstance(reply, CommandAccepted), reply
        return reply

    async def command(self, command: ConnectorCommand) -> CommandAccepted | CommandRefused:
        await self.send(command_message(command))
        return await self.reply(command.command_id)

    async def reply(self, command_id: str) -> CommandAccepted | CommandRefused:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                for record in await self.replies.fetch(1.0):
                    reply = MESSAGES.decode(record.value, *REPLY_TYPES)
                    if reply.command_id == command_id:
                        return reply

    async def send(self, *messages: Message) -> list[Position]:
        return await self.writer.write(messages)

    async def read(self, topic: str, *types: type[T]) -> list[T]:
        """All records of a topic as of now, each partition in order."""
        found: list[T] = []
        for partition in range(PARTITIONS):
            async with self.log.tail(topic, partition, 0) as tail:
                records = await read_all(tail, settled=True)
            found += [MESSAGES.decode(record.value, *types) for record in records]
        return found

    async def outcomes(self, of: Iterable[str]) -> list[Outcome]:
        """Wait until each of the requests has its final outcome; return all outcomes read until then."""
        waiting, found = set(of), list[Outcome]()
        async with asyncio.timeout(DEADLINE_SECONDS), OutcomeConsumer.over(self.log, start=BEGINNING) as outcomes:
            while waiting:
                found.append(await anext(outcomes))
                waiting -= {found[-1].request_id} if found[-1].final else set()
        return found


@asynccontextmanager
async def open_roles(bootstrap: str, prefix: str) -> AsyncIterator[Roles]:
    kafka = KafkaSettings(bootstrap_servers=bootstrap, topic_prefix=prefix, partitions=PARTITIONS)
    async with open_kafka_log(kafka) as log:
        await log.create_topics(topic_specs(timedelta(days=1)))
        async with log.writer() as writer, log.tail(REPLIES, REPLY_PARTITION, 0) as replies:
            yield Roles(kafka, log, writer, replies)


def create_command(connector_id: str, command_id: str, url: str = "http://target/") -> CreateConnector:
    return CreateConnector(
        command_id=command_id,
        connector_id=connector_id,
        space_id="default",
        at=utc_now(),
        by="ada",
        name="hook",
        connector_type_id=".webhook",
        config={"url": url, "hasAuth": False},
        secrets=VAULT.seal(connector_id, {}),
    )


def command_message(command: ConnectorCommand) -> Message:
    message = MESSAGES.message(CONNECTOR_COMMANDS, command.connector_id, command, at=utc_now())
    return message._replace(headers=(*message.headers, *reply_to(REPLY_PARTITION)))


def request_message(request_id: str, connector_id: str, partition: int | None = None) -> Message:
    request = ActionRequest(
        request_id=request_id,
        space_id="default",
        connector_id=connector_id,
        params={"body": request_id},
        requested_at=utc_now(),
    )
    return MESSAGES.message(ACTION_REQUESTS, connector_id, request, at=utc_now(), partition=partition)


def home_of(connector_id: str) -> int:
    return partition_for(connector_id.encode(), PARTITIONS)


def garbage(good: bytes) -> list[bytes]:
    """Values that are no record: random bytes, an unknown schema, a record cut off, too little, nothing."""
    return [b"\x07random bytes", b"\x00\x00\x0f\xff\xff" + good[5:], good[: len(good) // 2], b"\x00\x00", b""]
