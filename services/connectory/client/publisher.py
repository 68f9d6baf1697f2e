"""Publishing action requests to Kafka."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import islice

from connectory.client.requests import NewActionRequest
from connectory.infra.clock import Clock, utc_now
from connectory.infra.log import Log, Message, Writer
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_REQUESTS

BATCH = 1000
"""Requests that are on their way to the broker at one time."""


class ActionRequestPublisher:
    """Publishes requests keyed by connector id and waits until the broker has acknowledged them (`acks=all`).

    A request that was acknowledged gets a final outcome; how to follow it is `OutcomeConsumer`.

        async with ActionRequestPublisher.over(log) as publisher:
            request_id = await publisher.publish(NewActionRequest(connector_id="ops", params={"body": "{}"}))
    """

    def __init__(self, writer: Writer, messages: Messages, clock: Clock = utc_now) -> None:
        self._writer = writer
        self._messages = messages
        self._clock = clock

    @classmethod
    @asynccontextmanager
    async def over(cls, log: Log, *, messages: Messages | None = None) -> AsyncIterator["ActionRequestPublisher"]:
        """Open a publisher over a log that is already open. `messages` matter with an external schema registry."""
        async with log.writer() as writer:
            yield cls(writer, messages or Messages())

    async def publish(self, request: NewActionRequest) -> str:
        """Publish one request and return its id. Raises `Unavailable` when the broker does not acknowledge in time."""
        await self._writer.write([self._message(request)])
        return request.request_id

    async def publish_many(self, requests: Iterable[NewActionRequest]) -> list[str]:
        """Publish all, in order for each connector, and return their ids in order.

        Raises `Unavailable` when the broker does not acknowledge in time: some may have been published then, and
        publishing the same ids again is safe within the dedupe window.
        """
        published: list[str] = []
        remaining = iter(requests)
        while batch := list(islice(remaining, BATCH)):
            await self._write(batch)
            published.extend(request.request_id for request in batch)
        return published

    async def _write(self, batch: Sequence[NewActionRequest]) -> None:
        await self._writer.write([self._message(request) for request in batch])

    def _message(self, request: NewActionRequest) -> Message:
        now = self._clock()
        return self._messages.message(ACTION_REQUESTS, request.connector_id, request.record(now), at=now)
