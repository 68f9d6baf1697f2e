"""Who may do what: the denial texts, and the one rule there is so far: superusers may do everything."""

from typing import Final

from connectory.gateway.errors import Rejected
from connectory.infra.security import Principal

GET_ACTIONS: Final = "get actions"
UPDATE_ACTIONS: Final = "update actions"
DELETE_ACTIONS: Final = "delete actions"
EXECUTE_ACTIONS: Final = "execute actions"


def create_action(type_id: str) -> str:
    return f'create a "{type_id}" action'


def execute_action(type_id: str) -> str:
    return f'execute a "{type_id}" action'


def may_do_everything(principal: Principal) -> bool:
    return principal.is_superuser


def require(principal: Principal, operation: str) -> None:
    """Raise `Rejected` (403) unless the caller may do it; `operation` is in the words of the denial."""
    if not may_do_everything(principal):
        raise Rejected.forbidden(f"Unauthorized to {operation}")
