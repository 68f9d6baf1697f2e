"""What happens to a record before it is a request to be run: decoding, forwarding home, dead letters."""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectory.domain.dead_letters import DeadLetter
from connectory.domain.errors import MessageTooLarge, Undecodable
from connectory.domain.execution import ActionRequest, WaitingRequest
from connectory.executor.dead_letters import letter_message
from connectory.infra.clock import Clock
from connectory.infra.headers import FORWARDED_FROM, header
from connectory.infra.log import END_OF_TIME_MS, Message, Record, check_sizes, partition_for
from connectory.infra.messages import Messages

LONGEST_ID = 256
"""Characters of an id, as over HTTP. Ids stand several times in outcomes and replies, and in the database's indexes."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The record has no business here; this message takes its place, and then it is done."""

    message: Message


@dataclass(frozen=True, slots=True)
class Stranded:
    """The request has no business here, and no message can take its place: `refusal` says why."""

    request: ActionRequest
    refusal: MessageTooLarge


class Intake:
    """Reads the records of one partition of `partitions`; answers go to one of `reply_partitions`."""

    def __init__(self, messages: Messages, partitions: int, reply_partitions: int, clock: Clock) -> None:
        self._messages = messages
        self._reply_partitions = range(reply_partitions)
        self._clock = clock
        self._partitions = partitions

    def read(self, record: Record) -> ActionRequest | Elsewhere | Stranded:
        try:
            request = self._request(record)
        except Undecodable as error:
            return Elsewhere(self._dead_letter(record, error))
        home = partition_for(request.connector_id.encode(), self._partitions)
        if home != record.partition and header(record, FORWARDED_FROM) is None:
            return _sent_home(record, request, home)
        return request

    def read_waiting(self, record: Record) -> WaitingRequest | Elsewhere:
        """A record of a retry topic. Those are written by executors, so what is odd about it is no user's fault."""
        try:
            return self._messages.decode(record.value, WaitingRequest)
        except Undecodable as error:
            return Elsewhere(self._dead_letter(record, error))

    def _request(self, record: Record) -> ActionRequest:
        """Raises `Undecodable`."""
        request = self._messages.decode(record.value, ActionRequest)
        ids = (
            request.request_id,
            request.connector_id,
            request.space_id,
            request.ordering_key or "",
            request.redrive_of or "",
        )
        if max(map(len, ids)) > LONGEST_ID:
            raise Undecodable(f"An id or the ordering key of the request is longer than {LONGEST_ID} characters")
        if request.reply_partition is None or request.reply_partition in self._reply_partitions:
            return request
        log.warning("request %s wants its answer on a partition that is not there", request.request_id)
        return replace(request, reply_partition=None)

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
        return letter_message(self._messages, letter)


def submitted_at(record: Record, now: datetime) -> datetime:
    """However long the record had to wait to be read. A negative time says that none is known."""
    if record.timestamp_ms < 0:
        return now
    return min(now, datetime.fromtimestamp(min(record.timestamp_ms, END_OF_TIME_MS) / 1000, UTC))


def _sent_home(record: Record, request: ActionRequest, home: int) -> Elsewhere | Stranded:
    """What was compressed on its way here may be too large to be written again."""
    forwarded = _forwarded(record, home)
    try:
        check_sizes([forwarded])
    except MessageTooLarge as error:
        text = f"the request belongs on partition {home}, keyed by its connector id, and cannot be moved: "
        return Stranded(request, MessageTooLarge(text + error.message))
    return Elsewhere(forwarded)


def _forwarded(record: Record, home: int) -> Message:
    """The record unchanged, on the partition where its connector is. Once: the header stops a second hop."""
    headers = (*record.headers, (FORWARDED_FROM, str(record.partition).encode()))
    return Message(record.topic, record.key, record.value, headers, home)
