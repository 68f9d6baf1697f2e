"""Contracts of the routes for spaces."""

from typing import Final, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from connectory.gateway import authorization
from connectory.gateway.contract import Answer, Contract, Refusal
from connectory.gateway.space_schemas import SpaceBody, SpacesQuery


@with_config(extra="forbid")
class ShownSpace(TypedDict):
    """A space with the fields that it has."""

    id: str
    name: str
    description: NotRequired[str]
    initials: NotRequired[str]
    color: NotRequired[str]
    imageUrl: NotRequired[str]
    solution: NotRequired[str]
    disabledFeatures: list[str]
    _reserved: NotRequired[bool]


@with_config(extra="forbid")
class AuthorizedPurposes(TypedDict):
    """What the caller may use the space for."""

    any: bool
    copySavedObjectsIntoSpace: bool
    shareSavedObjectsIntoSpace: bool


@with_config(extra="forbid")
class ListedSpace(ShownSpace):
    authorizedPurposes: NotRequired[AuthorizedPurposes]


NOT_FOUND: Final = Refusal(404, "Not Found")
_BEING_DELETED: Final = Refusal(409, "The space <id> is still being deleted. Create it again in a moment.")
_TOO_MANY: Final = (
    "Unable to create Space, this exceeds the maximum number of spaces set by the xpack.spaces.maxSpaces setting"
)


def _invalid(verb: str) -> tuple[Refusal, ...]:
    texts = (
        "the disabledFeatures array must be empty when xpack.spaces.allowFeatureVisibility setting is disabled",
        "the solution property can not be set when xpack.spaces.allowSolutionVisibility setting is disabled",
        "solution property cannot be empty",
    )
    return tuple(Refusal(400, f"Unable to {verb} Space, {text}") for text in texts)


LIST: Final = Contract(
    summary="List the spaces in which the caller has any privilege",
    query=SpacesQuery,
    answers=(Answer(200, "The spaces, by name in the order of code points", list[ListedSpace]),),
    refusals=(
        Refusal(400, "include_authorized_purposes can only be false when purpose is specified"),
        Refusal(400, "unsupported space purpose: <purpose>"),
        Refusal.denied(authorization.FIND_SPACES),
    ),
)
CREATE: Final = Contract(
    summary="Create a space",
    body=SpaceBody,
    answers=(Answer(200, "The new space", ShownSpace),),
    refusals=(
        Refusal.denied(authorization.CREATE_SPACES),
        Refusal(400, _TOO_MANY),
        *_invalid("create"),
        Refusal(409, "A space with the identifier <id> already exists."),
        _BEING_DELETED,
    ),
    repeatable=True,
)
GET: Final = Contract(
    summary="Get a space",
    answers=(Answer(200, "The space", ShownSpace),),
    refusals=(Refusal.denied(authorization.get_space("<id>")), NOT_FOUND),
)
UPDATE: Final = Contract(
    summary="Replace all that is set of a space",
    body=SpaceBody,
    answers=(Answer(200, "The space as it is now", ShownSpace),),
    refusals=(Refusal.denied(authorization.UPDATE_SPACES), *_invalid("update"), NOT_FOUND),
    repeatable=True,
)
DELETE: Final = Contract(
    summary="Delete a space and what is in it",
    answers=(Answer(204, "The space is gone; what is in it is, or is being deleted"),),
    refusals=(
        Refusal.denied(authorization.DELETE_SPACES),
        NOT_FOUND,
        Refusal(400, "The <id> space cannot be deleted because it is reserved."),
    ),
    repeatable=True,
)
