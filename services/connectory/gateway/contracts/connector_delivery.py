"""Contracts of the routes that say whether and how requests through a connector run."""

from typing import Final

from pydantic import with_config
from typing_extensions import TypedDict

from connectory.gateway import authorization
from connectory.gateway.contract import Answer, Contract, Refusal
from connectory.gateway.contracts.connectors import HIDDEN, NOT_FOUND, UNCHANGEABLE
from connectory.gateway.schemas import DeliveryPolicyBody, Nothing


@with_config(extra="forbid")
class ShownPolicy(TypedDict):
    """Null is: as the settings say."""

    max_attempts: int | None
    max_in_flight: int | None
    requests_per_second: float | None
    burst: int | None


@with_config(extra="forbid")
class ConnectorDelivery(TypedDict):
    """How a connector stands."""

    id: str
    name: str
    connector_type_id: str
    enabled: bool
    version: int
    """0 for a connector of the settings, which has no versions."""
    delivery_policy: ShownPolicy


@with_config(extra="forbid")
class SwitchedConnector(TypedDict):
    """Whether requests through a connector run now."""

    id: str
    enabled: bool
    version: int


_UPDATE_REFUSALS: Final = (Refusal.denied(authorization.UPDATE_ACTIONS), *UNCHANGEABLE, NOT_FOUND)
_GET_REFUSALS: Final = (Refusal.denied(authorization.GET_ACTIONS), HIDDEN, NOT_FOUND)


def _switch(summary: str) -> Contract:
    return Contract(
        summary=summary,
        body=Nothing,
        body_required=False,
        answers=(Answer(200, "How it stands now", SwitchedConnector),),
        refusals=_UPDATE_REFUSALS,
        repeatable=True,
    )


ENABLE: Final = _switch("Let requests through a connector run again")
DISABLE: Final = _switch("Let no request through a connector run any more")
GET: Final = Contract(
    summary="See whether a connector is enabled, and how its requests are delivered",
    answers=(Answer(200, "How it stands", ConnectorDelivery),),
    refusals=_GET_REFUSALS,
)
GET_POLICY: Final = Contract(
    summary="Get the delivery policy of a connector",
    answers=(Answer(200, "The policy", ShownPolicy),),
    refusals=_GET_REFUSALS,
)
SET_POLICY: Final = Contract(
    summary="Replace the delivery policy of a connector",
    body=DeliveryPolicyBody,
    answers=(Answer(200, "The policy as it is now", ShownPolicy),),
    refusals=_UPDATE_REFUSALS,
    repeatable=True,
)
