"""Rotation of the encryption key."""

from dataclasses import asdict, dataclass
from typing import Annotated, Final

from aiohttp import web
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from connectory.gateway import authorization
from connectory.gateway.contract import Answer, Contract, Refusal
from connectory.gateway.key_rotation import LARGEST_BATCH, NOT_CONFIGURED, RUNNING, KeyRotation, Rotated
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory.gateway.validation import Numeral, Schema, check

ENCRYPTED_TYPES: Final = frozenset({"action"})
"""The kinds of saved objects that hold secrets."""


class RotationQuery(Schema):
    """How many objects are changed together, and of which kind; by default of all kinds."""

    batch_size: Annotated[Numeral, Ge(1), Le(LARGEST_BATCH)] = LARGEST_BATCH
    type: str | None = None


class RotationResult(BaseModel):
    """Objects that are on no known key count in `total` only."""

    model_config = ConfigDict(extra="forbid")

    total: int
    successful: int
    failed: int


@dataclass(frozen=True, slots=True)
class EncryptionKeyRoutes:
    rotation: KeyRotation

    def table(self) -> tuple[Route, ...]:
        contract = Contract(
            summary="Put everything that an old encryption key protects under the primary one",
            query=RotationQuery,
            answers=(Answer(200, "What was rotated", RotationResult),),
            refusals=(
                Refusal(400, NOT_CONFIGURED),
                Refusal(403, authorization.ROTATE_KEYS.denial),
                Refusal(429, RUNNING),
            ),
        )
        path = "/api/encrypted_saved_objects/_rotate_key"
        return (Route("POST", path, self.rotate, contract=contract),)

    async def rotate(self, call: Call) -> web.Response:
        query = check(RotationQuery, call.query, "query")
        call.require(authorization.ROTATE_KEYS)
        self.rotation.require_keys()
        if query.type is not None and query.type not in ENCRYPTED_TYPES:
            return answer(asdict(Rotated()))
        return answer(asdict(await self.rotation.rotate(call.principal.name, batch_size=query.batch_size)))
