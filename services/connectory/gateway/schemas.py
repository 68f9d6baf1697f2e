"""The bodies, queries and params of every route, each declared once."""

import re
from typing import Annotated, Any, Final, Literal, TypeAlias

from annotated_types import Ge, Le, Len
from pydantic import AfterValidator, Field

from connectory.domain.execution import Action, Delivery
from connectory.domain.rate_limit import FASTEST_RATE, SLOWEST_RATE
from connectory.gateway.validation import (
    ConnectorRecord,
    Moment,
    Numeral,
    Schema,
    WholeNumber,
    at_least_one_character,
    at_most,
    not_blank,
    one_of,
    text_length,
    violation,
)

LONGEST_CONNECTOR_ID: Final = 36
LONGEST_NAME: Final = 1024
LONGEST_TYPE_ID: Final = 256
LARGEST_SUBMISSION: Final = 1000
"""Requests in one call."""

LARGEST_PAGE: Final = 1000
LARGEST_SETTLEMENT: Final = 1000
"""Dead letters that one call repeats or drops."""


MOST_ATTEMPTS: Final = 10
MOST_RELATED_OBJECTS: Final = 100
LARGEST_NUMBER: Final = 2**31 - 1
"""As records carry it."""

RESERVED_IDS: Final = frozenset({"__proto__", "constructor", "prototype"})
_STRICT_ID: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")

Name: TypeAlias = Annotated[str, at_most(LONGEST_NAME), AfterValidator(not_blank)]
TypeId: TypeAlias = Annotated[str, at_most(LONGEST_TYPE_ID), AfterValidator(not_blank)]
Text: TypeAlias = Annotated[str, AfterValidator(at_least_one_character), at_most(256)]


class ConnectorDetails(Schema):
    """Body of an update: a full replacement, nothing is kept from before."""

    name: Name
    config: ConnectorRecord = Field(default_factory=dict)
    secrets: ConnectorRecord = Field(default_factory=dict, repr=False)


class NewConnector(Schema):
    """Body of a create."""

    name: Name
    connector_type_id: TypeId
    config: ConnectorRecord = Field(default_factory=dict)
    secrets: ConnectorRecord = Field(default_factory=dict, repr=False)


class UpdateParams(Schema):
    id: Annotated[str, at_most(LONGEST_CONNECTOR_ID)]


class Execution(Schema):
    """Body of a direct run."""

    params: dict[str, Any]


class TypesQuery(Schema):
    feature_id: Annotated[str, at_most(100)] | None = None


class RelatedObject(Schema):
    """What a request is about besides its connector."""

    type: Text
    id: Text
    type_id: Text | None = None
    namespace: Text | None = None


class SubmittedRequest(Schema):
    """One action request handed in over HTTP. A key that is null is a key that is not given."""

    connector_id: Text
    params: dict[str, Any]
    request_id: Text | None = None
    source: Text | None = None
    delivery: Annotated[Literal["at_least_once", "at_most_once"], one_of(*Delivery)] = "at_least_once"
    expires_at: Moment | None = None
    connector_version: Annotated[WholeNumber, Ge(1), Le(LARGEST_NUMBER)] | None = None
    ordering_key: Text | None = None
    max_attempts: Annotated[WholeNumber, Ge(1), Le(MOST_ATTEMPTS)] | None = None
    consumer: Text | None = None
    execution_id: Text | None = None
    related_objects: Annotated[list[RelatedObject], Len(0, MOST_RELATED_OBJECTS)] | None = None


class Submission(Schema):
    """Several action requests; each is checked by itself, so that a problem names its index."""

    requests: Annotated[list[Any], Len(1, LARGEST_SUBMISSION)]


class EventLogQuery(Schema):
    """Filters of the event log, all optional and all to be met, and the page that is asked for."""

    connector_id: Text | None = None
    connector_type_id: Text | None = None
    action: Annotated[str, one_of(*Action)] | None = None
    outcome: Annotated[Literal["success", "failure", "unknown"], one_of("success", "failure", "unknown")] | None = None
    request_id: Text | None = None
    execution_id: Text | None = None
    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None
    q: Text | None = None
    size: Annotated[Numeral, Ge(1), Le(LARGEST_PAGE)] = 100
    cursor: Annotated[str, AfterValidator(at_least_one_character), at_most(1024)] | None = None


class Nothing(Schema):
    """The body of a route that needs none."""


class DeliveryPolicyBody(Schema):
    """A full replacement: what is null, or not given, is as the settings say."""

    max_attempts: Annotated[WholeNumber, Ge(1), Le(MOST_ATTEMPTS)] | None = None
    max_in_flight: Annotated[WholeNumber, Ge(1), Le(LARGEST_NUMBER)] | None = None
    requests_per_second: Annotated[float, Ge(SLOWEST_RATE), Le(FASTEST_RATE)] | None = None
    burst: Annotated[WholeNumber, Ge(1), Le(LARGEST_NUMBER)] | None = None


class CancellationParams(Schema):
    request_id: Text


class CancellationQuery(Schema):
    connector_id: Text | None = None


class DeadLettersQuery(Schema):
    """Filters of dead letters, all optional and all to be met, and the page that is asked for."""

    connector_id: Text | None = None
    reason: Text | None = None
    status: Annotated[Literal["open", "redriven", "dropped", "all"], one_of("open", "redriven", "dropped", "all")] = (
        "open"
    )
    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None
    size: Annotated[Numeral, Ge(1), Le(LARGEST_PAGE)] = 100
    cursor: Annotated[str, AfterValidator(at_least_one_character), at_most(1024)] | None = None


class DeadLetterSelection(Schema):
    """Which dead letters to repeat or drop: by their ids, or all open ones that meet a filter."""

    ids: Annotated[list[Text], Len(1, LARGEST_SETTLEMENT)] | None = None
    filter: dict[str, Any] | None = None
    rate_per_second: Annotated[WholeNumber, Ge(1), Le(FASTEST_RATE)] | None = None


class DeadLetterConditions(Schema):
    """The filter of a selection; an empty one is met by all."""

    connector_id: Text | None = None
    reason: Text | None = None
    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None


def is_strict_id(connector_id: str) -> bool:
    """Only lowercase letters, numbers and hyphens."""
    return text_length(connector_id) <= LONGEST_CONNECTOR_ID and _STRICT_ID.fullmatch(connector_id) is not None


def check_new_id(connector_id: str, *, strict: bool) -> None:
    """The id that a client chooses on create. Raises `Rejected` (400) when it will not do."""
    if not connector_id:
        raise violation("params", ("id",), "Connector ID is required.")
    if text_length(connector_id) > LONGEST_CONNECTOR_ID or connector_id in RESERVED_IDS:
        raise violation("params", ("id",), f"Connector ID must be {LONGEST_CONNECTOR_ID} characters or less.")
    if strict and not is_strict_id(connector_id):
        text = "Connector ID must contain only lowercase letters, numbers, and hyphens."
        raise violation("params", ("id",), text)
