"""Routes, and the way that every request takes from its match to its answer."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from aiohttp import web

from connectory.domain.errors import ConnectoryError
from connectory.domain.json_types import Json
from connectory.domain.spaces import DEFAULT_SPACE
from connectory.gateway import authorization, incoming
from connectory.gateway.authentication import NOBODY, Credentials, authenticate
from connectory.gateway.errors import INTERNAL, Rejected, problem_of
from connectory.gateway.origin import Origin
from connectory.gateway.outgoing import answer_problem, compress
from connectory.infra.security import Principal
from connectory.infra.settings import ServerSettings

PUBLIC_VERSION: Final = "2023-10-31"
_SPACE_PREFIX: Final = "/s/{space_id:[a-z0-9_-]+}"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has passed the checks before the handler. `body` is JSON, None when there is none."""

    request: web.Request
    principal: Principal
    body: Json

    @property
    def space_id(self) -> str:
        return self.request.match_info.get("space_id", DEFAULT_SPACE)

    def path(self, name: str) -> str:
        return self.request.match_info[name]

    def require(self, operation: authorization.Operation) -> None:
        """Raise `Rejected` (403) unless the caller may do it in the space of the URL."""
        authorization.require(self.principal, operation, self.space_id)

    @property
    def query(self) -> dict[str, Json]:
        return incoming.query(self.request)

    @property
    def origin(self) -> Origin:
        """Raises `Rejected` (400) for a command id that is none."""
        return Origin(
            space_id=self.space_id,
            by=self.principal.name,
            command_id=incoming.command_id(self.request),
            traceparent=incoming.traceparent(self.request),
        )


Handler: TypeAlias = Callable[[Call], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """`path` is without base path and space prefix. Without `login` the handler also gets `NOBODY`."""

    method: str
    path: str
    handler: Handler
    login: bool = True
    spaced: bool = True

    @property
    def is_public(self) -> bool:
        return self.path.startswith("/api/")


class Edge:
    """Takes each request past credentials, body and headers to its handler, and every error to its answer."""

    def __init__(self, server: ServerSettings, credentials: Credentials | None) -> None:
        self._server = server
        self._credentials = credentials

    def application(self, routes: Iterable[Route]) -> web.Application:
        app = web.Application(client_max_size=self._server.max_payload)
        serving = [(route, self._serving(route)) for route in routes]
        # All bare paths first: the router keeps the methods of one path together only if they are added in a row.
        for prefix in ("", _SPACE_PREFIX):
            for route, serve in serving:
                if route.spaced or not prefix:
                    self._add(app, route.method, prefix + route.path, serve)
        app.router.add_route("*", "/{path:(?s:.*)}", self._nowhere)
        return app

    async def _nowhere(self, request: web.Request) -> web.Response:
        """An unknown path, or a known one with a method it does not have: no login, no other check."""
        return self._signed(answer_problem(problem_of(Rejected.not_found())))

    def _signed(self, response: web.Response) -> web.Response:
        response.headers["kbn-name"] = self._server.name
        return response

    def _add(self, app: web.Application, method: str, path: str, serve: "Serve") -> None:
        full = self._server.base_path + path
        if method == "GET":
            app.router.add_get(full, serve)
        else:
            app.router.add_route(method, full, serve)

    def _serving(self, route: Route) -> "Serve":
        async def serve(request: web.Request) -> web.Response:
            response = self._signed(await self._answered(route, request))
            if route.is_public:
                response.headers["elastic-api-version"] = PUBLIC_VERSION
            compress(request, response)
            return response

        return serve

    async def _answered(self, route: Route, request: web.Request) -> web.Response:
        try:
            return await self._handled(route, request)
        except ConnectoryError as error:
            return answer_problem(problem_of(error))
        except Exception:
            log.exception("%s %s failed", route.method, route.path)
            return answer_problem(INTERNAL)

    async def _handled(self, route: Route, request: web.Request) -> web.Response:
        principal = await authenticate(request.headers.get("Authorization"), self._credentials)
        if route.login and principal is NOBODY:
            raise Rejected.unauthorized()
        body = await incoming.read_body(request, self._server.max_payload)
        incoming.check_headers(request, route.path)
        return await route.handler(Call(request, principal, body))


Serve: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]
