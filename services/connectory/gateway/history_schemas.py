"""Bodies and queries of the routes for the history of connectors."""

from datetime import UTC, datetime
from typing import Annotated, Any

from annotated_types import Ge, Le
from pydantic import AfterValidator, BeforeValidator

from connectory.domain.json_types import json_type
from connectory.gateway.schemas import LARGEST_NUMBER, LARGEST_PAGE
from connectory.gateway.validation import Numeral, Schema, WholeNumber, at_least_one_character, at_most, problem


def _point_in_time(value: object) -> object:
    """A date, or a date and a time; in UTC unless it says otherwise."""
    if not isinstance(value, str):
        raise problem(f"expected value of type [string] but got [{json_type(value)}]")
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        text = f"expected a date or date-time such as 2025-09-30T12:00:00.000Z but got [{value}]"
        raise problem(text) from None


class AsOfQuery(Schema):
    """As of which moment connectors are shown. Not given: as they are now."""

    as_of: Annotated[datetime, BeforeValidator(_point_in_time)] | None = None


class HistoryQuery(Schema):
    """The page that is asked for."""

    size: Annotated[Numeral, Ge(1), Le(LARGEST_PAGE)] = 100
    cursor: Annotated[str, AfterValidator(at_least_one_character), at_most(1024)] | None = None


class RestoreBody(Schema):
    """The version whose name and config are wanted again."""

    version: Annotated[WholeNumber, Ge(1), Le(LARGEST_NUMBER)]


class DryRunBody(Schema):
    """An action; with `variables` the templates in its params are filled in."""

    params: dict[str, Any]
    variables: dict[str, Any] | None = None
