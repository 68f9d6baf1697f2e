"""The bodies of the routes for API keys."""

from datetime import timedelta
from typing import Annotated, Final

from annotated_types import Len
from pydantic import AfterValidator

from connectory.gateway.schemas import Text
from connectory.gateway.validation import Schema, at_most, not_blank, problem
from connectory.infra.settings.value_types import parse_duration

MOST_ROLES: Final = 100


def _is_duration(text: str) -> str:
    _lifetime(text)
    return text


def _lifetime(text: str) -> timedelta:
    try:
        lifetime = parse_duration(text)
    except ValueError as error:
        raise problem(str(error)) from None
    if not (isinstance(lifetime, timedelta) and lifetime):
        raise problem(f"value must be longer than nothing, but got [{text}]")
    return lifetime


class NewApiKey(Schema):
    """Body of a create. Without `roles` the key is not narrowed; a key that is null is a key that is not given."""

    name: Annotated[str, at_most(256), AfterValidator(not_blank)]
    expiration: Annotated[str, at_most(20), AfterValidator(_is_duration)] | None = None
    roles: Annotated[list[Text], Len(1, MOST_ROLES)] | None = None

    @property
    def lifetime(self) -> timedelta | None:
        return None if self.expiration is None else _lifetime(self.expiration)
