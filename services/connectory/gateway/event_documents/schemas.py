"""The bodies and queries of the routes for documents of the event log."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

from annotated_types import Ge, Le, Len
from pydantic import AfterValidator, BeforeValidator, Field

from connectory.domain.json_types import json_type
from connectory.gateway.validation import Flag, Numeral, Schema, WholeNumber, at_most, never_null, problem
from connectory_projections.event_documents import Order

LONGEST_DATE: Final = 100
LONGEST_FILTER: Final = 8192
LONGEST_NAMESPACE: Final = 1000
LARGEST_WINDOW: Final = 10_000
"""How far into a list of documents pages reach."""

EXECUTION_SORTS: Final[Mapping[str, str]] = {
    "timestamp": "event.start",
    "execution_duration": "event.duration",
    "schedule_delay": "kibana.task.schedule_delay",
}
"""By what runs are sorted, with the fields of their documents."""

DOCUMENT_SORTS: Final = (
    "@timestamp",
    "event.start",
    "event.end",
    "event.provider",
    "event.duration",
    "event.action",
    "message",
)
_DIRECTIONS: Final = ("asc", "desc")


def _execution_sorts(sorts: list[Any]) -> list[Any]:
    for index, each in enumerate(sorts):
        match each:
            case {**fields} if len(fields) == 1 and _is_execution_sort(*next(iter(fields.items()))):
                pass
            case _:
                raise problem(_no_execution_sort(each, f"request body.sort.{index}"), (index,))
    return sorts


def _is_execution_sort(name: object, how: object) -> bool:
    return name in EXECUTION_SORTS and isinstance(how, dict) and set(how) == {"order"} and how["order"] in _DIRECTIONS


def _no_execution_sort(given: object, place: str) -> str:
    """None of the alternatives fits; each says why."""
    alternatives = (
        f"- [{place}.{number}.{name}]: {_wanted(given, name)}" for number, name in enumerate(EXECUTION_SORTS)
    )
    return "\n".join(("types that failed validation:", *alternatives))


def _wanted(given: object, name: str) -> str:
    if isinstance(given, dict) and isinstance(given.get(name), dict):
        return 'expected {"order": "asc"} or {"order": "desc"}'
    found = json_type(given[name]) if isinstance(given, dict) and name in given else "undefined"
    return f"expected value of type [object] but got [{found}]"


def _document_sorts(value: object) -> object:
    """In a query a list is its JSON text."""
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        raise problem("could not parse array value from json input") from None
    return found if isinstance(found, list) else [found]


def _known_document_sorts(sorts: list[Any]) -> list[Any]:
    for index, each in enumerate(sorts):
        match each:
            case {"sort_field": str(name), **others} if set(others) <= {"sort_order"}:
                if name not in DOCUMENT_SORTS:
                    raise problem(
                        f"expected one of [{', '.join(DOCUMENT_SORTS)}] but got [{name}]", (index, "sort_field")
                    )
                if others.get("sort_order", "asc") not in _DIRECTIONS:
                    raise problem("expected [asc] or [desc]", (index, "sort_order"))
            case _:
                raise problem("expected an object with [sort_field] and [sort_order]", (index,))
    return sorts


DateText: TypeAlias = Annotated[str, at_most(LONGEST_DATE)]
FilterText: TypeAlias = Annotated[str, at_most(LONGEST_FILTER)]
SpaceIds: TypeAlias = Annotated[list[Annotated[str, at_most(LONGEST_NAMESPACE)]], Len(0, 1000)]
ExecutionSorts: TypeAlias = Annotated[list[Any], Len(0, 10), AfterValidator(_execution_sorts)]
DocumentSorts: TypeAlias = Annotated[
    list[Any], BeforeValidator(_document_sorts), Len(0, 10), AfterValidator(_known_document_sorts)
]


class ExecutionFigures(Schema):
    """Which runs to count: those of the window that meet the filter, of these spaces or of the current one."""

    date_start: DateText
    date_end: Annotated[DateText | None, never_null("string")] = None
    filter: Annotated[FilterText | None, never_null("string")] = None
    namespaces: Annotated[SpaceIds | None, never_null("array")] = None


class ExecutionLogs(Schema):
    """Which runs to list."""

    date_start: DateText
    date_end: Annotated[DateText | None, never_null("string")] = None
    filter: Annotated[FilterText | None, never_null("string")] = None
    per_page: Annotated[WholeNumber, Ge(1), Le(100)] = 10
    page: Annotated[WholeNumber, Ge(1), Le(1000)] = 1
    sort: ExecutionSorts = Field(default_factory=lambda: [{"timestamp": {"order": "desc"}}])
    namespaces: Annotated[SpaceIds | None, never_null("array")] = None

    @property
    def order(self) -> tuple[Order, ...]:
        given = [next(iter(each.items())) for each in self.sort]
        return tuple(Order(EXECUTION_SORTS[name], how["order"] == "desc", "lowest") for name, how in given)


class FindQuery(Schema):
    """Which documents of an object to list."""

    page: Annotated[Numeral, Ge(1), Le(LARGEST_WINDOW)] = 1
    per_page: Annotated[Numeral, Ge(0), Le(LARGEST_WINDOW)] = 10
    start: DateText | None = None
    end: DateText | None = None
    filter: FilterText | None = None
    sort: DocumentSorts = Field(default_factory=lambda: [{"sort_field": "@timestamp", "sort_order": "asc"}])

    @property
    def order(self) -> tuple[Order, ...]:
        return tuple(Order(each["sort_field"], each.get("sort_order", "asc") == "desc") for each in self.sort)


class FindBody(Schema):
    """Of which objects. `legacyIds` are ids of an earlier age, which no document has."""

    ids: Annotated[list[str], Len(0, 1000)]
    legacy_ids: Annotated[Annotated[list[str], Len(0, 1000)] | None, never_null("array")] = Field(
        default=None, alias="legacyIds"
    )


class SearchBody(Schema):
    """A search as Elasticsearch takes it."""

    query: dict[str, Any] | None = None
    from_: Annotated[WholeNumber, Ge(0)] | None = Field(default=None, alias="from")
    size: Annotated[WholeNumber, Ge(0)] | None = None
    sort: Any = None
    track_total_hits: bool | WholeNumber | None = None
    source: bool = Field(default=True, alias="_source")


class SearchQuery(Schema):
    """What may stand in the URL of a search; what is in the body goes first. The last ones are taken without effect."""

    from_: Annotated[Numeral, Ge(0)] | None = Field(default=None, alias="from")
    size: Annotated[Numeral, Ge(0)] | None = None
    sort: str | None = None
    track_total_hits: Flag | Numeral | None = None
    ignore_unavailable: Flag | None = None
    allow_no_indices: Flag | None = None
    expand_wildcards: str | None = None
    pretty: str | None = None
    human: str | None = None
    error_trace: str | None = None
    typed_keys: Flag | None = None
    preference: str | None = None
    request_cache: Flag | None = None
    ccs_minimize_roundtrips: Flag | None = None
    timeout: str | None = None
