"""Contracts of the routes for documents of the event log."""

from typing import Any, Final, Literal, NotRequired

from pydantic import BaseModel, with_config
from typing_extensions import TypedDict

from connectory.gateway import authorization
from connectory.gateway.contract import Answer, Contract, Refusal
from connectory.gateway.event_documents.schemas import (
    ExecutionFigures,
    ExecutionLogs,
    FindBody,
    FindQuery,
    SearchBody,
    SearchQuery,
)


@with_config(extra="forbid")
class Execution(TypedDict):
    """A run; one that only timed out has its id and `timed_out`, and nothing in the other fields."""

    id: str
    timestamp: str
    duration_ms: float
    status: str
    message: str
    version: str
    source: str
    schedule_delay_ms: float
    space_ids: list[str]
    connector_name: str
    connector_id: str
    timed_out: bool


@with_config(extra="forbid")
class ExecutionsAnswer(TypedDict):
    total: int
    data: list[Execution]


@with_config(extra="forbid")
class FiguresAnswer(TypedDict):
    success: int
    unknown: int
    failure: int
    warning: int


@with_config(extra="forbid")
class FoundAnswer(TypedDict):
    """A page of documents."""

    page: int
    per_page: int
    total: int
    data: list[dict[str, Any]]


class Shards(TypedDict):
    total: int
    successful: int
    skipped: int
    failed: int


@with_config(extra="forbid")
class Total(TypedDict):
    value: int
    relation: Literal["eq", "gte"]


class Hit(TypedDict):
    _index: str
    _id: str
    _score: float | None
    _source: NotRequired[dict[str, Any]]
    sort: NotRequired[list[Any]]


class Hits(TypedDict):
    total: NotRequired[Total]
    max_score: float | None
    hits: list[Hit]


@with_config(extra="forbid")
class SearchAnswer(TypedDict):
    """As Elasticsearch answers."""

    took: int
    timed_out: bool
    _shards: Shards
    hits: Hits


class IndexParams(BaseModel):
    """`index` is a pattern that covers `.kibana-event-log-ds`, or several with commas between them."""

    index: str


FORBIDDEN: Final = Refusal(403, authorization.FIND_ACTIONS.denial)
BAD_FILTER: Final = Refusal(400, "Invalid kuery syntax for filter <filter>")
BAD_WINDOW: Final = (
    Refusal(400, 'Invalid date for parameter dateStart: "<value>"'),
    Refusal(400, 'Invalid date for parameter dateEnd: "<value>"'),
)
NO_OBJECT: Final = Refusal(404, "Saved object [<type>/<id>] not found")
TOO_FAR: Final = Refusal(
    400, "Result window is too large, from + size must be less than or equal to: [10000] but was [<number>]"
)
_SEARCH_REFUSALS: Final = (
    FORBIDDEN,
    TOO_FAR,
    Refusal(400, "unknown query [<name>]: supported are <names>"),
    Refusal(400, "[<query>] query does not support [<option>]"),
    Refusal(400, "No mapping found for [<field>] in order to sort on"),
    Refusal(400, "[<part>] <what is wrong with it>"),
    Refusal(404, "Not Found"),
)

LOGS: Final = Contract(
    summary="List runs, over all connectors",
    body=ExecutionLogs,
    answers=(Answer(200, "A page of runs, and how many there are", ExecutionsAnswer),),
    refusals=(FORBIDDEN, *BAD_WINDOW, BAD_FILTER),
)
FIGURES: Final = Contract(
    summary="Count runs by their outcome",
    body=ExecutionFigures,
    answers=(Answer(200, "How many of the newest runs ended in which way", FiguresAnswer),),
    refusals=(FORBIDDEN, *BAD_WINDOW, BAD_FILTER),
)
FIND: Final = Contract(
    summary="List the events of one connector",
    query=FindQuery,
    answers=(Answer(200, "A page of documents", FoundAnswer),),
    refusals=(FORBIDDEN, NO_OBJECT, BAD_FILTER, TOO_FAR),
)
FIND_MANY: Final = Contract(
    summary="List the events of several connectors",
    query=FindQuery,
    body=FindBody,
    answers=(Answer(200, "A page of documents", FoundAnswer),),
    refusals=(FORBIDDEN, NO_OBJECT, BAD_FILTER, TOO_FAR),
)
SEARCH: Final = Contract(
    summary="Search in the events of all spaces",
    params=IndexParams,
    query=SearchQuery,
    body=SearchBody,
    body_required=False,
    answers=(Answer(200, "The documents that were found", SearchAnswer),),
    refusals=_SEARCH_REFUSALS,
)
