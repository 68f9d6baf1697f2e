"""`Tenure`: what keeps a partition's former writers out.

A producer id with an epoch belongs to a transactional id, and a partition refuses batches whose epoch is below the
newest it has seen of that producer id. Its holder raises the epoch, and lets an empty transaction carry it to the
partition: the marker that ends a transaction is a record there. After that batches need no transaction.

The library has neither an empty transaction nor the way to raise an epoch only if it is still one's own (KIP-360), so
the requests are made here.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType  # type: ignore[import-untyped]
from aiokafka.protocol.api import Request, RequestStruct  # type: ignore[import-untyped]
from aiokafka.protocol.transaction import (  # type: ignore[import-untyped]
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdResponse_v0,
)
from aiokafka.protocol.types import (  # type: ignore[import-untyped]
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

from connectory.infra.kafka.connection import milliseconds
from connectory.infra.kafka.library import TopicPartition, kafka_errors

RETRY_SECONDS = 0.02
TRANSACTION_SECONDS = 30.0
"""After so long the broker ends an empty transaction whose owner has vanished."""

LAST_EPOCH = 32_750
"""Nobody writes with a later one. A few remain up to the 32,766th, after which the broker changes the producer id: a
writer with the last of the old id would be kept out by no epoch of the new one."""


class Identity(NamedTuple):
    """A producer id and its epoch."""

    producer_id: int
    epoch: int


ANY = Identity(-1, -1)


class Tenure:
    """The holding of a transactional id for the sake of one partition. `held` is None before it is taken."""

    def __init__(self, transactional_id: str, place: TopicPartition) -> None:
        self.held: Identity | None = None
        self._id = transactional_id
        self._place = place

    async def establish(self, client: AIOKafkaClient) -> Identity:
        """Fence all with an earlier identity, and return one of which the partition has no sequence numbers yet.

        The first time it is taken from whoever has it; after that only an epoch of ours is raised, so that a holder
        of a later one is never fenced. Raises errors of the library, as `renew` does.
        """
        self.held = await self._raise_epoch(client, self.held or ANY)
        while True:
            await self._mark(client, self.held)
            # Refused while the marker is under way: so it is in the partition, and nobody has come after us.
            self.held = await self._raise_epoch(client, self.held)
            if self.held.epoch <= LAST_EPOCH:
                return self.held

    async def renew(self, client: AIOKafkaClient) -> None:
        """Show to the broker that the identity is still in use, lest it forgets that."""
        if self.held is not None:
            await self._mark(client, self.held)

    async def _raise_epoch(self, client: AIOKafkaClient, expected: Identity) -> Identity:
        request = InitProducerId(self._id, milliseconds(TRANSACTION_SECONDS), *expected)
        answer = await self._ask(client, request)
        return Identity(answer.producer_id, answer.producer_epoch)

    async def _mark(self, client: AIOKafkaClient, identity: Identity) -> None:
        topic, partition = self._place
        await self._ask(client, AddPartitionsToTxnRequest(self._id, *identity, [(topic, [partition])]))
        await self._ask(client, EndTxnRequest(self._id, *identity, transaction_result=False))

    async def _ask(self, client: AIOKafkaClient, request: object) -> Any:
        """Ask the coordinator of the transactional id again and again, until it answers or refuses."""
        while True:
            try:
                node = await client.coordinator_lookup(CoordinationType.TRANSACTION, self._id)
                answer = await client.send(node, request, group=ConnectionGroup.COORDINATION)
                _check(_error_codes(answer))
            except kafka_errors.KafkaError as error:
                if not (error.retriable or isinstance(error, kafka_errors.ConcurrentTransactions)):
                    raise
                if error.invalid_metadata:
                    await client.force_metadata_update()
            else:
                return answer
            await asyncio.sleep(RETRY_SECONDS)


def _error_codes(answer: Any) -> Sequence[int]:
    if hasattr(answer, "error_code"):
        return [answer.error_code]
    return [code for _, partitions in answer.errors for _, code in partitions]


def _check(codes: Sequence[int]) -> None:
    for code in codes:
        if code:
            raise kafka_errors.for_code(code)


class InitProducerIdAnswer(InitProducerIdResponse_v0):  # type: ignore[misc]
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class InitProducerIdVersion3(RequestStruct):  # type: ignore[misc]
    """The first version that says which identity is to be raised."""

    FLEXIBLE_VERSION = True
    API_KEY = 22
    API_VERSION = 3
    RESPONSE_TYPE = InitProducerIdAnswer
    SCHEMA = Schema(
        ("transactional_id", CompactString("utf-8")),
        ("transaction_timeout_ms", Int32),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class InitProducerId(Request[InitProducerIdVersion3]):  # type: ignore[misc]
    API_KEY = 22

    def __init__(self, transactional_id: str, timeout_ms: int, producer_id: int, epoch: int) -> None:
        self._fields = transactional_id, timeout_ms, producer_id, epoch

    def build(self, request_struct_class: type[InitProducerIdVersion3]) -> InitProducerIdVersion3:
        no_tags: dict[int, bytes] = {}
        return request_struct_class(*self._fields, no_tags)
