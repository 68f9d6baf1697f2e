"""Every record on the log: its dataclass, its Avro name, how its fields are carried, and what identifies it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar, get_args

from connectory.domain.api_keys import ApiKey
from connectory.domain.cancellation import CancelRequest, RequestCancelled
from connectory.domain.commands import (
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
from connectory.domain.connector import Active
from connectory.domain.dead_letters import DeadLetter, DeadLetterSettled
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.documents import DocumentIndexed
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
from connectory.domain.execution import (
    Action,
    ActionRequest,
    Delivery,
    ErrorSource,
    Failed,
    Outcome,
    OutcomeStatus,
    RequestPosition,
    Result,
    RunContext,
    Succeeded,
    TokenUsage,
    WaitingRequest,
)
from connectory.domain.principal import Owner, Realm
from connectory.domain.privileges import Privileges, Right
from connectory.domain.references import ConnectorReference
from connectory.domain.replies import CommandAccepted, CommandRefused, RequestCompleted
from connectory.domain.secrets import SealedSecrets, WrappedKey
from connectory.domain.spaces import (
    ActiveSpace,
    CompleteSpaceDeletion,
    CreateSpace,
    DeleteSpace,
    SpaceCreated,
    SpaceDeleted,
    SpaceDeletionBegun,
    SpaceDetails,
    SpaceEvent,
    SpaceUpdated,
    UpdateSpace,
)
from connectory.domain.statistics import ExecutorReport
from connectory.infra.messages.json_text import read_json, read_json_object, write_json
from connectory.infra.messages.shapes import Conversion, Shape, one_of, optional

NAMESPACE = "connectory"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RecordType(Generic[T]):
    """`subject` is the full Avro name.

    `identity` is what stays the same when the record is written again: the id of its CloudEvent.
    """

    type: type[T]
    name: str
    subject: str
    shape: Shape[T]
    identity: Callable[[T], str]


JSON_OBJECT = Conversion(write_json, read_json_object)
STRINGS = Conversion(list, tuple)
WRAPPED_KEY = Shape(WrappedKey)
_RIGHTS = frozenset(Right)


def _read_rights(names: Iterable[str]) -> frozenset[Right]:
    """One that a later version has written is left out: it is denied here anyway."""
    return frozenset(Right(name) for name in names if name in _RIGHTS)


RIGHTS = Conversion(sorted, _read_rights)
RIGHTS_BY_SPACE = Conversion(
    lambda held: {space_id: sorted(rights) for space_id, rights in held.items()},
    lambda datum: {space_id: _read_rights(names) for space_id, names in datum.items()},
)
SEALED_SECRETS = Shape(
    SealedSecrets,
    ciphertexts=Conversion(dict, None),
    wrapped_key=optional(WRAPPED_KEY),
)
CIPHERTEXTS = Conversion(lambda secrets: dict(secrets.ciphertexts), SealedSecrets)
"""Secrets in events: without the key to them."""

DELIVERY_POLICY = Shape(DeliveryPolicy)
POSITION = Shape(RequestPosition)
CONTEXT = optional(Shape(RunContext))
ACTION_REQUEST = Shape(ActionRequest, params=JSON_OBJECT, delivery=one_of(Delivery), context=CONTEXT)

PRIVILEGES = Shape(Privileges, everywhere=RIGHTS, in_space=RIGHTS_BY_SPACE)
SPACE_DETAILS = Shape(SpaceDetails, disabled_features=STRINGS)
RECORD_HEADERS = Conversion(
    lambda headers: [{"name": name, "value": value} for name, value in headers],
    lambda headers: tuple((header["name"], header["value"]) for header in headers),
)

_TOKEN_USAGE = optional(Shape(TokenUsage))
_SUCCEEDED = Shape(Succeeded, data=Conversion(write_json, read_json), token_usage=_TOKEN_USAGE)
_FAILED = Shape(Failed, error_source=one_of(ErrorSource))


def _write_result(result: Result) -> tuple[str, dict[str, Any]]:
    """A union of records wants the name with the record."""
    if isinstance(result, Succeeded):
        return f"{NAMESPACE}.Succeeded", _SUCCEEDED.write(result)
    return f"{NAMESPACE}.Failed", _FAILED.write(result)


def _read_result(datum: dict[str, Any]) -> Result:
    return _SUCCEEDED.read(datum) if "data" in datum else _FAILED.read(datum)


def _record(
    type_: type[T], identity: Callable[[T], str], *, name: str | None = None, **conversions: Conversion | Shape[Any]
) -> RecordType[T]:
    name = name or type_.__name__
    return RecordType(type_, name, f"{NAMESPACE}.{name}", Shape(type_, **conversions), identity)


_command_id: Callable[[Any], str] = attrgetter("command_id")


def _event_id(event: ConnectorEvent | SpaceEvent) -> str:
    """Versions start anew when a connector is created again under its id, so the version alone would not do."""
    return f"{event.command_id}/{event.version}"


def _state_id(state: Active | ActiveSpace) -> str:
    return f"{state.recent_commands[-1] if state.recent_commands else ''}/{state.version}"


RECORDS: tuple[RecordType[Any], ...] = (
    _record(CreateConnector, _command_id, config=JSON_OBJECT, secrets=SEALED_SECRETS),
    _record(UpdateConnector, _command_id, config=JSON_OBJECT, secrets=SEALED_SECRETS),
    _record(DeleteConnector, _command_id),
    _record(EnableConnector, _command_id),
    _record(DisableConnector, _command_id),
    _record(SetDeliveryPolicy, _command_id, policy=DELIVERY_POLICY),
    _record(ImportConnector, _command_id, config=JSON_OBJECT),
    _record(RestoreConnector, _command_id, config=JSON_OBJECT),
    _record(RewrapSecrets, _command_id, replaces=WRAPPED_KEY, wrapped_key=WRAPPED_KEY),
    _record(ConnectorCreated, _event_id, config=JSON_OBJECT, secrets=CIPHERTEXTS),
    _record(ConnectorUpdated, _event_id, config=JSON_OBJECT, secrets=CIPHERTEXTS),
    _record(ConnectorDeleted, _event_id),
    _record(ConnectorEnabled, _event_id),
    _record(ConnectorDisabled, _event_id),
    _record(DeliveryPolicySet, _event_id, policy=DELIVERY_POLICY),
    _record(ConnectorImported, _event_id, config=JSON_OBJECT),
    _record(ConnectorRestored, _event_id, config=JSON_OBJECT, secrets=CIPHERTEXTS),
    _record(SecretsRewrapped, _event_id, secrets=CIPHERTEXTS),
    _record(
        Active,
        _state_id,
        name="ConnectorState",
        config=JSON_OBJECT,
        secrets=SEALED_SECRETS,
        recent_commands=STRINGS,
        delivery_policy=DELIVERY_POLICY,
    ),
    _record(CommandAccepted, _command_id),
    _record(CommandRefused, _command_id),
    _record(RequestCompleted, lambda reply: reply.execution_id, result=Conversion(_write_result, _read_result)),
    _record(RequestCancelled, lambda reply: reply.request_id),
    _record(
        ActionRequest,
        lambda request: request.request_id,
        params=JSON_OBJECT,
        delivery=one_of(Delivery),
        context=CONTEXT,
    ),
    _record(
        WaitingRequest,
        lambda waiting: f"{waiting.request.request_id}/{waiting.step}",
        request=ACTION_REQUEST,
        position=POSITION,
    ),
    _record(CancelRequest, lambda wish: wish.request_id),
    _record(
        Outcome,
        lambda outcome: f"{outcome.execution_id}/{outcome.action}",
        name="ActionOutcome",
        action=one_of(Action),
        outcome=optional(one_of(get_args(OutcomeStatus))),
        position=POSITION,
        context=CONTEXT,
        token_usage=_TOKEN_USAGE,
    ),
    _record(DeadLetter, lambda letter: f"{letter.topic}/{letter.partition}/{letter.offset}", headers=RECORD_HEADERS),
    _record(DeadLetterSettled, lambda settled: f"{settled.topic}/{settled.partition}/{settled.offset}/settled"),
    _record(DocumentIndexed, lambda document: document.document_id, document=JSON_OBJECT),
    _record(ConnectorReference, lambda reference: f"{reference.key}/{reference.at.isoformat()}"),
    _record(CreateSpace, _command_id, details=SPACE_DETAILS),
    _record(UpdateSpace, _command_id, details=SPACE_DETAILS),
    _record(DeleteSpace, _command_id),
    _record(CompleteSpaceDeletion, _command_id),
    _record(SpaceCreated, _event_id, details=SPACE_DETAILS),
    _record(SpaceUpdated, _event_id, details=SPACE_DETAILS),
    _record(SpaceDeletionBegun, _event_id),
    _record(SpaceDeleted, _event_id),
    _record(ActiveSpace, _state_id, name="SpaceState", details=SPACE_DETAILS, recent_commands=STRINGS),
    _record(ExecutorReport, lambda report: f"{report.executor_id}/{report.at.isoformat()}", figures=JSON_OBJECT),
    _record(
        ApiKey,
        lambda key: f"{key.key_id}/revoked" if key.is_revoked else key.key_id,
        owner=Shape(Owner, realm=one_of(get_args(Realm))),
        owner_roles=STRINGS,
        privileges=PRIVILEGES,
        roles=optional(STRINGS),
    ),
)
