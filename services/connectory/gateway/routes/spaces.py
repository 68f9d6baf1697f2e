"""Create, get, list, update and delete spaces. A space prefix of the path has no meaning for them."""

from dataclasses import dataclass

from aiohttp import web

from connectory.domain.json_types import JsonObject
from connectory.domain.spaces import DEFAULT_SPACE
from connectory.gateway import authorization
from connectory.gateway.authorization import COPY_TO_SPACES, Operation
from connectory.gateway.contracts import spaces as contracts
from connectory.gateway.errors import Rejected
from connectory.gateway.outgoing import answer, no_content
from connectory.gateway.routing import Call, Route
from connectory.gateway.space_schemas import PURPOSES, Purpose, SpaceBody, SpacesQuery
from connectory.gateway.spaces import SpaceChanges, Spaces
from connectory.gateway.validation import check
from connectory_projections.spaces import SpaceView


@dataclass(frozen=True, slots=True)
class SpaceRoutes:
    spaces: Spaces
    changes: SpaceChanges

    def table(self) -> tuple[Route, ...]:
        collection, one = "/api/spaces/space", "/api/spaces/space/{id:[^/]+}"
        return (
            Route("GET", collection, self.get_all, contract=contracts.LIST),
            Route("POST", collection, self.create, contract=contracts.CREATE),
            Route("GET", one, self.get, contract=contracts.GET),
            Route("PUT", one, self.update, contract=contracts.UPDATE),
            Route("DELETE", one, self.delete, contract=contracts.DELETE),
        )

    async def get_all(self, call: Call) -> web.Response:
        query = check(SpacesQuery, call.query, "query")
        purpose = query.wanted
        call.require(authorization.FIND_SPACES)
        found = [view for view in await self.spaces.all() if _may(call, view.space_id, purpose)]
        if not found:
            raise Rejected.forbidden(authorization.FIND_SPACES.denial)
        return answer([_listed(call, view, with_purposes=bool(query.include_authorized_purposes)) for view in found])

    async def create(self, call: Call) -> web.Response:
        body = check(SpaceBody, call.body, "body")
        call.concerns(body.id, type_="space")
        call.require(authorization.CREATE_SPACES)
        return answer(shown_space(await self.changes.create(body.id, body.details, call.origin)))

    async def get(self, call: Call) -> web.Response:
        space_id = call.path("id")
        call.require(authorization.get_space(space_id))
        return answer(shown_space(await self.spaces.get(space_id)))

    async def update(self, call: Call) -> web.Response:
        body = check(SpaceBody, call.body, "body")
        call.require(authorization.UPDATE_SPACES)
        return answer(shown_space(await self.changes.update(call.path("id"), body.details, call.origin)))

    async def delete(self, call: Call) -> web.Response:
        call.require(authorization.DELETE_SPACES)
        await self.changes.delete(call.path("id"), call.origin)
        return no_content()


def shown_space(view: SpaceView) -> JsonObject:
    """Only the fields that the space has."""
    details = view.details
    optional = {
        "description": details.description,
        "initials": details.initials,
        "color": details.color,
        "imageUrl": details.image_url,
        "solution": details.solution,
    }
    return {
        "id": view.space_id,
        "name": details.name,
        **{key: value for key, value in optional.items() if value is not None},
        "disabledFeatures": list(details.disabled_features),
        **({"_reserved": True} if view.space_id == DEFAULT_SPACE else {}),
    }


def _listed(call: Call, view: SpaceView, *, with_purposes: bool) -> JsonObject:
    if not with_purposes:
        return shown_space(view)
    purposes: JsonObject = {purpose: _may(call, view.space_id, purpose) for purpose in PURPOSES}
    return {**shown_space(view), "authorizedPurposes": purposes}


def _may(call: Call, space_id: str, purpose: Purpose) -> bool:
    """Connectors can be copied into a space, not shared with it: whoever may do the one might do the other."""
    wanted: Operation = authorization.get_space(space_id) if purpose == "any" else COPY_TO_SPACES
    return call.may(wanted, space_id)
