"""The connector decider: which commands are allowed, which events follow, and what a connector then is."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Protocol, TypeAlias, assert_never

from connectory.domain.commands import (
    ConnectorCommand,
    CreateConnector,
    DeleteConnector,
    DisableConnector,
    EnableConnector,
    ImportConnector,
    RestoreConnector,
    RewrapSecrets,
    SetDeliveryPolicy,
    UpdateConnector,
)
from connectory.domain.delivery import AS_SETTINGS_SAY, DeliveryPolicy
from connectory.domain.errors import Refused
from connectory.domain.events import (
    ConnectorCreated,
    ConnectorDeleted,
    ConnectorDisabled,
    ConnectorEnabled,
    ConnectorEvent,
    ConnectorImported,
    ConnectorRestored,
    ConnectorUpdated,
    DeliveryPolicySet,
    SecretsRewrapped,
)
from connectory.domain.json_types import JsonObject
from connectory.domain.secrets import NO_SECRETS, SealedSecrets

REMEMBERED_COMMANDS = 8
"""How many command ids a connector remembers. A gateway retries one command at a time, within seconds."""


class TypeRules(Protocol):
    """What the decider asks of the connector types."""

    def check_config(self, type_id: str, config: JsonObject) -> JsonObject:
        """Return the config as it is to be saved, defaults filled in.

        Raises `Refused` when the type is not registered, the config is invalid, or the type is disabled.
        """
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """All that a decision may depend on besides the command and the state."""

    rules: TypeRules


@dataclass(frozen=True, slots=True)
class Absent:
    """No connector. `recent_commands` is not empty while a deletion is still remembered."""

    recent_commands: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """`is_missing_secrets`: it was imported, and its type needs secrets that nobody has given yet.

    `origin_id` is the id that an imported connector had where it came from, when it could not keep it.
    """

    connector_id: str
    space_id: str
    name: str
    connector_type_id: str
    config: JsonObject
    secrets: SealedSecrets
    version: int
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    updated_by: str | None
    recent_commands: tuple[str, ...]
    enabled: bool = True
    delivery_policy: DeliveryPolicy = AS_SETTINGS_SAY
    is_missing_secrets: bool = False
    origin_id: str | None = None


Connector: TypeAlias = Absent | Active

Detailed: TypeAlias = ConnectorCreated | ConnectorUpdated | ConnectorImported | ConnectorRestored
"""Events that say all that a client says of a connector."""

ABSENT = Absent()


def decide(command: ConnectorCommand, state: Connector, context: Context) -> list[ConnectorEvent]:
    """Return the events that the command brings about; raise `Refused` when it breaks a rule."""
    match command:
        case CreateConnector():
            return _create(command, state, context)
        case UpdateConnector():
            return _update(command, state, context)
        case DeleteConnector():
            return _delete(command, state)
        case EnableConnector() | DisableConnector():
            return _switch(command, state)
        case SetDeliveryPolicy():
            return _set_policy(command, state)
        case ImportConnector():
            return _import(command, state)
        case RestoreConnector():
            return _restore(command, state, context)
        case RewrapSecrets():
            return _rewrap(command, state)
        case _:
            assert_never(command)


def evolve(state: Connector, event: ConnectorEvent) -> Connector:
    """Return the connector after the event. Total: any event applies to any state."""
    recent = _remember(state.recent_commands, event.command_id)
    match event:
        case ConnectorDeleted():
            return Absent(recent)
        case ConnectorCreated() | ConnectorUpdated() | ConnectorImported() | ConnectorRestored():
            return _detailed(state, event, recent)
        case ConnectorEnabled() | ConnectorDisabled() | DeliveryPolicySet() | SecretsRewrapped():
            return _adjusted(state, event, recent)
        case _:
            assert_never(event)


def fold(events: Iterable[ConnectorEvent], state: Connector = ABSENT) -> Connector:
    return reduce(evolve, events, state)


def remember(state: Connector, command_id: str) -> Connector:
    """Return the connector as it is, with the command known to it: one that brought about no event."""
    return replace(state, recent_commands=_remember(state.recent_commands, command_id))


def _detailed(state: Connector, event: Detailed, recent: tuple[str, ...]) -> Active:
    before = state if isinstance(state, Active) else None
    return Active(
        connector_id=event.connector_id,
        space_id=event.space_id,
        name=event.name,
        connector_type_id=event.connector_type_id,
        config=event.config,
        secrets=NO_SECRETS if isinstance(event, ConnectorImported) else event.secrets,
        version=event.version,
        created_at=before.created_at if before else event.at,
        created_by=before.created_by if before else event.by,
        updated_at=event.at,
        updated_by=event.by,
        recent_commands=recent,
        enabled=before.enabled if before else True,
        delivery_policy=before.delivery_policy if before else AS_SETTINGS_SAY,
        is_missing_secrets=_is_missing_secrets(event),
        origin_id=_origin_id(before, event),
    )


def _is_missing_secrets(event: Detailed) -> bool:
    """Who saves a connector gives its secrets along."""
    return event.is_missing_secrets if isinstance(event, ConnectorImported | ConnectorRestored) else False


def _origin_id(before: Active | None, event: Detailed) -> str | None:
    if isinstance(event, ConnectorImported):
        return event.origin_id
    return before.origin_id if before else None


def _adjusted(
    state: Connector,
    event: ConnectorEnabled | ConnectorDisabled | DeliveryPolicySet | SecretsRewrapped,
    recent: tuple[str, ...],
) -> Connector:
    if not isinstance(state, Active):
        return Absent(recent)
    changed = replace(state, version=event.version, updated_at=event.at, updated_by=event.by, recent_commands=recent)
    match event:
        case DeliveryPolicySet():
            return replace(changed, delivery_policy=event.policy)
        case SecretsRewrapped():
            return replace(changed, secrets=event.secrets)
        case ConnectorEnabled() | ConnectorDisabled():
            return replace(changed, enabled=isinstance(event, ConnectorEnabled))
        case _:
            assert_never(event)


def _create(command: CreateConnector, state: Connector, context: Context) -> list[ConnectorEvent]:
    config = context.rules.check_config(command.connector_type_id, command.config)
    if isinstance(state, Active):
        raise Refused.conflict(command.connector_id)
    return [
        ConnectorCreated(
            connector_id=command.connector_id,
            space_id=command.space_id,
            version=1,
            at=command.at,
            by=command.by,
            command_id=command.command_id,
            name=command.name,
            connector_type_id=command.connector_type_id,
            config=config,
            secrets=command.secrets,
        )
    ]


def _update(command: UpdateConnector, state: Connector, context: Context) -> list[ConnectorEvent]:
    current = _active_in_space(state, command.connector_id, command.space_id)
    config = context.rules.check_config(current.connector_type_id, command.config)
    if command.expected_version not in (None, current.version):
        raise Refused.conflict(command.connector_id)
    return [
        ConnectorUpdated(
            connector_id=current.connector_id,
            space_id=current.space_id,
            version=current.version + 1,
            at=command.at,
            by=command.by,
            command_id=command.command_id,
            name=command.name,
            connector_type_id=current.connector_type_id,
            config=config,
            secrets=command.secrets,
        )
    ]


def _delete(command: DeleteConnector, state: Connector) -> list[ConnectorEvent]:
    current = _active_in_space(state, command.connector_id, command.space_id)
    return [
        ConnectorDeleted(
            connector_id=current.connector_id,
            space_id=current.space_id,
            version=current.version + 1,
            at=command.at,
            by=command.by,
            command_id=command.command_id,
        )
    ]


def _switch(command: EnableConnector | DisableConnector, state: Connector) -> list[ConnectorEvent]:
    """What is so already stays as it is: no event, and a version that others have seen stays true."""
    current = _active_in_space(state, command.connector_id, command.space_id)
    wanted = isinstance(command, EnableConnector)
    if current.enabled == wanted:
        return []
    event = ConnectorEnabled if wanted else ConnectorDisabled
    return [
        event(
            connector_id=current.connector_id,
            space_id=current.space_id,
            version=current.version + 1,
            at=command.at,
            by=command.by,
            command_id=command.command_id,
        )
    ]


def _set_policy(command: SetDeliveryPolicy, state: Connector) -> list[ConnectorEvent]:
    current = _active_in_space(state, command.connector_id, command.space_id)
    return [
        DeliveryPolicySet(
            connector_id=current.connector_id,
            space_id=current.space_id,
            version=current.version + 1,
            at=command.at,
            by=command.by,
            command_id=command.command_id,
            policy=command.policy,
        )
    ]


def _import(command: ImportConnector, state: Connector) -> list[ConnectorEvent]:
    if isinstance(state, Active) and (state.space_id != command.space_id or not command.overwrite):
        raise Refused.conflict(command.connector_id)
    return [
        ConnectorImported(
            connector_id=command.connector_id,
            space_id=command.space_id,
            version=state.version + 1,
            at=command.at,
            by=command.by,
            command_id=command.command_id,
            name=command.name,
            connector_type_id=command.connector_type_id,
            config=command.config,
            is_missing_secrets=command.is_missing_secrets,
            origin_id=command.origin_id,
        )
    ]


def _restore(command: RestoreConnector, state: Connector, context: Context) -> list[ConnectorEvent]:
    current = state if isinstance(state, Active) else None
    config = context.rules.check_config(command.connector_type_id, command.config)
    if command.expected_version != state.version or (current and current.space_id != command.space_id):
        raise Refused.conflict(command.connector_id)
    if current and current.connector_type_id != command.connector_type_id:
        raise Refused.other_type(command.restored_version, command.connector_type_id, current.connector_type_id)
    return [
        ConnectorRestored(
            connector_id=command.connector_id,
            space_id=command.space_id,
            version=state.version + 1,
            at=command.at,
            by=command.by,
            command_id=command.command_id,
            restored_version=command.restored_version,
            name=command.name,
            connector_type_id=command.connector_type_id,
            config=config,
            is_missing_secrets=current.is_missing_secrets if current else command.needs_secrets,
            secrets=current.secrets if current else NO_SECRETS,
        )
    ]


def _rewrap(command: RewrapSecrets, state: Connector) -> list[ConnectorEvent]:
    """A connector that was saved again meanwhile has a new data key: there is nothing left to do."""
    current = _active_in_space(state, command.connector_id, command.space_id)
    if current.secrets.wrapped_key != command.replaces:
        return []
    return [
        SecretsRewrapped(
            connector_id=current.connector_id,
            space_id=current.space_id,
            version=current.version + 1,
            at=command.at,
            by=command.by,
            command_id=command.command_id,
            key_id=command.wrapped_key.key_id,
            secrets=replace(current.secrets, wrapped_key=command.wrapped_key),
        )
    ]


def _active_in_space(state: Connector, connector_id: str, space_id: str) -> Active:
    """A connector of another space does not exist for the caller."""
    if not isinstance(state, Active) or state.space_id != space_id:
        raise Refused.not_found(connector_id)
    return state


def _remember(recent: tuple[str, ...], command_id: str) -> tuple[str, ...]:
    return (*recent, command_id)[-REMEMBERED_COMMANDS:]
