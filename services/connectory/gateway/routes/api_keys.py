"""API keys: make one, list one's own, revoke one. A login is all it takes; a superuser may do so for others too."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from connectory.domain.api_keys import ApiKey
from connectory.domain.execution import iso_millis
from connectory.domain.json_types import JsonObject
from connectory.domain.privileges import Privileges, added_up
from connectory.gateway import authorization
from connectory.gateway.api_key_schemas import NewApiKey
from connectory.gateway.api_keys import ApiKeyDesk, Roles, may_manage
from connectory.gateway.contracts import api_keys
from connectory.gateway.errors import Rejected
from connectory.gateway.outgoing import answer, no_content
from connectory.gateway.routing import Call, Route
from connectory.gateway.validation import check, violation


@dataclass(frozen=True, slots=True)
class ApiKeyRoutes:
    desk: ApiKeyDesk
    roles: Roles

    def table(self) -> tuple[Route, ...]:
        collection = "/api/connectory/api_keys"
        return (
            Route("POST", collection, self.make, contract=api_keys.CREATE),
            Route("GET", collection, self.list, contract=api_keys.LIST),
            Route("DELETE", collection + "/{id:[^/]+}", self.revoke, contract=api_keys.REVOKE),
        )

    async def make(self, call: Call) -> web.Response:
        """A key makes no keys: what would become of those when it is revoked?"""
        body = check(NewApiKey, call.body, "body")
        call.require(authorization.CREATE_API_KEYS)
        if call.principal.api_key_id is not None:
            raise Rejected.forbidden(authorization.CREATE_API_KEYS.denial)
        limit = None if body.roles is None else self._privileges(body.roles)
        new = await self.desk.make(call.principal, body.name, body.lifetime, body.roles, limit)
        call.concerns(new.key.key_id, type_="api_key")
        expiration: JsonObject = {} if new.key.expires_at is None else {"expiration": iso_millis(new.key.expires_at)}
        return answer(
            {
                "id": new.key.key_id,
                "name": new.key.name,
                **expiration,
                "api_key": new.secret,
                "encoded": new.encoded,
            }
        )

    async def list(self, call: Call) -> web.Response:
        call.require(authorization.FIND_API_KEYS)
        keys = await self.desk.directory.all()
        return answer({"items": [_shown(key) for key in keys if may_manage(call.principal, key)]})

    async def revoke(self, call: Call) -> web.Response:
        call.require(authorization.REVOKE_API_KEYS)
        key = await self.desk.get(call.path("id"))
        if not may_manage(call.principal, key):
            raise Rejected.forbidden(authorization.REVOKE_API_KEYS.denial)
        await self.desk.revoke(key, call.principal.name)
        return no_content()

    def _privileges(self, roles: Sequence[str]) -> Privileges:
        """What the roles add up to. Raises `Rejected` (400) for one that there is not."""
        given: list[Privileges] = []
        for index, role in enumerate(roles):
            privileges = self.roles.privileges_of(role)
            if privileges is None:
                raise violation("body", ("roles", index), f"there is no role [{role}]")
            given.append(privileges)
        return added_up(given)


def _shown(key: ApiKey) -> JsonObject:
    """Without what the key is checked by."""
    shown: dict[str, str | Sequence[str]] = {
        "id": key.key_id,
        "name": key.name,
        "owner": key.owner.name,
        "realm": key.owner.realm,
        "created_at": iso_millis(key.created_at),
    }
    if key.expires_at is not None:
        shown["expiration"] = iso_millis(key.expires_at)
    if key.roles is not None:
        shown["roles"] = key.roles
    return shown
