"""Changes of connectors. Independent of HTTP and of how the read model is kept.

A change is checked here by the whole set of rules, its secrets are sealed, and it is handed to the aggregate as a
command; what the aggregate answers is final. The answer is given when the read model shows the change, so that a
client reads its own writes on any gateway. It is taken from the reply: the read model may be further on by then.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

from connectory.connector_types.registry import TypeRegistry
from connectory.domain.commands import (
    ConnectorCommand,
    CreateConnector,
    DeleteConnector,
    DisableConnector,
    EnableConnector,
    SetDeliveryPolicy,
    UpdateConnector,
)
from connectory.domain.connector import Active
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.errors import Refused, Unavailable
from connectory.domain.json_types import JsonObject
from connectory.domain.replies import CommandAccepted, CommandRefused
from connectory.gateway.errors import OutcomeUnknown
from connectory.gateway.origin import NewId, Origin, derived_connector_id
from connectory.gateway.read_models import ConnectorViews
from connectory.gateway.replies import DECISIONS, ReplyInbox
from connectory.infra.clock import Clock
from connectory.infra.crypto import SecretsVault
from connectory.infra.headers import reply_to
from connectory.infra.log import Message, Writer
from connectory.infra.messages import Messages
from connectory.infra.progress import ProgressWatch
from connectory.infra.topics import CONNECTOR_COMMANDS
from connectory_projections.connectors_by_space import CONNECTORS_BY_SPACE

VIEWS = CONNECTORS_BY_SPACE.name

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Details:
    """What a client says about a connector; the secrets are in plain text and never shown."""

    name: str
    config: JsonObject
    secrets: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a change may wait: for the aggregate's answer, and then for the read model."""

    reply: timedelta
    projection: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorChanges:
    """The use cases. Each raises `Refused` when a rule is broken, `EncryptionKeyMissing`, and `Unavailable` when
    nobody could decide.

    With `OutcomeUnknown` the change may have taken place; the same call with the same command id tells.
    """

    types: TypeRegistry
    vault: SecretsVault
    views: ConnectorViews
    progress: ProgressWatch
    messages: Messages
    writer: Writer
    inbox: ReplyInbox
    clock: Clock
    new_id: NewId
    waits: Waits

    async def create(self, connector_id: str | None, type_id: str, details: Details, origin: Origin) -> Active:
        """Create a connector; without an id a random one is made, or that of the command which is repeated."""
        config = self.types.check(type_id, details.config, details.secrets)
        new_id = connector_id or self._connector_id(origin)
        command = CreateConnector(
            command_id=self._command_id(origin),
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

    async def delete(self, connector_id: str, origin: Origin) -> None:
        """Delete the connector. Without a key nothing is changed, deletion included: clients know it so."""
        self.vault.require_key()
        command = DeleteConnector(
            command_id=self._command_id(origin),
            connector_id=connector_id,
            space_id=origin.space_id,
            at=self.clock(),
            by=origin.by,
        )
        await self._carry_out(command, origin)

    async def switch(self, connector_id: str, origin: Origin, *, enabled: bool) -> Active:
        """Let requests through the connector run, or none any more; it may be so already.

        Needs no key: no secret is touched.
        """
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

    def _connector_id(self, origin: Origin) -> str:
        if origin.command_id is None:
            return self.new_id()
        return derived_connector_id(origin.space_id, origin.command_id)

    async def _carry_out(self, command: ConnectorCommand, origin: Origin) -> CommandAccepted:
        accepted = await self._decision(command, origin)
        await self._wait_for_views(accepted)
        return accepted

    async def _decision(self, command: ConnectorCommand, origin: Origin) -> CommandAccepted:
        message = self._message(command, origin)
        with self.inbox.awaiting(command.command_id, *DECISIONS) as reply:
            try:
                async with asyncio.timeout(self.waits.reply.total_seconds()):
                    await self.writer.write([message])
                    answer = await reply
            except (TimeoutError, Unavailable) as error:
                raise OutcomeUnknown.of_command(command.command_id) from error
        match answer:
            case CommandAccepted():
                return answer
            case CommandRefused():
                raise Refused(answer.code, answer.message)
            case _:
                assert_never(answer)

    def _message(self, command: ConnectorCommand, origin: Origin) -> Message:
        message = self.messages.message(
            CONNECTOR_COMMANDS, command.connector_id, command, at=command.at, traceparent=origin.traceparent
        )
        return message._replace(headers=(*message.headers, *reply_to(self.inbox.partition)))

    async def _wait_for_views(self, accepted: CommandAccepted) -> None:
        """The change is durable already: trouble with the read model delays its being seen, and is not an error."""
        seconds = self.waits.projection.total_seconds()
        try:
            seen = await self.progress.wait_for(VIEWS, accepted.partition, accepted.offset, seconds)
        except Unavailable as error:
            log.warning("a change of %s is answered before it can be read: %s", accepted.subject_id, error)
            return
        if not seen:
            log.warning("a change of %s is answered before it can be read: the projector lags", accepted.subject_id)

    def _state(self, command: ConnectorCommand, accepted: CommandAccepted) -> Active:
        if accepted.state is None:  # a repeated command, and the connector was deleted since
            raise Refused.not_found(command.connector_id)
        return self.messages.decode(accepted.state, Active)
