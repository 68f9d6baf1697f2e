"""Restoring: name and config of an earlier version become those of now, by a change like any other.

Secrets cannot come back: a connector that is there keeps those of now, and one that was deleted has none.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from connectory.connector_types.registry import TypeRegistry
from connectory.domain.commands import RestoreConnector
from connectory.domain.connector import Active
from connectory.domain.errors import Refused, SecretsUnreadable
from connectory.domain.in_memory_connectors import InMemoryConnectors
from connectory.domain.json_types import JsonObject
from connectory.gateway.commanding import CommandDesk
from connectory.gateway.history import ConnectorHistory
from connectory.gateway.origin import NewId, Origin
from connectory.gateway.saved_objects.export_lines import will_miss_secrets
from connectory.gateway.sealed_connectors import SealedConnectors
from connectory.infra.clock import Clock
from connectory.infra.messages import Messages
from connectory_projections.connector_history import EarlierDetails

SecretsAfter: TypeAlias = Literal["kept", "missing", "not_needed"]


@dataclass(frozen=True, slots=True)
class Restored:
    """The connector as it is now, and what there is of its secrets."""

    state: Active
    secrets: SecretsAfter


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    types: TypeRegistry
    history: ConnectorHistory
    connectors: SealedConnectors
    in_memory: InMemoryConnectors
    messages: Messages
    desk: CommandDesk
    clock: Clock
    new_id: NewId

    async def restore(self, connector_id: str, version: int, origin: Origin) -> Restored:
        """Raises `Refused`: there is no such version, what it says is not valid any more or for the secrets of now,
        or the connector changes meanwhile.
        """
        self.in_memory.require_changeable(connector_id)
        earlier = await self.history.at_version(origin.space_id, connector_id, version)
        if earlier is None:
            raise Refused("version-not-found", f"Saved object [action/{connector_id}] has no version {version}")
        current = await self.connectors.find(connector_id)
        command = RestoreConnector(
            command_id=origin.command_id or self.new_id(),
            connector_id=connector_id,
            space_id=origin.space_id,
            at=self.clock(),
            by=origin.by,
            expected_version=current.version if current else 0,
            restored_version=version,
            name=earlier.name,
            connector_type_id=earlier.connector_type_id,
            config=self._checked(earlier, current, origin.space_id),
            needs_secrets=will_miss_secrets(earlier, self.types),
        )
        accepted = await self.desk.carry_out(connector_id, command, origin.traceparent)
        if accepted.state is None:  # a repeated command, and the connector was deleted since
            raise Refused.not_found(connector_id)
        state = self.messages.decode(accepted.state, Active)
        return Restored(state, _secrets_after(state, current))

    def _checked(self, earlier: EarlierDetails, current: Active | None, space_id: str) -> JsonObject:
        """The config, checked with the secrets of now where there are any that can be opened."""
        type_id, config = earlier.connector_type_id, earlier.config
        if current is None or current.space_id != space_id or current.is_missing_secrets:
            return self.types.check_config(type_id, config)
        if current.connector_type_id != type_id:
            return config  # the aggregate says what is wrong with that
        try:
            secrets = self.connectors.vault.open(current.connector_id, current.secrets)
        except SecretsUnreadable:
            return self.types.check_config(type_id, config)
        return self.types.check(type_id, config, secrets)


def _secrets_after(state: Active, before: Active | None) -> SecretsAfter:
    if state.is_missing_secrets:
        return "missing"
    return "kept" if before is not None and before.secrets.ciphertexts else "not_needed"
