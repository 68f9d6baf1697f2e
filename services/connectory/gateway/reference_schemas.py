"""Params and queries of the routes for references."""

from typing import Annotated

from annotated_types import Ge, Le
from pydantic import AfterValidator

from connectory.gateway.schemas import LARGEST_PAGE, Text
from connectory.gateway.validation import Numeral, Schema, at_least_one_character, at_most


class ReferenceParams(Schema):
    """A connector, and what uses it in the words of the service that it belongs to."""

    connector_id: Text
    type: Text
    id: Text


class ReferencesQuery(Schema):
    """The page that is asked for."""

    size: Annotated[Numeral, Ge(1), Le(LARGEST_PAGE)] = 100
    cursor: Annotated[str, AfterValidator(at_least_one_character), at_most(2048)] | None = None
