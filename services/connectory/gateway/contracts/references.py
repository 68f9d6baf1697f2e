"""Contracts of the routes for references to connectors."""

from typing import Final

from pydantic import with_config
from typing_extensions import TypedDict

from connectory.gateway import authorization
from connectory.gateway.contract import Answer, Contract, Refusal
from connectory.gateway.contracts.action_requests import BAD_CURSOR
from connectory.gateway.contracts.connectors import NOT_FOUND
from connectory.gateway.reference_schemas import ReferenceParams, ReferencesQuery


@with_config(extra="forbid")
class ShownReference(TypedDict):
    """Something that uses a connector."""

    connector_id: str
    type: str
    id: str
    declared_at: str
    declared_by: str | None


@with_config(extra="forbid")
class ShownReferences(TypedDict):
    """A page of references, newest first."""

    items: list[ShownReference]
    next_cursor: str | None


_REFUSALS: Final = (
    Refusal.denied(authorization.execute_action("<type>")),
    Refusal.denied(authorization.EXECUTE_ACTIONS),
    Refusal(404, "Saved object [action/<connector id>] not found"),
)

DECLARE: Final = Contract(
    summary="Declare that something uses a connector; again is harmless",
    params=ReferenceParams,
    answers=(Answer(200, "It is declared", ShownReference),),
    refusals=_REFUSALS,
)
WITHDRAW: Final = Contract(
    summary="Withdraw a reference, declared or not",
    params=ReferenceParams,
    answers=(Answer(204, "It is not declared any more"),),
    refusals=_REFUSALS,
)
LIST: Final = Contract(
    summary="List what uses a connector, newest first",
    query=ReferencesQuery,
    answers=(Answer(200, "A page of references", ShownReferences),),
    refusals=(Refusal.denied(authorization.GET_ACTIONS), NOT_FOUND, BAD_CURSOR),
)
