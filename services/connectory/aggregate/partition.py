"""The aggregate loop of one partition: commands in, one transaction a batch out.

What is written in a transaction stays or goes as a whole: events, states, replies, and the commands' offsets. After
any failure the partition is left and joined anew, which restores the memory from the log; so a batch whose commit has
an unknown end is either seen as done, or done again from the same commands.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

from connectory.aggregate.aggregate import Aggregate, C, E, S
from connectory.aggregate.states import PartitionStates
from connectory.domain.errors import ConnectoryError, Refused, Undecodable
from connectory.domain.replies import CommandAccepted, CommandRefused
from connectory.infra.clock import Clock, utc_now
from connectory.infra.headers import header, reply_partition
from connectory.infra.log import Log, Message, Record, Share, TransactionWriter, partition_for
from connectory.infra.messages import Messages, read_traceparent
from connectory.infra.topics import REPLIES

BATCH = 500
"""Commands in one transaction: committing takes tens of milliseconds, deciding a command less than one."""

FETCH_SECONDS = 1.0

log = logging.getLogger(__name__)


async def run_aggregate(
    log_: Log, messages: Messages, aggregate: Aggregate[C, S, E], *, clock: Clock = utc_now
) -> None:
    """Be one instance of the aggregate until cancelled."""
    partitions = await log_.partition_count(aggregate.commands_topic)

    async def serve(share: Share) -> None:
        await PartitionAggregate(aggregate, log_, messages, share, partitions, clock).run()

    await log_.join(aggregate.group, [aggregate.commands_topic], serve)


@dataclass(frozen=True, slots=True)
class Decision(Generic[E]):
    """What came of one command. `refusal` None means accepted, also when there is nothing (left) to do."""

    record: Record
    command_id: str
    subject_id: str
    events: Sequence[E] = ()
    refusal: ConnectoryError | None = None


@dataclass(frozen=True, slots=True)
class Batch(Generic[S]):
    """What a transaction changes, to be taken over when it is committed. `encoded` None is a tombstone."""

    changed: Mapping[str, S]
    encoded: Mapping[str, bytes | None]
    last_event: int


class PartitionAggregate(Generic[C, S, E]):
    def __init__(
        self,
        aggregate: Aggregate[C, S, E],
        log_: Log,
        messages: Messages,
        share: Share,
        partitions: int,
        clock: Clock,
    ) -> None:
        self._aggregate = aggregate
        self._log = log_
        self._messages = messages
        self._share = share
        self._partitions = partitions
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
                records = await self._share.fetch(BATCH, FETCH_SECONDS)
                if records:
                    async with transactions.begin() as transaction:
                        batch = await self._process(records, transaction)
                    self._take_over(batch)

    async def _process(self, records: Sequence[Record], transaction: TransactionWriter) -> Batch[S]:
        changed: dict[str, S] = {}
        decisions = [self._decide(record, changed) for record in records]
        events = [self._event_message(decision, event) for decision in decisions for event in decision.events]
        positions = await transaction.write(events) if events else []
        last_event = positions[-1].offset if positions else self._states.last_event
        states = {subject_id: self._state_message(subject_id, state) for subject_id, state in changed.items()}
        replies = [reply for each in decisions if (reply := self._reply_message(each, changed, last_event))]
        if states or replies:
            await transaction.write([*states.values(), *replies])
        offsets = {(self._aggregate.commands_topic, self._share.index): records[-1].offset + 1}
        await transaction.commit_offsets(self._aggregate.group, offsets)
        encoded = {subject_id: message.value for subject_id, message in states.items()}
        return Batch(changed, encoded, last_event)

    def _decide(self, record: Record, changed: dict[str, S]) -> Decision[E]:
        """Decide one command against the state as changed by those before it, and change the state accordingly."""
        try:
            command = self._messages.decode(record.value, *self._aggregate.commands)
        except Undecodable as error:
            return self._unreadable(record, error)
        subject_id = self._aggregate.subject_of_command(command)
        state = self._state(subject_id, changed)
        if command.command_id in state.recent_commands:
            return Decision(record, command.command_id, subject_id)
        try:
            self._require_home(record, subject_id)
            events = self._aggregate.decide(command, state)
        except ConnectoryError as refusal:
            return Decision(record, command.command_id, subject_id, refusal=refusal)
        except Exception as error:
            # A rule that breaks must cost its command, not the partition: it would break again on every restart.
            log.exception("the command %s on %s could not be decided", command.command_id, subject_id)
            return Decision(record, command.command_id, subject_id, refusal=ConnectoryError(type(error).__name__))
        for event in events:
            state = self._aggregate.evolve(state, event)
        if events:
            changed[subject_id] = state
        return Decision(record, command.command_id, subject_id, events)

    def _require_home(self, record: Record, subject_id: str) -> None:
        home = partition_for(subject_id.encode(), self._partitions)
        if home != record.partition:
            text = f"a command for {subject_id} belongs on partition {home}, not {record.partition}; key it by that id"
            raise Refused("command-misplaced", text)

    def _unreadable(self, record: Record, error: Undecodable) -> Decision[E]:
        log.warning("skipped an undecodable command at %s/%d/%d: %s", *record[:3], error)
        return Decision(
            record, header(record, "ce_id") or "", (record.key or b"").decode("utf-8", "replace"), (), error
        )

    def _state(self, subject_id: str, changed: dict[str, S]) -> S:
        return changed[subject_id] if subject_id in changed else self._states.get(subject_id)

    def _event_message(self, decision: Decision[E], event: E) -> Message:
        return self._messages.message(
            self._aggregate.events_topic,
            decision.subject_id,
            event,
            at=self._clock(),
            partition=self._share.index,
            traceparent=read_traceparent(decision.record.headers),
        )

    def _state_message(self, subject_id: str, state: S) -> Message:
        topic, partition = self._aggregate.states_topic, self._share.index
        if not isinstance(state, self._aggregate.stored):
            return Message(topic, subject_id.encode(), None, (), partition)
        return self._messages.message(topic, subject_id, state, at=self._clock(), partition=partition)

    def _reply_message(self, decision: Decision[E], changed: dict[str, S], last_event: int) -> Message | None:
        partition = reply_partition(decision.record)
        if partition is None:
            return None
        reply = self._reply(decision, changed, last_event)
        return self._messages.message(REPLIES, decision.command_id, reply, at=self._clock(), partition=partition)

    def _reply(self, decision: Decision[E], changed: dict[str, S], last_event: int) -> CommandAccepted | CommandRefused:
        command_id, subject_id = decision.command_id, decision.subject_id
        if decision.refusal is not None:
            code, text = decision.refusal.code, decision.refusal.message
            return CommandRefused(command_id=command_id, subject_id=subject_id, code=code, message=text)
        state = self._state(subject_id, changed)
        stored = isinstance(state, self._aggregate.stored)
        return CommandAccepted(
            command_id=command_id,
            subject_id=subject_id,
            version=state.version,
            topic=self._aggregate.events_topic,
            partition=self._share.index,
            offset=last_event,
            state=self._messages.encode(self._aggregate.shown(state)) if stored else None,
        )

    def _take_over(self, batch: Batch[S]) -> None:
        self._states.last_event = batch.last_event
        for subject_id, state in batch.changed.items():
            self._states.put(subject_id, state, batch.encoded[subject_id])
