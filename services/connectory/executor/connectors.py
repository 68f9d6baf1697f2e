"""The connectors of one partition as the executor knows them: followed from the log, opened and prepared on use."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from connectory.connector_types.registry import Prepared, TypeRegistry
from connectory.domain.connector import Active
from connectory.domain.errors import Refused, Unavailable, Undecodable
from connectory.domain.in_memory_connectors import (
    NO_IN_MEMORY_CONNECTORS,
    UNVERSIONED,
    InMemoryConnector,
    InMemoryConnectors,
)
from connectory.domain.outcomes import ConnectorLabel
from connectory.executor.policies import RunPolicies, RunPolicy
from connectory.infra.crypto import Redactor, SecretsVault, redacting
from connectory.infra.log import Tail
from connectory.infra.messages import Messages

PREPARED_AT_MOST = 1000
"""How many connectors of a partition are kept with their secrets decrypted."""

FETCH_SECONDS = 0.5
RETRY_SECONDS = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReadyConnector:
    """A connector whose secrets are open and whose config and secrets have passed its type's checks.

    `space_id` None: it is in every space.
    """

    space_id: str | None
    enabled: bool
    label: ConnectorLabel
    prepared: Prepared
    redactor: Redactor
    is_missing_secrets: bool

    def is_in(self, space_id: str) -> bool:
        return self.space_id is None or self.space_id == space_id


class PartitionConnectors:
    """States by connector id, as encoded bytes. `follow` keeps them up to date.

    A connector that is in memory wins over a saved one of the same id.
    """

    def __init__(
        self,
        tail: Tail,
        messages: Messages,
        registry: TypeRegistry,
        vault: SecretsVault,
        policies: RunPolicies,
        in_memory: InMemoryConnectors = NO_IN_MEMORY_CONNECTORS,
    ) -> None:
        self._in_memory = in_memory
        self._tail = tail
        self._policies = policies
        self._policy: dict[str, RunPolicy] = {}
        self.on_change: Callable[[str], None] = lambda _connector_id: None
        self._messages = messages
        self._registry = registry
        self._vault = vault
        self._encoded: dict[str, bytes] = {}
        self._ready: OrderedDict[str, ReadyConnector] = OrderedDict()
        self._moved = asyncio.Event()
        self._known_to = 0

    async def restore(self) -> None:
        """Read all states up to the end as of now. Before `follow`, not beside it."""
        end = await self._tail.end_offset()
        while self._tail.position < end:
            await self._read_on(self._keep)

    async def follow(self) -> None:
        """Read on until cancelled."""
        while True:
            await self._read_on(self._absorb)
            self._moved.set()
            self._moved = asyncio.Event()

    async def catch_up(self) -> None:
        """Return when everything written before this call is known. Needs `follow` to run.

        What counts as written includes transactions that are still open: a change may have been answered before its
        records can be read; the broker ends one whose owner has vanished. While the broker is away this waits: nobody
        could say whether a connector exists.
        """
        end = await self._end()
        while self._known_to < end:
            await self._moved.wait()

    def is_in_memory(self, connector_id: str) -> bool:
        return connector_id in self._in_memory

    def find(self, connector_id: str) -> Active | None:
        """The saved connector. Raises `Undecodable` when what the log holds of it is no record of ours."""
        encoded = self._encoded.get(connector_id)
        return self._messages.decode(encoded, Active) if encoded is not None else None

    def knows(self, connector_id: str, version: int | None) -> bool:
        """Whether the connector is here, and at that version if one is given."""
        if connector_id in self._in_memory:
            return version in (None, UNVERSIONED)
        if version is None:
            return connector_id in self._encoded
        try:
            active = self.find(connector_id)
        except Undecodable:
            return False
        return active is not None and active.version == version

    def ending(self, connector_id: str) -> Refused | None:
        """Why no request through it is run: it is not there, or disabled."""
        if connector_id in self._in_memory:
            return None
        try:
            active = self.find(connector_id)
        except Undecodable:
            return None  # what is wrong with it is said by each request's own outcome
        if active is None:
            return Refused.not_found(connector_id)
        return None if active.enabled else disabled(connector_id)

    def label(self, connector_id: str, space_id: str) -> ConnectorLabel | None:
        """What an outcome may say about it: nothing about one of another space, or one that is garbage."""
        in_memory = self._in_memory.get(connector_id)
        if in_memory is not None:
            return in_memory_label(in_memory)
        try:
            active = self.find(connector_id)
        except Undecodable:
            return None
        return label_of(active) if active is not None and active.space_id == space_id else None

    def type_of(self, connector_id: str) -> str | None:
        """The connector type, None where that is not known."""
        in_memory = self._in_memory.get(connector_id)
        if in_memory is not None:
            return in_memory.connector_type_id
        try:
            active = self.find(connector_id)
        except Undecodable:
            return None
        return None if active is None else active.connector_type_id

    def policy(self, connector_id: str) -> RunPolicy:
        """How its requests are run. Remembered until it changes: this is asked for each request."""
        policy = self._policy.get(connector_id)
        if policy is None and (connector_id in self._encoded or connector_id in self._in_memory):
            policy = self._policy[connector_id] = self._policy_of(connector_id)
        return policy or self._policies.unknown

    def ready(self, connector_id: str) -> ReadyConnector:
        """The connector as it is known now: prepared once for each of its versions.

        Raises `Refused` when there is no such connector or its type or config does not let it run, and
        `SecretsUnreadable`.
        """
        ready = self._ready.get(connector_id)
        if ready is None:
            return self._prepare(connector_id)
        self._ready.move_to_end(connector_id)
        return ready

    def _prepare(self, connector_id: str) -> ReadyConnector:
        in_memory = self._in_memory.get(connector_id)
        ready = self._prepare_saved(connector_id) if in_memory is None else self._prepare_in_memory(in_memory)
        self._ready[connector_id] = ready
        if len(self._ready) > PREPARED_AT_MOST:
            self._ready.popitem(last=False)
        return ready

    def _prepare_in_memory(self, connector: InMemoryConnector) -> ReadyConnector:
        with redacting(connector.secrets) as redactor:
            prepared = self._registry.prepare_in_memory(
                connector.connector_type_id, connector.config, connector.secrets, is_system=connector.is_system
            )
        return ReadyConnector(
            space_id=None,
            enabled=True,
            label=in_memory_label(connector),
            prepared=prepared,
            redactor=redactor,
            is_missing_secrets=False,
        )

    def _prepare_saved(self, connector_id: str) -> ReadyConnector:
        active = self.find(connector_id)
        if active is None:
            raise Refused.not_found(connector_id)
        secrets = self._vault.open(connector_id, active.secrets)
        with redacting(secrets) as redactor:
            prepared = self._registry.prepare(active.connector_type_id, active.config, secrets)
        return ReadyConnector(
            space_id=active.space_id,
            enabled=active.enabled,
            label=label_of(active),
            prepared=prepared,
            redactor=redactor,
            is_missing_secrets=active.is_missing_secrets,
        )

    def _policy_of(self, connector_id: str) -> RunPolicy:
        in_memory = self._in_memory.get(connector_id)
        if in_memory is not None:
            return self._policies.of(in_memory)
        try:
            active = self.find(connector_id)
        except Undecodable:
            active = None
        return self._policies.unknown if active is None else self._policies.of(active)

    async def _end(self) -> int:
        while True:
            try:
                return await self._tail.high_watermark()
            except Unavailable as error:
                log.warning("requests wait for the broker: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _read_on(self, take: Callable[[str, bytes | None], None]) -> None:
        for record in await self._tail.fetch(FETCH_SECONDS):
            take((record.key or b"").decode("utf-8", "replace"), record.value)
        self._known_to = self._tail.position

    def _keep(self, connector_id: str, encoded: bytes | None) -> None:
        if encoded is None:
            self._encoded.pop(connector_id, None)
        else:
            self._encoded[connector_id] = encoded

    def _absorb(self, connector_id: str, encoded: bytes | None) -> None:
        before = self._encoded.get(connector_id)
        self._keep(connector_id, encoded)
        if not self._is_same(before, encoded):
            self._ready.pop(connector_id, None)
            self._policy.pop(connector_id, None)
            self.on_change(connector_id)

    def _is_same(self, before: bytes | None, after: bytes | None) -> bool:
        """Whether the connector is as it was, whatever commands with nothing to do it remembers since.

        Its version says less: one that was deleted and created anew counts from the beginning.
        """
        if before is None or after is None:
            return before is after
        try:
            then, now = (self._messages.decode(each, Active) for each in (before, after))
        except Undecodable:
            return False
        return replace(then, recent_commands=now.recent_commands) == now


def disabled(connector_id: str) -> Refused:
    return Refused("connector-disabled", f"the connector {connector_id} is disabled: enable it first")


def label_of(active: Active) -> ConnectorLabel:
    return ConnectorLabel(name=active.name, type_id=active.connector_type_id, version=active.version)


def in_memory_label(connector: InMemoryConnector) -> ConnectorLabel:
    return ConnectorLabel(name=connector.name, type_id=connector.connector_type_id, version=UNVERSIONED, in_memory=True)
