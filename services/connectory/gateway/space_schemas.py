"""Body and query of the routes for spaces."""

import re
from typing import Annotated, Final, Literal, TypeAlias

from annotated_types import MaxLen
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from connectory.domain.spaces import SpaceDetails
from connectory.gateway.errors import Rejected
from connectory.gateway.validation import JS_WHITESPACE, Flag, Schema, at_least_one_character, at_most, problem

Purpose: TypeAlias = Literal["any", "copySavedObjectsIntoSpace", "shareSavedObjectsIntoSpace"]
"""What a caller may want a space for."""

PURPOSES: Final[tuple[Purpose, ...]] = ("any", "copySavedObjectsIntoSpace", "shareSavedObjectsIntoSpace")
SOLUTIONS: Final = ("es", "oblt", "security", "classic")
MOST_DISABLED_FEATURES: Final = 100
LONGEST_INITIALS: Final = 2

_ID: Final = re.compile(r"[a-z0-9_-]+")
_COLOR: Final = re.compile(r"#[a-zA-Z0-9]{6}")


def _well_formed_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise problem("must be lower case, a-z, 0-9, '_', and '-' are allowed")
    return text


def _color(text: str) -> str:
    if not _COLOR.fullmatch(text):
        raise problem("must be a 6 digit hex color, starting with a #")
    return text


def _image(text: str) -> str:
    if text and not text.startswith("data:image"):
        raise problem("must start with 'data:image'")
    return text


def _solution(value: object) -> object:
    """An empty one is refused with a text of its own, where it is known what was wanted."""
    if value != "" and value not in SOLUTIONS:
        raise PydanticCustomError("none_of", "none of the literals", {"literals": SOLUTIONS})
    return value


def _trimmed(text: str) -> str:
    return text.strip(JS_WHITESPACE)


class SpaceBody(Schema):
    """Body of a create, and of an update, which is a full replacement and does not use the `id`."""

    id: Annotated[str, AfterValidator(_well_formed_id)]
    name: Annotated[str, AfterValidator(_trimmed), AfterValidator(at_least_one_character)]
    description: str = ""
    initials: Annotated[str, at_most(LONGEST_INITIALS)] = ""
    color: Annotated[str, AfterValidator(_color)] = ""
    disabled_features: Annotated[list[str], MaxLen(MOST_DISABLED_FEATURES)] = Field(
        default_factory=list, alias="disabledFeatures"
    )
    image_url: Annotated[str, AfterValidator(_image)] = Field(default="", alias="imageUrl")
    reserved: bool = Field(default=False, alias="_reserved")
    solution: Annotated[Literal["es", "oblt", "security", "classic", ""], BeforeValidator(_solution)] = ""

    @property
    def details(self) -> SpaceDetails:
        """Without what was not given."""
        given = self.model_dump(exclude_unset=True, exclude={"id", "reserved", "disabled_features"})
        return SpaceDetails(**given, disabled_features=tuple(self.disabled_features))


class SpacesQuery(Schema):
    purpose: str | None = None
    include_authorized_purposes: Flag | None = None

    @property
    def wanted(self) -> Purpose:
        """The purpose, `any` when none is given. Raises `Rejected` (400) for one that there is not."""
        if self.purpose is not None and self.include_authorized_purposes:
            text = "include_authorized_purposes can only be false when purpose is specified"
            raise Rejected.bad_request(text)
        for purpose in PURPOSES:
            if self.purpose in (None, purpose):
                return purpose
        raise Rejected.bad_request(f"unsupported space purpose: {self.purpose}")
