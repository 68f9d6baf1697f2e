"""The aggregate loop of one partition: commands in, one transaction a batch out.

What is written in a transaction stays or goes as a whole: events, states, replies, and the commands' offsets. After
any failure the partition is left and joined anew, which restores the memory from the log; so a batch whose commit has
an unknown end is either seen as done, or done again from the same commands.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Generic

from connectory.aggregate.aggregate import Aggregate, C, E, S
from connectory.aggregate.states import PartitionStates
from connectory.domain.errors import ConnectoryError, MessageTooLarge, Refused, Undecodable, Unencodable
from connectory.domain.replies import CommandAccepted, CommandRefused
from connectory.infra.clock import Clock, utc_now
from connectory.infra.headers import header, reply_partition
from connectory.infra.log import (
    MAX_RECORD_BYTES,
    Log,
    Message,
    Record,
    Share,
    TransactionWriter,
    check_sizes,
    partition_for,
)
from connectory.infra.messages import Messages, read_traceparent
from connectory.infra.topics import REPLIES

BATCH = 500
"""Commands in one transaction: committing takes tens of milliseconds, deciding a command less than one."""

FETCH_SECONDS = 1.0

LARGEST_CHANGE = MAX_RECORD_BYTES - 8 * 1024
"""Bytes of an event or a state: the reply carries the state and some more, and has to fit the log as well."""

log = logging.getLogger(__name__)


async def run_aggregate(
    log_: Log, messages: Messages, aggregate: Aggregate[C, S, E], *, clock: Clock = utc_now
) -> None:
    """Be one instance of the aggregate until cancelled."""
    partitions = await log_.partition_count(aggregate.commands_topic)
    reply_partitions = await log_.partition_count(REPLIES)

    async def serve(share: Share) -> None:
        await PartitionAggregate(aggregate, log_, messages, share, partitions, reply_partitions, clock).run()

    await log_.join(aggregate.group, [aggregate.commands_topic], serve)


@dataclass(frozen=True, slots=True)
class Decision(Generic[S]):
    """What came of one command: a refusal, or the state that it left, also when there was nothing (left) to do.

    Later commands of the batch may change the subject again; the answer tells what this one did.
    """

    record: Record
    command_id: str
    subject_id: str
    outcome: S | ConnectoryError
    events: Sequence[Message] = ()


@dataclass(frozen=True, slots=True)
class Change(Generic[S]):
    """A subject as the batch leaves it, and the record of it: a tombstone when it is gone."""

    state: S
    message: Message


@dataclass(frozen=True, slots=True)
class Batch(Generic[S]):
    """What a transaction changes, by subject id, to be taken over when it is committed."""

    changed: Mapping[str, Change[S]]
    last_event: int


class PartitionAggregate(Generic[C, S, E]):
    def __init__(
        self,
        aggregate: Aggregate[C, S, E],
        log_: Log,
        messages: Messages,
        share: Share,
        partitions: int,
        reply_partitions: int,
        clock: Clock,
    ) -> None:
        self._aggregate = aggregate
        self._log = log_
        self._messages = messages
        self._share = share
        self._partitions = partitions
        self._reply_partitions = reply_partitions
        self._clock = clock
        self._states: PartitionStates[C, S, E] = PartitionStates(aggregate, messages, share.index)

    async def run(self) -> None:
        """Own the partition until it is revoked.

        The transactional producer is opened before anything is read: that ends the transactions of a former owner, so
        that what we restore and where we start from can no longer be changed by it.
        """
        topic = self._aggregate.commands_topic
        transactional_id = self._aggregate.transactional_id(self._share.index)
        async with self._log.transactions(transactional_id) as transactions:
            await self._states.restore(self._log)
            committed = await self._share.committed(topic)
            start = committed.offset if committed else await self._log.beginning_offset(topic, self._share.index)
            self._share.start({topic: start})
            while not self._share.revoked.is_set():
                records = await self._share.fetch(topic, BATCH, FETCH_SECONDS)
                if records:
                    async with transactions.begin() as transaction:
                        batch = await self._process(records, transaction)
                    self._take_over(batch)

    async def _process(self, records: Sequence[Record], transaction: TransactionWriter) -> Batch[S]:
        changed: dict[str, Change[S]] = {}
        decisions = [self._decide(record, changed) for record in records]
        events = [event for decision in decisions for event in decision.events]
        positions = await transaction.write(events) if events else []
        last_event = positions[-1].offset if positions else self._states.last_event
        states = [change.message for change in changed.values()]
        replies = [reply for each in decisions if (reply := self._reply_message(each, last_event))]
        if states or replies:
            await transaction.write([*states, *replies])
        offsets = {(self._aggregate.commands_topic, self._share.index): records[-1].offset + 1}
        await transaction.commit_offsets(self._aggregate.group, offsets)
        return Batch(changed, last_event)

    def _decide(self, record: Record, changed: dict[str, Change[S]]) -> Decision[S]:
        """Decide one command against the state as changed by those before it, and change the state accordingly."""
        try:
            command = self._messages.decode(record.value, *self._aggregate.commands)
        except Undecodable as error:
            return self._unreadable(record, error)
        subject_id = self._aggregate.subject_of_command(command)
        try:
            state = self._state(subject_id, changed)
            if command.command_id in state.recent_commands:
                return Decision(record, command.command_id, subject_id, state)
            self._require_home(record, subject_id)
            decided = self._aggregate.decide(command, state)
            after = self._after(command, state, decided)
            events = [self._event_message(record, subject_id, event) for event in decided]
            changed[subject_id] = self._change(subject_id, after, events)
        except ConnectoryError as refusal:
            return Decision(record, command.command_id, subject_id, refusal)
        except Exception as error:
            # A rule that breaks must cost its command, not the partition: it would break again on every restart.
            log.exception("the command %s on %s could not be decided", command.command_id, subject_id)
            return Decision(record, command.command_id, subject_id, ConnectoryError(type(error).__name__))
        return Decision(record, command.command_id, subject_id, after, events)

    def _after(self, command: C, state: S, events: Sequence[E]) -> S:
        if not events:
            return self._aggregate.remember(state, command.command_id)
        return reduce(self._aggregate.evolve, events, state)

    def _change(self, subject_id: str, state: S, events: Sequence[Message]) -> Change[S]:
        """The subject's new state with the record of it.

        Raises `MessageTooLarge` or `Unencodable`: a record that the log does not take must cost its command, not the
        partition.
        """
        change = Change(state, self._state_message(subject_id, state))
        check_sizes([*events, change.message], LARGEST_CHANGE)
        return change

    def _require_home(self, record: Record, subject_id: str) -> None:
        home = partition_for(subject_id.encode(), self._partitions)
        if home != record.partition:
            text = f"a command for {subject_id} belongs on partition {home}, not {record.partition}; key it by that id"
            raise Refused("command-misplaced", text)

    def _unreadable(self, record: Record, error: Undecodable) -> Decision[S]:
        log.warning("skipped an undecodable command at %s/%d/%d: %s", *record[:3], error)
        return Decision(record, header(record, "ce_id") or "", (record.key or b"").decode("utf-8", "replace"), error)

    def _state(self, subject_id: str, changed: dict[str, Change[S]]) -> S:
        return changed[subject_id].state if subject_id in changed else self._states.get(subject_id)

    def _event_message(self, record: Record, subject_id: str, event: E) -> Message:
        return self._messages.message(
            self._aggregate.events_topic,
            subject_id,
            event,
            at=self._clock(),
            partition=self._share.index,
            traceparent=read_traceparent(record.headers),
        )

    def _state_message(self, subject_id: str, state: S) -> Message:
        topic, partition = self._aggregate.states_topic, self._share.index
        if not isinstance(state, self._aggregate.stored):
            return Message(topic, subject_id.encode(), None, (), partition)
        return self._messages.message(topic, subject_id, state, at=self._clock(), partition=partition)

    def _reply_message(self, decision: Decision[S], last_event: int) -> Message | None:
        """The answer, if one is wanted and the log takes it: ids of any length may stand in it."""
        partition = reply_partition(decision.record, self._reply_partitions)
        if partition is None:
            return None
        reply = self._reply(decision, last_event)
        try:
            message = self._messages.message(REPLIES, decision.command_id, reply, at=self._clock(), partition=partition)
            check_sizes([message])
        except (MessageTooLarge, Unencodable) as error:
            log.warning("the command at %s/%d/%d gets no answer: %s", *decision.record[:3], error)
            return None
        return message

    def _reply(self, decision: Decision[S], last_event: int) -> CommandAccepted | CommandRefused:
        """An acceptance names the partition's last event, not the command's own: it may have none, and what its answer
        tells follows from events of others then. Who waits for that one to be applied reads all of them.
        """
        command_id, subject_id, outcome = decision.command_id, decision.subject_id, decision.outcome
        if isinstance(outcome, ConnectoryError):
            code, text = outcome.code, outcome.message
            return CommandRefused(command_id=command_id, subject_id=subject_id, code=code, message=text)
        stored = isinstance(outcome, self._aggregate.stored)
        return CommandAccepted(
            command_id=command_id,
            subject_id=subject_id,
            version=outcome.version,
            topic=self._aggregate.events_topic,
            partition=self._share.index,
            offset=last_event,
            state=self._messages.encode(self._aggregate.shown(outcome)) if stored else None,
        )

    def _take_over(self, batch: Batch[S]) -> None:
        self._states.last_event = batch.last_event
        for subject_id, change in batch.changed.items():
            self._states.put(subject_id, change.state, change.message.value)
