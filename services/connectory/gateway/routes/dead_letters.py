"""Dead letters: list them, look at one, repeat their requests, or drop them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web

from connectory.domain.json_types import JsonObject
from connectory.domain.spaces import DEFAULT_SPACE
from connectory.gateway import authorization
from connectory.gateway.contracts import action_requests
from connectory.gateway.dead_letter_json import shown_letter
from connectory.gateway.dead_letters import DeadLetterDesk, Selection, Settled, not_found
from connectory.gateway.errors import Rejected
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory.gateway.run_rights import RunRights
from connectory.gateway.schemas import (
    LARGEST_SETTLEMENT,
    DeadLetterConditions,
    DeadLetterSelection,
    DeadLettersQuery,
)
from connectory.gateway.validation import check
from connectory.infra.pace import Pace
from connectory_projections.dead_letters import DeadLetterFilter, Scope, place_of_id

LONGEST_CALL_SECONDS: Final = 30
"""At the rate that was asked for; what does not fit is left to the next call."""


@dataclass(frozen=True, slots=True)
class DeadLetterRoutes:
    desk: DeadLetterDesk
    rights: RunRights

    def table(self) -> tuple[Route, ...]:
        letters = "/api/connectory/dead_letters"
        return (
            Route("GET", letters, self.page, contract=action_requests.DEAD_LETTERS),
            Route("GET", letters + "/{id:[^/]+}", self.get, contract=action_requests.DEAD_LETTER),
            Route("POST", letters + "/_redrive", self.redrive, contract=action_requests.REDRIVE),
            Route("POST", letters + "/_drop", self.drop, contract=action_requests.DROP),
        )

    async def page(self, call: Call) -> web.Response:
        query = check(DeadLettersQuery, call.query, "query")
        call.require(authorization.FIND_ACTIONS)
        where = DeadLetterFilter(
            connector_id=query.connector_id,
            reason=query.reason,
            status=None if query.status == "all" else query.status,
            from_=query.from_,
            to=query.to,
        )
        page = await self.desk.letters.page(_scope(call), where, query.size, query.cursor)
        return answer({"items": page.items, "next_cursor": page.next_cursor})

    async def get(self, call: Call) -> web.Response:
        call.require(authorization.GET_ACTIONS)
        place = place_of_id(call.path("id"))
        found = await self.desk.letters.at_places(_scope(call), [place] if place else [])
        if not found:
            raise not_found(call.path("id"))
        return answer(shown_letter(found[0], self.desk.messages))

    async def redrive(self, call: Call) -> web.Response:
        selection, pace, more = _selection(call, authorization.REDRIVE_DEAD_LETTERS)
        permit = partial(self.rights.require_each, call)
        done = await _all(self.desk.redrive(selection, by=call.principal.name, pace=pace, permit=permit))
        call.concerns(*(each.letter_id for each in done), type_="dead_letter")
        items: list[JsonObject] = [{"id": each.letter_id, "request_id": each.redriven_as} for each in done]
        return answer({"redriven": len(done), "items": items, "more": more or len(done) == selection.limit})

    async def drop(self, call: Call) -> web.Response:
        selection, pace, more = _selection(call, authorization.DROP_DEAD_LETTERS)
        done = await _all(self.desk.drop(selection, by=call.principal.name, pace=pace))
        call.concerns(*(each.letter_id for each in done), type_="dead_letter")
        items: list[JsonObject] = [{"id": each.letter_id} for each in done]
        return answer({"dropped": len(done), "items": items, "more": more or len(done) == selection.limit})


def _scope(call: Call) -> Scope:
    """What nobody can read has no space: it is shown in the default one, to those who may see all spaces."""
    everywhere = call.space_id == DEFAULT_SPACE and call.may(authorization.SEE_EVERYTHING)
    return Scope(call.space_id, with_spaceless=everywhere)


def _selection(call: Call, operation: authorization.Operation) -> tuple[Selection, Pace, bool]:
    """With whether some of what was named is left to another call."""
    body = check(DeadLetterSelection, call.body, "body")
    if (body.ids is None) == (body.filter is None):
        raise Rejected.bad_request("[request body]: give either [ids] or [filter]")
    where = _where(check(DeadLetterConditions, body.filter or {}, "body", ("filter",)))
    call.require(operation)
    rate = body.rate_per_second
    limit = LARGEST_SETTLEMENT if rate is None else min(LARGEST_SETTLEMENT, rate * LONGEST_CALL_SECONDS)
    if body.ids is None:
        return Selection(_scope(call), where=where, limit=limit), Pace(rate), False
    return Selection(_scope(call), ids=body.ids[:limit]), Pace(rate), len(body.ids) > limit


def _where(conditions: DeadLetterConditions) -> DeadLetterFilter:
    return DeadLetterFilter(
        connector_id=conditions.connector_id, reason=conditions.reason, from_=conditions.from_, to=conditions.to
    )


async def _all(batches: AsyncIterator[Sequence[Settled]]) -> list[Settled]:
    return [each async for batch in batches for each in batch]
