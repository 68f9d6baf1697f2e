"""The events of connectors, and searches in the events of all spaces, as clients of Kibana and Elasticsearch ask."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from connectory.domain.in_memory_connectors import InMemoryConnectors
from connectory.domain.json_types import Json, JsonObject
from connectory.gateway import authorization
from connectory.gateway.contracts import event_documents as contracts
from connectory.gateway.errors import Rejected
from connectory.gateway.event_documents.execution_logs import filtered, in_spaces
from connectory.gateway.event_documents.reading import EventDocuments
from connectory.gateway.event_documents.schemas import LARGEST_WINDOW, FindBody, FindQuery, SearchBody, SearchQuery
from connectory.gateway.event_documents.search_dsl import read_query, read_sort
from connectory.gateway.outgoing import answer
from connectory.gateway.read_models import ConnectorViews
from connectory.gateway.routing import Call, Route
from connectory.gateway.validation import check, violation
from connectory.infra.clock import Clock
from connectory_projections.event_documents import EventDocument, Order, Product
from connectory_projections.event_documents.asking import within
from connectory_projections.event_documents.conditions import EVERYTHING, NOTHING, Condition, Entry, OneOf, all_of
from connectory_projections.event_documents.dates import read_date
from connectory_projections.event_documents.fields import CONNECTOR, NESTED, PRIMARY
from connectory_projections.event_documents.search import NEWEST_FIRST

DATA_STREAM: Final = ".kibana-event-log-ds"
COUNTED_UNASKED: Final = 10_000
"""Hits that a search counts; of more it says that they are more."""

EVERY_ONE: Final = 2**62
_BEGINNING: Final = "0001-01-02"
_END: Final = "9998-12-30"


@dataclass(frozen=True, slots=True)
class EventDocumentRoutes:
    documents: EventDocuments
    connectors: ConnectorViews
    in_memory: InMemoryConnectors
    product: Product
    clock: Clock

    def table(self) -> tuple[Route, ...]:
        events = "/internal/event_log/{type:[^/]+}"
        search = "/{index:[.*][^/]*}/_search"
        return (
            Route("GET", events + "/{id:[^/]+}/_find", self.find, contract=contracts.FIND),
            Route("POST", events + "/_find", self.find_many, contract=contracts.FIND_MANY),
            Route("GET", search, self.search, contract=contracts.SEARCH),
            Route("POST", search, self.search, contract=contracts.SEARCH),
        )

    async def find(self, call: Call) -> web.Response:
        query = check(FindQuery, call.query, "query")
        return await self._found(call, [call.path("id")], query)

    async def find_many(self, call: Call) -> web.Response:
        query = check(FindQuery, call.query, "query")
        body = check(FindBody, call.body, "body")
        return await self._found(call, body.ids, query)

    async def _found(self, call: Call, ids: Sequence[str], query: FindQuery) -> web.Response:
        call.require(authorization.GET_ACTIONS)
        await self._require_readable(call, ids)
        offset = (query.page - 1) * query.per_page
        _require_within_window(offset + query.per_page)
        where = all_of([_of_connectors(ids), in_spaces([call.space_id]), *_conditions(query, self.clock())])
        total = await self.documents.count(where, self.product, at_most=EVERY_ONE)
        found = await self.documents.search(where, query.order, self.product, offset=offset, limit=query.per_page)
        page: JsonObject = {"page": query.page, "per_page": query.per_page, "total": total}
        return answer({**page, "data": [each.source for each in found]})

    async def _require_readable(self, call: Call, ids: Sequence[str]) -> None:
        """Raise `Rejected` (404) for the first that is not there for the caller."""
        type_ = call.path("type")
        are_there = await asyncio.gather(*(self._is_there(call.space_id, type_, each) for each in ids))
        for id_, is_there in zip(ids, are_there, strict=True):
            if not is_there:
                raise Rejected(404, f"Saved object [{type_}/{id_}] not found")

    async def _is_there(self, space_id: str, type_: str, id_: str) -> bool:
        if type_ != CONNECTOR:
            return False
        in_memory = self.in_memory.get(id_)
        if in_memory is not None:
            return not in_memory.is_system
        return await self.connectors.get(space_id, id_) is not None

    async def search(self, call: Call) -> web.Response:
        asked_at = self.clock()
        in_url = check(SearchQuery, call.query, "query")
        in_body = check(SearchBody, {} if call.body is None else call.body, "body")
        call.require(authorization.FIND_ACTIONS_IN_ALL_SPACES)
        if not _covers(call.path("index")):
            raise Rejected.not_found()
        search = _read_search(in_url, in_body, asked_at)
        hits = await self._hits(search)
        took = (self.clock() - asked_at) // timedelta(milliseconds=1)
        response = answer({"took": max(took, 0), "timed_out": False, "_shards": _SHARDS, "hits": hits})
        response.headers["X-Elastic-Product"] = "Elasticsearch"
        return response

    async def _hits(self, search: "_Search") -> JsonObject:
        total = await self._total(search)
        found: Sequence[EventDocument] = []
        if search.size:
            order = search.order or NEWEST_FIRST
            found = await self.documents.search(
                search.where, order, self.product, offset=search.offset, limit=search.size
            )
        score = None if search.order or not found else 1.0
        return {**total, "max_score": score, "hits": [_hit(each, search) for each in found]}

    async def _total(self, search: "_Search") -> JsonObject:
        if search.counts is None:
            return {}
        found = await self.documents.count(search.where, self.product, at_most=search.counts + 1)
        relation = "gte" if found > search.counts else "eq"
        return {"total": {"value": min(found, search.counts), "relation": relation}}


@dataclass(frozen=True, slots=True)
class _Search:
    """`counts` is up to where hits are counted; None: not at all."""

    where: Condition
    order: Sequence[Order]
    offset: int
    size: int
    counts: int | None
    shows_source: bool


_SHARDS: Final[JsonObject] = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}


def _read_search(in_url: SearchQuery, in_body: SearchBody, now: datetime) -> _Search:
    offset = _first(in_body.from_, in_url.from_, 0)
    size = _first(in_body.size, in_url.size, 10)
    _require_within_window(offset + size)
    tracked = in_url.track_total_hits if in_body.track_total_hits is None else in_body.track_total_hits
    return _Search(
        where=EVERYTHING if in_body.query is None else read_query(in_body.query, now),
        order=read_sort(in_body.sort if in_body.sort is not None else _sort_of_url(in_url.sort)),
        offset=offset,
        size=size,
        counts=_counts(tracked),
        shows_source=in_body.source,
    )


def _counts(tracked: bool | int | None) -> int | None:
    if tracked is None:
        return COUNTED_UNASKED
    if isinstance(tracked, bool):
        return EVERY_ONE if tracked else None
    return min(tracked, EVERY_ONE) if tracked >= 0 else EVERY_ONE


def _first(*given: int | None) -> int:
    return next(each for each in given if each is not None)


def _sort_of_url(text: str | None) -> Json:
    """`field:direction`, with commas between several."""
    if not text:
        return None
    parts = [each.rpartition(":") if ":" in each else (each, "", "asc") for each in text.split(",")]
    return [{field: direction} for field, _, direction in parts]


def _hit(found: EventDocument, search: _Search) -> JsonObject:
    shown: JsonObject = {"_source": found.source} if search.shows_source else {}
    if not search.order:
        return {"_index": DATA_STREAM, "_id": found.id, "_score": 1.0, **shown}
    return {"_index": DATA_STREAM, "_id": found.id, "_score": None, **shown, "sort": list(found.sort)}


def _covers(index: str) -> bool:
    patterns = (re.escape(each).replace(r"\*", ".*") for each in index.split(","))
    return any(re.fullmatch(pattern, DATA_STREAM) for pattern in patterns)


def _of_connectors(ids: Sequence[str]) -> Condition:
    """No event is of none."""
    if not ids:
        return NOTHING
    wanted = {"rel": (PRIMARY,), "type": (CONNECTOR,), "id": tuple(ids)}
    return Entry(all_of(OneOf(f"{NESTED}.{name}", values) for name, values in wanted.items()))


def _conditions(query: FindQuery, now: datetime) -> list[Condition]:
    spans = [_date("start", query.start or _BEGINNING, now), _date("end", query.end or _END, now)]
    window = within(*spans) if query.start or query.end else EVERYTHING
    return [window, filtered(query.filter, now) if query.filter else EVERYTHING]


def _date(name: str, text: str, now: datetime) -> datetime:
    span = read_date(text, now)
    if span is None:
        raise violation("query", (name,), "Invalid Date")
    return span.start


def _require_within_window(reach: int) -> None:
    if reach > LARGEST_WINDOW:
        text = f"from + size must be less than or equal to: [{LARGEST_WINDOW}] but was [{reach}]"
        raise Rejected.bad_request(f"Result window is too large, {text}")
