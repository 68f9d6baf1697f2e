"""Contracts of the routes for connectors: create, get, list, update, delete, run, and their types."""

from dataclasses import replace
from typing import Final

from connectory.domain.errors import EncryptionKeyMissing, Refused
from connectory.gateway import authorization
from connectory.gateway.contract import Answer, Contract, Refusal
from connectory.gateway.contracts.connector_answers import (
    ChangedConnector,
    ListedConnector,
    RunResult,
    ShownConnector,
    ShownConnectorType,
)
from connectory.gateway.errors import OutcomeUnknown, Rejected
from connectory.gateway.history_schemas import AsOfQuery
from connectory.gateway.schemas import ConnectorDetails, Execution, NewConnector, TypesQuery, UpdateParams

NOT_FOUND: Final = Refusal.of(Refused.not_found("<id>"))
SYSTEM_CREATE: Final = Refusal(400, "System action creation is forbidden. Action type: <type>.")
TAKEN: Final = Refusal(400, "This <id> already exists in a preconfigured action.")
UNCHANGEABLE: Final = (
    Refusal(400, "System action <id> can not be updated."),
    Refusal(400, "Preconfigured action <id> can not be updated."),
)
UNDELETABLE: Final = (
    Refusal(400, "System action <id> is not allowed to delete."),
    Refusal(400, "Preconfigured action <id> is not allowed to delete."),
)
HIDDEN: Final = Refusal(404, "Connector <id> not found")
CONFLICT: Final = Refusal.of(Refused.conflict("<id>"))
NOT_REGISTERED: Final = Refusal.of(Refused.type_not_registered("<type>"))
NO_KEY: Final = Refusal.of(EncryptionKeyMissing("create actions client"))

TYPE_DISABLED: Final = (
    Refusal(403, 'action type "<type>" is not enabled in the Kibana config xpack.actions.enabledActionTypes'),
    Refusal(
        403,
        "Action type <type> is disabled because your <license> license does not support it. "
        "Please upgrade your license.",
    ),
)
INVALID: Final = (
    Refusal.of(Refused.config_invalid("<detail>")),
    Refusal.of(Refused.secrets_invalid("<detail>")),
    Refusal.of(Refused.connector_invalid("<detail>")),
)
BAD_IDS: Final = (
    Refusal(400, "[request params.id]: Connector ID must be 36 characters or less."),
    Refusal(400, "[request params.id]: Connector ID must contain only lowercase letters, numbers, and hyphens."),
)

_CREATE_REFUSALS: Final = (
    Refusal.denied(authorization.create_action("<type>")),
    SYSTEM_CREATE,
    NOT_REGISTERED,
    *INVALID,
    *TYPE_DISABLED,
    CONFLICT,
    NO_KEY,
)

CREATE: Final = Contract(
    summary="Create a connector under an id that the server makes",
    body=NewConnector,
    answers=(Answer(200, "The new connector", ChangedConnector),),
    refusals=_CREATE_REFUSALS,
    repeatable=True,
)
CREATE_WITH_ID: Final = Contract(
    summary="Create a connector under an id of one's own",
    body=NewConnector,
    answers=(Answer(200, "The new connector", ChangedConnector),),
    refusals=(*BAD_IDS, *_CREATE_REFUSALS, TAKEN),
    repeatable=True,
)
GET: Final = Contract(
    summary="Get a connector, as it is now or was at a moment",
    query=AsOfQuery,
    answers=(Answer(200, "The connector", ShownConnector),),
    refusals=(Refusal.denied(authorization.GET_ACTIONS), HIDDEN, NOT_FOUND),
)
GET_ALL: Final = Contract(
    summary="List the connectors of the space, sorted by name, as they are now or were at a moment",
    query=AsOfQuery,
    answers=(Answer(200, "The connectors", list[ListedConnector]),),
    refusals=(Refusal.denied(authorization.GET_ACTIONS),),
)
GET_ALL_AND_SYSTEM: Final = replace(
    GET_ALL, summary="List the connectors of the space and the system connectors, by name"
)
UPDATE: Final = Contract(
    summary="Replace name, config and secrets of a connector",
    params=UpdateParams,
    body=ConnectorDetails,
    answers=(Answer(200, "The connector as it is now", ChangedConnector),),
    refusals=(
        Refusal.denied(authorization.UPDATE_ACTIONS),
        *UNCHANGEABLE,
        NOT_FOUND,
        NOT_REGISTERED,
        *INVALID,
        *TYPE_DISABLED,
        CONFLICT,
        NO_KEY,
    ),
    repeatable=True,
)
DELETE: Final = Contract(
    summary="Delete a connector",
    answers=(Answer(204, "It is deleted"),),
    refusals=(Refusal.denied(authorization.DELETE_ACTIONS), *UNDELETABLE, NOT_FOUND, NO_KEY),
    repeatable=True,
)
EXECUTE: Final = Contract(
    summary="Run an action through a connector once and wait for its result; a run that fails is a result too",
    body=Execution,
    answers=(Answer(200, "The result of the run", RunResult),),
    refusals=(
        Refusal(400, "Execution of system action is not allowed"),
        Refusal.denied(authorization.execute_action("<type>")),
        Refusal.denied(authorization.EXECUTE_ACTIONS),
        NOT_FOUND,
        NOT_REGISTERED,
        *TYPE_DISABLED,
        Refusal.of(EncryptionKeyMissing("execute action")),
        Refusal(503, OutcomeUnknown.of_run("<request id>").message),
    ),
)
TYPES: Final = Contract(
    summary="List the connector types",
    query=TypesQuery,
    answers=(Answer(200, "The types, in the order in which they are registered", list[ShownConnectorType]),),
)
TYPES_AND_SYSTEM: Final = replace(TYPES, summary="List the connector types and the system types")
TYPE_SPEC: Final = Contract(
    summary="Get the JSON Schema of config and secrets of a type that is made from a specification",
    answers=(Answer(200, "The schema", {"type": "object"}),),
    refusals=(Refusal.of(Rejected.not_found()),),
)
