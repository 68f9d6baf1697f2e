"""Contracts of the routes for the history of connectors, and for dry runs."""

from typing import Any, Final, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from connectory.gateway import authorization
from connectory.gateway.contract import Answer, Contract, Refusal
from connectory.gateway.contracts.action_requests import BAD_CURSOR
from connectory.gateway.contracts.connector_answers import ChangedConnector, JsonRecord
from connectory.gateway.contracts.connector_delivery import ShownPolicy
from connectory.gateway.contracts.connectors import CONFLICT, INVALID, NOT_FOUND, NOT_REGISTERED, TYPE_DISABLED
from connectory.gateway.history_schemas import DryRunBody, HistoryQuery, RestoreBody


@with_config(extra="forbid")
class Difference(TypedDict):
    """A place in the connector, and its value before and after; without one of both where it was or is not there."""

    path: list[str]
    before: NotRequired[Any]
    after: NotRequired[Any]


ShownChange = TypedDict(
    "ShownChange",
    {
        "version": int,
        "@timestamp": str,
        "change": Literal[
            "created",
            "updated",
            "deleted",
            "enabled",
            "disabled",
            "delivery_policy_set",
            "imported",
            "restored",
            "key_rotated",
        ],
        "by": str | None,
        "command_id": str,
        "restored_version": NotRequired[int],
        "name": NotRequired[str],
        "connector_type_id": NotRequired[str],
        "config": NotRequired[JsonRecord],
        "is_missing_secrets": NotRequired[bool],
        "delivery_policy": NotRequired[ShownPolicy],
        "enabled": NotRequired[bool],
        "diff": list[Difference],
    },
)
"""A change of a connector: what it set, and what is different since."""


@with_config(extra="forbid")
class ShownHistory(TypedDict):
    """A page of changes, newest first."""

    items: list[ShownChange]
    next_cursor: str | None


@with_config(extra="forbid")
class RestoredConnector(TypedDict):
    """The connector as it is now. `secrets`: those of before are kept, are missing, or it needs none."""

    id: str
    version: int
    restored_version: int
    secrets: Literal["kept", "missing", "not_needed"]
    connector: ChangedConnector


@with_config(extra="forbid")
class ShownCall(TypedDict):
    """An HTTP call that would be made, secrets redacted."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None


@with_config(extra="forbid")
class DryRunResult(TypedDict):
    """What would be sent, and written to the server's log; `message` says why nothing would."""

    connector_id: str
    status: Literal["ok", "error"]
    connector_version: int | None
    calls: list[ShownCall]
    log: list[str]
    message: NotRequired[str]


HISTORY: Final = Contract(
    summary="List the changes of a connector, newest first, also of a deleted one",
    query=HistoryQuery,
    answers=(Answer(200, "A page of changes", ShownHistory),),
    refusals=(Refusal.denied(authorization.GET_ACTIONS), NOT_FOUND, BAD_CURSOR),
)
RESTORE: Final = Contract(
    summary="Have name and config as they were in an earlier version; secrets stay as they are, and do not come back",
    body=RestoreBody,
    answers=(Answer(200, "The connector is restored", RestoredConnector),),
    refusals=(
        Refusal.denied(authorization.UPDATE_ACTIONS),
        Refusal(400, "Preconfigured action <id> can not be updated."),
        Refusal(404, "Saved object [action/<id>] has no version <version>"),
        Refusal(
            400,
            'version <version> is of the type "<type then>" and the connector is of the type "<type now>" now: '
            "create one anew instead",
        ),
        NOT_REGISTERED,
        *INVALID,
        *TYPE_DISABLED,
        CONFLICT,
    ),
    repeatable=True,
)
DRY_RUN: Final = Contract(
    summary="Show what an action would send through a connector, secrets redacted, and send nothing",
    body=DryRunBody,
    answers=(Answer(200, "What would be sent, or why nothing would", DryRunResult),),
    refusals=(
        Refusal.denied(authorization.execute_action("<type>")),
        Refusal.denied(authorization.EXECUTE_ACTIONS),
        Refusal(400, "Execution of system action is not allowed"),
        NOT_REGISTERED,
        NOT_FOUND,
    ),
)
