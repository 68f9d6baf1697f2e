"""Contract of the route that rotates the encryption key."""

from typing import Annotated, Final

from annotated_types import Ge, Le
from pydantic import with_config
from typing_extensions import TypedDict

from connectory.domain.errors import Refused
from connectory.gateway import authorization
from connectory.gateway.contract import Answer, Contract, Refusal
from connectory.gateway.contracts.connectors import NO_KEY
from connectory.gateway.key_rotation import LARGEST_BATCH, NOT_CONFIGURED, RUNNING
from connectory.gateway.validation import Numeral, Schema


class RotationQuery(Schema):
    """How many objects are changed together, and of which kind; by default of all kinds."""

    batch_size: Annotated[Numeral, Ge(1), Le(LARGEST_BATCH)] = LARGEST_BATCH
    type: str | None = None


@with_config(extra="forbid")
class RotationResult(TypedDict):
    """Objects that are on no known key count in `total` only."""

    total: int
    successful: int
    failed: int


ROTATE: Final = Contract(
    summary="Put everything that an old encryption key protects under the primary one",
    query=RotationQuery,
    answers=(Answer(200, "What was rotated", RotationResult),),
    refusals=(
        Refusal.denied(authorization.ROTATE_KEYS),
        Refusal.of(Refused("key-rotation-not-configured", NOT_CONFIGURED)),
        Refusal.of(Refused("key-rotation-running", RUNNING)),
        NO_KEY,
    ),
)
