"""Who may do what: each operation with what it takes, where it must be held, and the words of its denial.

Routes ask `Call.require`, which knows the caller and the space, and `Call.may` where they only filter. What a caller
holds was resolved when it was authenticated; which operation a route asks for is the route's to say.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from connectory.domain.principal import Principal
from connectory.domain.privileges import Right
from connectory.gateway.errors import Rejected


class Where(Enum):
    """Where all of an operation's rights must be held."""

    IN_THE_SPACE = auto()
    IN_ALL_SPACES = auto()
    IN_SOME_SPACE = auto()


@dataclass(frozen=True, slots=True)
class Operation:
    """`denial` is the whole text of the 403, `event` what the audit log calls it.

    `space_id` is the space that it is about where that is not the space of the URL; `object_type` is what the id in the
    path is one of.
    """

    event: str
    denial: str
    rights: frozenset[Right]
    where: Where = Where.IN_THE_SPACE
    space_id: str | None = None
    object_type: str = "action"

    def in_space(self, space_id: str) -> "Operation":
        """The same in another space than that of the URL."""
        return replace(self, space_id=space_id)


def _operation(
    event: str, denial: str, *rights: Right, where: Where = Where.IN_THE_SPACE, about: str = "action"
) -> Operation:
    return Operation(event, denial, frozenset(rights), where, object_type=about)


GET_ACTIONS: Final = _operation("connector_get", "Unauthorized to get actions", Right.GET)
"""To look at one connector: get, history, its policy, its references, its events."""

FIND_ACTIONS: Final = _operation("connector_find", "Unauthorized to get actions", Right.GET)
"""To look at many: lists, logs, figures, dead letters. Denied in the same words as `GET_ACTIONS`."""

FIND_ACTIONS_IN_ALL_SPACES: Final = _operation(
    "connector_find", "Unauthorized to get actions", Right.GET, where=Where.IN_ALL_SPACES
)
"""To search the documents of all spaces at once."""

UPDATE_ACTIONS: Final = _operation("connector_update", "Unauthorized to update actions", Right.UPDATE)
"""To change a connector: update, switch on and off, restore, set a policy, fetch an access token for it."""

DELETE_ACTIONS: Final = _operation("connector_delete", "Unauthorized to delete actions", Right.DELETE)

EXECUTE_ACTIONS: Final = _operation("connector_execute", "Unauthorized to execute actions", Right.GET, Right.EXECUTE)
"""To run a connector whose type is not known, to submit and cancel requests, to redrive and replay, to declare and
withdraw references, and for the authorization-code flow (`actions:execute-oauth`)."""

DROP_DEAD_LETTERS: Final = _operation(
    "dead_letter_drop", "Unauthorized to delete actions", Right.DELETE, about="dead_letter"
)
REDRIVE_DEAD_LETTERS: Final = _operation(
    "dead_letter_redrive", "Unauthorized to execute actions", Right.GET, Right.EXECUTE, about="dead_letter"
)

EXPORT_ACTIONS: Final = _operation("saved_object_export", "Unable to bulk_get action", Right.GET)
IMPORT_ACTIONS: Final = _operation("saved_object_import", "Unable to bulk_create action", Right.CREATE)
"""To import and to resolve import errors. For a copy it is asked in each target: `IMPORT_ACTIONS.in_space(target)`."""

COPY_TO_SPACES: Final = _operation(
    "saved_object_copy", "Unauthorized to copy saved objects to spaces", Right.COPY_TO_SPACES
)
"""To copy, in the space of the URL. The targets are asked about besides: `IMPORT_ACTIONS.in_space(target)`."""

FIND_SPACES: Final = _operation(
    "space_find", "Unauthorized to get spaces", Right.SEE_SPACE, where=Where.IN_SOME_SPACE, about="space"
)
"""To list spaces at all. Which of them: `call.may(get_space(space_id))`."""

CREATE_SPACES: Final = _operation(
    "space_create", "Unauthorized to create spaces", Right.MANAGE_SPACES, where=Where.IN_ALL_SPACES, about="space"
)
UPDATE_SPACES: Final = _operation(
    "space_update", "Unauthorized to update spaces", Right.MANAGE_SPACES, where=Where.IN_ALL_SPACES, about="space"
)
DELETE_SPACES: Final = _operation(
    "space_delete", "Unauthorized to delete spaces", Right.MANAGE_SPACES, where=Where.IN_ALL_SPACES, about="space"
)

ROTATE_KEYS: Final = _operation("key_rotate", "Forbidden", Right.SUPERUSER, where=Where.IN_ALL_SPACES)
CREATE_API_KEYS: Final = _operation(
    "api_key_create", "Unauthorized to create an API key with an API key", about="api_key"
)
FIND_API_KEYS: Final = _operation("api_key_find", "Forbidden", about="api_key")
REVOKE_API_KEYS: Final = _operation("api_key_revoke", "Forbidden", about="api_key")
"""A login is enough for one's own keys; whose a key is, is looked at where it is known."""

SEE_EVERYTHING: Final = _operation("connector_find", "Forbidden", Right.SUPERUSER, where=Where.IN_ALL_SPACES)
"""For `Call.may`: whether a caller is shown what belongs to no space."""


def create_action(type_id: str) -> Operation:
    """To create a connector of the type that the body names, registered or not."""
    return _operation("connector_create", f'Unauthorized to create a "{type_id}" action', Right.CREATE)


def execute_action(type_id: str, sub_feature: str | None = None) -> Operation:
    """To run a connector that can be resolved in this space, of a type with that `sub_feature`."""
    rights = (Right.GET, Right.EXECUTE, *_SUB_FEATURES.get(sub_feature, ()))
    return _operation("connector_execute", f'Unauthorized to execute a "{type_id}" action', *rights)


EXECUTE_ANY_TYPE: Final = _operation(
    "connector_execute", "Unauthorized to execute actions", Right.GET, Right.EXECUTE, Right.EXECUTE_ENDPOINT_SECURITY
)
"""For `Call.may`: whether a caller may run connectors of every type, so that the type need not be looked up."""


def get_space(space_id: str) -> Operation:
    """To be shown a space: any privilege in it, whatever it is for."""
    return _operation("space_get", f"Unauthorized to get {space_id} space", Right.SEE_SPACE, about="space").in_space(
        space_id
    )


_SUB_FEATURES: Final[dict[str | None, tuple[Right, ...]]] = {"endpointSecurity": (Right.EXECUTE_ENDPOINT_SECURITY,)}
"""What running takes besides, by the sub-feature that types name."""


def may(principal: Principal, operation: Operation, space_id: str) -> bool:
    """Whether the caller holds all that the operation takes; `space_id` is that of the URL."""
    privileges = principal.privileges
    match operation.where:
        case Where.IN_THE_SPACE:
            held = privileges.at(operation.space_id or space_id)
        case Where.IN_ALL_SPACES:
            held = privileges.everywhere_at_once()
        case Where.IN_SOME_SPACE:
            held = privileges.somewhere()
    return operation.rights <= held


def require(principal: Principal, operation: Operation, space_id: str) -> None:
    """Raise `Rejected` (403) unless the caller may do it."""
    if not may(principal, operation, space_id):
        raise Rejected.forbidden(operation.denial)
