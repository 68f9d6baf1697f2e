"""OAuth: trying out values for access tokens, and the authorization-code flow.

No connector type uses that flow yet. So every connector is one to which it does not apply: none can be started, and
there are no tokens of users to be forgotten. The routes answer as they do for such connectors.
"""

from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from connectory.domain.errors import Refused
from connectory.domain.in_memory_connectors import InMemoryConnectors
from connectory.domain.json_types import Json
from connectory.gateway import authorization
from connectory.gateway.attempt_limits import AttemptLimit
from connectory.gateway.contracts import oauth
from connectory.gateway.errors import Rejected
from connectory.gateway.oauth_schemas import (
    CallbackQuery,
    ClientOptions,
    FlowEnd,
    FlowStart,
    JwtOptions,
    TokenRequest,
)
from connectory.gateway.outgoing import answer, no_content
from connectory.gateway.read_models import ConnectorViews
from connectory.gateway.routing import Call, Route
from connectory.gateway.token_tests import TokenTests
from connectory.gateway.validation import check

NOT_APPLICABLE: Json = {"user_auth_status": "not_applicable"}
UNKNOWN_STATE = "The authorization was not started here, or it was long ago. Start it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthRoutes:
    """`base_url` is where users reach the gateway, None when nobody has said."""

    tests: TokenTests
    views: ConnectorViews
    in_memory: InMemoryConnectors
    base_url: str | None
    starts: AttemptLimit
    returns: AttemptLimit

    def table(self) -> tuple[Route, ...]:
        internal = "/internal/actions/connector"
        one = internal + "/{connectorId:[^/]+}"
        return (
            Route("POST", internal + "/_oauth_access_token", self.access_token, contract=oauth.ACCESS_TOKEN),
            Route("POST", one + "/_start_oauth_flow", self.start, contract=oauth.START),
            Route("GET", "/api/actions/connector/_oauth_callback", self.callback, contract=oauth.CALLBACK),
            Route("POST", one + "/_oauth_disconnect", self.disconnect, contract=oauth.DISCONNECT),
            Route("POST", one + "/_oauth_cancel", self.cancel, contract=oauth.CANCEL),
            Route("POST", "/internal/actions/connectors/_me/auth_status", self.status, contract=oauth.AUTH_STATUS),
        )

    async def access_token(self, call: Call) -> web.Response:
        body = check(TokenRequest, call.body, "body")
        if body.type == "client":
            client = check(ClientOptions, body.options, "body", ("options",))
            call.require(authorization.UPDATE_ACTIONS)
            return answer({"accessToken": await self.tests.client(client)})
        signed = check(JwtOptions, body.options, "body", ("options",))
        call.require(authorization.UPDATE_ACTIONS)
        return answer({"accessToken": await self.tests.jwt(signed)})

    async def start(self, call: Call) -> web.Response:
        body = check(FlowStart, {} if call.body is None else call.body, "body")
        call.require(authorization.EXECUTE_ACTIONS)
        self.starts.count(call.principal.name)
        if self.base_url is None:
            raise Rejected.bad_request(oauth.NO_BASE_URL_TEXT)
        if body.return_url is not None and _origin(body.return_url) != _origin(self.base_url):
            raise Rejected.bad_request(oauth.RETURN_URL_TEXT)
        await self._require_connector(call)
        raise Rejected.bad_request(oauth.NO_FLOW_TEXT)

    async def callback(self, call: Call) -> web.Response:
        """Whoever comes back without a flow of theirs is told so in a page: there is no place to send them to."""
        query = check(CallbackQuery, call.query, "query")
        self.returns.count(call.principal.name)
        reasons = [reason for reason in (query.error, query.error_description) if reason]
        return _page(": ".join(reasons) or UNKNOWN_STATE)

    async def disconnect(self, call: Call) -> web.Response:
        call.require(authorization.EXECUTE_ACTIONS)
        await self._require_connector(call)
        return no_content()

    async def cancel(self, call: Call) -> web.Response:
        """Giving up what is not under way changes nothing."""
        check(FlowEnd, call.body, "body")
        call.require(authorization.EXECUTE_ACTIONS)
        return no_content()

    async def status(self, call: Call) -> web.Response:
        call.require(authorization.EXECUTE_ACTIONS)
        saved = await self.views.in_space(call.space_id)
        ids = [*(view.connector_id for view in saved), *(each.connector_id for each in self.in_memory.shown())]
        return answer(dict.fromkeys(ids, NOT_APPLICABLE))

    async def _require_connector(self, call: Call) -> None:
        connector_id = call.path("connectorId")
        visible = self.in_memory.visible(connector_id) or await self.views.get(call.space_id, connector_id)
        if visible is None:
            raise Refused.not_found(connector_id)


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """None for what is no http or https URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.scheme in ("http", "https") else None


def _page(reason: str) -> web.Response:
    text = (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'><title>Authorization failed</title></head>"
        f"<body><h1>Authorization failed</h1><p>{escape(reason)}</p></body></html>\n"
    )
    policy = "default-src 'none'"
    headers = {hdrs.CONTENT_TYPE: "text/html; charset=utf-8", "Content-Security-Policy": policy}
    return web.Response(body=text.encode(), headers=headers)
