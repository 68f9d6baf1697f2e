"""Contracts of the OAuth routes."""

from typing import Final, Literal

from pydantic import with_config
from typing_extensions import TypedDict

from connectory.domain.errors import Refused
from connectory.gateway import authorization
from connectory.gateway.attempt_limits import TOO_MANY
from connectory.gateway.contract import Answer, Contract, Refusal
from connectory.gateway.oauth_schemas import CallbackQuery, FlowEnd, FlowStart, TokenRequest
from connectory.gateway.token_tests import FAILED_TEXT, NO_HOSTNAME_TEXT, WRONG_PROTOCOL_TEXT

NO_BASE_URL_TEXT: Final = "server.publicBaseUrl is not configured."
NO_FLOW_TEXT: Final = "Connector does not use OAuth Authorization Code flow"
RETURN_URL_TEXT: Final = "returnUrl must use http or https, and have the same origin as server.publicBaseUrl"


@with_config(extra="forbid")
class AccessToken(TypedDict):
    """`<token type> <token>`."""

    accessToken: str


@with_config(extra="forbid")
class UserAuthStatus(TypedDict):
    user_auth_status: Literal["connected", "not_connected", "not_applicable"]


_DENIED: Final = Refusal.denied(authorization.EXECUTE_ACTIONS)
_NOT_FOUND: Final = Refusal.of(Refused.not_found("<id>"))

ACCESS_TOKEN: Final = Contract(
    summary="Fetch an access token with the values given, to test them; none of them is kept",
    body=TokenRequest,
    answers=(Answer(200, "The token", AccessToken),),
    refusals=(
        Refusal.denied(authorization.UPDATE_ACTIONS),
        Refusal(400, 'target url "<url>" is not added to the Kibana config xpack.actions.allowedHosts'),
        Refusal(400, NO_HOSTNAME_TEXT),
        Refusal(400, WRONG_PROTOCOL_TEXT),
        Refusal(400, FAILED_TEXT),
    ),
)
START: Final = Contract(
    summary="Start the OAuth authorization of a connector; no connector type uses this flow yet",
    body=FlowStart,
    body_required=False,
    answers=(),
    refusals=(
        _DENIED,
        Refusal(429, TOO_MANY),
        Refusal(400, NO_BASE_URL_TEXT),
        Refusal(400, RETURN_URL_TEXT),
        _NOT_FOUND,
        Refusal(400, NO_FLOW_TEXT),
    ),
)
CALLBACK: Final = Contract(
    summary="Return from the OAuth authorization of a connector",
    query=CallbackQuery,
    answers=(Answer(200, "A page that says how it ended", {"type": "string"}, "text/html"),),
    refusals=(Refusal(429, TOO_MANY),),
)
DISCONNECT: Final = Contract(
    summary="Forget the OAuth tokens of a connector",
    answers=(Answer(204, "There are none any more"),),
    refusals=(_DENIED, _NOT_FOUND),
)
CANCEL: Final = Contract(
    summary="Give up an OAuth authorization that was started",
    body=FlowEnd,
    answers=(Answer(204, "It is not under way any more"),),
    refusals=(_DENIED,),
)
AUTH_STATUS: Final = Contract(
    summary="Ask through which connectors the caller is authorized",
    answers=(Answer(200, "By connector id", dict[str, UserAuthStatus]),),
    refusals=(_DENIED,),
)
