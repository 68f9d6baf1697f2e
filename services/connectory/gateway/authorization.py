"""Who may do what: the operations with the words of their denial, and the one rule there is so far: superusers may all.

Routes ask `Call.require`, which knows the caller and the space.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connectory.gateway.errors import Rejected
from connectory.infra.security import Principal


class Right(StrEnum):
    """What is asked of a caller in the space of the URL."""

    GET = "get"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    EXECUTE = "execute"


@dataclass(frozen=True, slots=True)
class Operation:
    """`words` follow on `Unauthorized to` in a denial."""

    right: Right
    words: str


GET_ACTIONS: Final = Operation(Right.GET, "get actions")
UPDATE_ACTIONS: Final = Operation(Right.UPDATE, "update actions")
DELETE_ACTIONS: Final = Operation(Right.DELETE, "delete actions")
EXECUTE_ACTIONS: Final = Operation(Right.EXECUTE, "execute actions")


def create_action(type_id: str) -> Operation:
    return Operation(Right.CREATE, f'create a "{type_id}" action')


def execute_action(type_id: str) -> Operation:
    return Operation(Right.EXECUTE, f'execute a "{type_id}" action')


def may_do_everything(principal: Principal) -> bool:
    return principal.is_superuser


def require(principal: Principal, operation: Operation, _space_id: str) -> None:
    """Raise `Rejected` (403) unless the caller may do it in that space."""
    if not may_do_everything(principal):
        raise Rejected.forbidden(f"Unauthorized to {operation.words}")
