"""Rotation of the encryption key."""

from dataclasses import asdict, dataclass
from typing import Final

from aiohttp import web

from connectory.gateway import authorization
from connectory.gateway.contracts import encryption_keys
from connectory.gateway.key_rotation import KeyRotation, Rotated
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory.gateway.validation import check

ENCRYPTED_TYPES: Final = frozenset({"action"})
"""The kinds of saved objects that hold secrets."""


@dataclass(frozen=True, slots=True)
class EncryptionKeyRoutes:
    rotation: KeyRotation

    def table(self) -> tuple[Route, ...]:
        path = "/api/encrypted_saved_objects/_rotate_key"
        return (Route("POST", path, self.rotate, contract=encryption_keys.ROTATE),)

    async def rotate(self, call: Call) -> web.Response:
        query = check(encryption_keys.RotationQuery, call.query, "query")
        call.require(authorization.ROTATE_KEYS)
        self.rotation.require_keys()
        if query.type is not None and query.type not in ENCRYPTED_TYPES:
            return answer(asdict(Rotated()))
        return answer(asdict(await self.rotation.rotate(call.principal.name, batch_size=query.batch_size)))
