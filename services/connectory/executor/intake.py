"""What happens to a record before it is a request to be run: decoding, forwarding home, dead letters."""

import logging
from dataclasses import dataclass
from functools import lru_cache

from connectory.domain.dead_letters import DeadLetter
from connectory.domain.errors import Undecodable
from connectory.domain.execution import ActionRequest
from connectory.infra.clock import Clock
from connectory.infra.headers import FORWARDED_FROM, header
from connectory.infra.log import Message, Record, partition_for
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_DEAD_LETTERS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The record has no business here; this message takes its place, and then it is done."""

    message: Message


class Intake:
    """Reads the records of one partition."""

    def __init__(self, messages: Messages, partitions: int, clock: Clock) -> None:
        self._messages = messages
        self._clock = clock
        # Hashing a key costs more than decoding its request; connectors come again and again.
        self._home = lru_cache(maxsize=10_000)(lambda connector_id: partition_for(connector_id.encode(), partitions))

    def read(self, record: Record) -> ActionRequest | Elsewhere:
        try:
            request = self._messages.decode(record.value, ActionRequest)
        except Undecodable as error:
            return Elsewhere(self._dead_letter(record, error))
        home = self._home(request.connector_id)
        if home != record.partition and header(record, FORWARDED_FROM) is None:
            return Elsewhere(_forwarded(record, home))
        return request

    def _dead_letter(self, record: Record, error: Undecodable) -> Message:
        log.warning("dead letter: %s/%d/%d cannot be read: %s", record.topic, record.partition, record.offset, error)
        letter = DeadLetter(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=error.code,
            message=error.message,
            at=self._clock(),
            key=record.key,
            value=record.value,
            headers=tuple(record.headers),
        )
        return self._messages.message(ACTION_DEAD_LETTERS, None, letter, at=letter.at, partition=record.partition)


def _forwarded(record: Record, home: int) -> Message:
    """The record unchanged, on the partition where its connector is. Once: the header stops a second hop."""
    headers = (*record.headers, (FORWARDED_FROM, str(record.partition).encode()))
    return Message(record.topic, record.key, record.value, headers, home)
