"""Changes of connectors. Independent of HTTP and of how the read model is kept.

A change is checked here by the whole set of rules, its secrets are sealed, and it is handed to the aggregate as a
command. The answer is taken from the reply: the read model may be further on by then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from connectory.connector_types.registry import TypeRegistry
from connectory.domain.commands import (
    ConnectorCommand,
    CreateConnector,
    DeleteConnector,
    DisableConnector,
    EnableConnector,
    ImportConnector,
    SetDeliveryPolicy,
    UpdateConnector,
)
from connectory.domain.connector import Active
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.errors import Refused
from connectory.domain.in_memory_connectors import NO_IN_MEMORY_CONNECTORS, InMemoryConnectors
from connectory.domain.json_types import JsonObject
from connectory.domain.replies import CommandAccepted
from connectory.gateway.commanding import CommandDesk, Decided
from connectory.gateway.errors import OutcomeUnknown
from connectory.gateway.origin import NewId, Origin, derived_connector_id
from connectory.gateway.read_models import ConnectorViews
from connectory.infra.clock import Clock
from connectory.infra.crypto import SecretsVault
from connectory.infra.messages import Messages


@dataclass(frozen=True, slots=True)
class Details:
    """What a client says about a connector; the secrets are in plain text and never shown."""

    name: str
    config: JsonObject
    secrets: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A connector as it is where it is imported from, and the id that it had there if it cannot keep it."""

    name: str
    connector_type_id: str
    config: JsonObject
    is_missing_secrets: bool
    origin_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """With `overwrite` a connector of the same space that has the id is replaced."""

    connector_id: str
    original: Original
    overwrite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorChanges:
    """The use cases. Each raises `Refused` when a rule is broken, `EncryptionKeyMissing`, and `Unavailable` when
    nobody could decide.

    With `OutcomeUnknown` the change may have taken place; the same call with the same command id tells.
    """

    types: TypeRegistry
    vault: SecretsVault
    views: ConnectorViews
    messages: Messages
    desk: CommandDesk
    clock: Clock
    new_id: NewId
    in_memory: InMemoryConnectors = NO_IN_MEMORY_CONNECTORS

    async def create(self, connector_id: str | None, type_id: str, details: Details, origin: Origin) -> Active:
        """Create a connector; without an id it gets one that follows from the command's, so that a repetition makes no
        second connector.
        """
        self.in_memory.require_creatable(connector_id, type_id, is_system_type=self.types.is_system(type_id))
        config = self.types.check(type_id, details.config, details.secrets)
        command_id = self._command_id(origin)
        new_id = connector_id or derived_connector_id(origin.space_id, command_id)
        command = CreateConnector(
            command_id=command_id,
            connector_id=new_id,
            space_id=origin.space_id,
            at=self.clock(),
            by=origin.by,
            name=details.name,
            connector_type_id=type_id,
            config=config,
            secrets=self.vault.seal(new_id, details.secrets),
        )
        return self._state(command, await self._carry_out(command, origin))

    async def update(self, connector_id: str, details: Details, origin: Origin) -> Active:
        """Replace name, config and secrets of the connector as it is now; refused if it changes meanwhile."""
        self.in_memory.require_changeable(connector_id)
        current = await self.views.get(origin.space_id, connector_id)
        if current is None:
            raise Refused.not_found(connector_id)
        command = UpdateConnector(
            command_id=self._command_id(origin),
            connector_id=connector_id,
            space_id=origin.space_id,
            at=self.clock(),
            by=origin.by,
            expected_version=current.version,
            name=details.name,
            config=self.types.check(current.connector_type_id, details.config, details.secrets),
            secrets=self.vault.seal(connector_id, details.secrets),
        )
        return self._state(command, await self._carry_out(command, origin))

    async def import_all(self, imports: Sequence[Import], origin: Origin) -> list[Decided]:
        """Take over connectors as they are; what became of each, in their order, refusals included.

        Their types need not be registered, and their configs not be valid. Each gets a command id of its own, the same
        again when the call is repeated: with `OutcomeUnknown` some of them may have been taken over.
        """
        origin = replace(origin, command_id=self._command_id(origin))
        commands = [(each.connector_id, self._import(each, origin)) for each in imports]
        try:
            return await self.desk.carry_out_all(commands, origin.traceparent)
        except OutcomeUnknown as error:
            raise OutcomeUnknown.of_command(self._command_id(origin)) from error

    def _import(self, wanted: Import, origin: Origin) -> ImportConnector:
        return ImportConnector(
            command_id=f"{self._command_id(origin)}/{wanted.connector_id}",
            connector_id=wanted.connector_id,
            space_id=origin.space_id,
            at=self.clock(),
            by=origin.by,
            name=wanted.original.name,
            connector_type_id=wanted.original.connector_type_id,
            config=wanted.original.config,
            is_missing_secrets=wanted.original.is_missing_secrets,
            origin_id=wanted.original.origin_id,
            overwrite=wanted.overwrite,
        )

    async def delete(self, connector_id: str, origin: Origin) -> None:
        """Delete the saved connector, also one that is shadowed by a connector in memory.

        Without a key nothing is changed, deletion included: clients know it so.
        """
        self.in_memory.require_no_system(connector_id)
        self.vault.require_key()
        command = DeleteConnector(
            command_id=self._command_id(origin),
            connector_id=connector_id,
            space_id=origin.space_id,
            at=self.clock(),
            by=origin.by,
        )
        in_memory = self.in_memory.get(connector_id)
        try:
            await self._carry_out(command, origin)
        except Refused as refusal:
            if in_memory is None or refusal.code != "connector-not-found":
                raise
            raise self.in_memory.undeletable(in_memory) from None

    async def switch(self, connector_id: str, origin: Origin, *, enabled: bool) -> Active:
        """Let requests through the connector run, or none any more; it may be so already.

        Needs no key: no secret is touched.
        """
        self.in_memory.require_changeable(connector_id)
        wish = EnableConnector if enabled else DisableConnector
        command = wish(
            command_id=self._command_id(origin),
            connector_id=connector_id,
            space_id=origin.space_id,
            at=self.clock(),
            by=origin.by,
        )
        return self._state(command, await self._carry_out(command, origin))

    async def set_delivery_policy(self, connector_id: str, policy: DeliveryPolicy, origin: Origin) -> Active:
        """Replace all of the policy."""
        self.in_memory.require_changeable(connector_id)
        command = SetDeliveryPolicy(
            command_id=self._command_id(origin),
            connector_id=connector_id,
            space_id=origin.space_id,
            at=self.clock(),
            by=origin.by,
            policy=policy,
        )
        return self._state(command, await self._carry_out(command, origin))

    def _command_id(self, origin: Origin) -> str:
        return origin.command_id or self.new_id()

    async def _carry_out(self, command: ConnectorCommand, origin: Origin) -> CommandAccepted:
        return await self.desk.carry_out(command.connector_id, command, origin.traceparent)

    def _state(self, command: ConnectorCommand, accepted: CommandAccepted) -> Active:
        if accepted.state is None:  # a repeated command, and the connector was deleted since
            raise Refused.not_found(command.connector_id)
        return self.messages.decode(accepted.state, Active)
