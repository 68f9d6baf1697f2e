"""Routes, and the way that every request takes from its match to its answer.

A route says beside its handler what it takes and answers (`contract`, see `connectory.gateway.contract`): the OpenAPI
document and the reference page come from that, and a contract test fails for a route without it.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from aiohttp import hdrs, web

from connectory.domain.errors import ConnectoryError
from connectory.domain.json_types import Json
from connectory.domain.principal import Principal
from connectory.domain.spaces import DEFAULT_SPACE
from connectory.gateway import authorization, incoming
from connectory.gateway.audit import AuditLog, RequestLine, Subject, Trail
from connectory.gateway.authentication import NOBODY, Identification
from connectory.gateway.connections import SERVER_NAME
from connectory.gateway.contract import FORM, Contract
from connectory.gateway.errors import INTERNAL, Problem, Rejected, problem_of
from connectory.gateway.origin import Origin
from connectory.gateway.outgoing import answer_problem, compress
from connectory.infra.settings import ServerSettings

PUBLIC_VERSION: Final = "2023-10-31"
_PARAMETER: Final = re.compile(r"\{(\w+):[^{}]*\}")
_SPACE_PREFIX: Final = "/s/{space_id:[a-z0-9_-]+}"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Call:
    """A request that has passed the checks before the handler. `body` is JSON, None when there is none.

    Not frozen only because one is made for each request, and freezing costs several times what making it does.

    `form` has the fields of a `multipart/form-data` body, for routes whose contract says that they take one.
    """

    request: web.Request
    principal: Principal
    body: Json
    form: incoming.Form = field(default_factory=dict)
    trail: Trail = field(default_factory=Trail)

    @property
    def space_id(self) -> str:
        return self.request.match_info.get("space_id", DEFAULT_SPACE)

    def path(self, name: str) -> str:
        return self.request.match_info[name]

    def require(self, operation: authorization.Operation) -> None:
        """Raise `Rejected` (403) unless the caller may do it, in the space of the URL if it names no other."""
        self.trail.ask(operation)
        authorization.require(self.principal, operation, self.space_id)

    def concerns(self, *object_ids: str, type_: str = "action") -> None:
        """Name for the audit log the objects that it is about, where they are not those of the path."""
        self.trail.subjects.extend(Subject(type_, object_id) for object_id in object_ids)

    def may(self, operation: authorization.Operation, space_id: str | None = None) -> bool:
        """Whether the caller may do it in that space, or in that of the URL; to filter, where nothing is denied."""
        return authorization.may(self.principal, operation, self.space_id if space_id is None else space_id)

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
            api_key_id=self.principal.api_key_id,
            api_key_name=self.principal.api_key_name,
        )


Handler: TypeAlias = Callable[[Call], Awaitable[web.Response]]
AnyHandler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """`path` is without base path and space prefix. Without `login` the handler also gets `NOBODY`.

    `largest_body`, in bytes, stands in the place of `server.maxPayload`. `refused_as` names what is audited when a
    request is refused before its handler has asked for an operation; without it only denials are.
    """

    method: str
    path: str
    handler: Handler
    login: bool = True
    spaced: bool = True
    contract: Contract | None = None
    largest_body: int | None = None
    refused_as: authorization.Operation | None = None

    @property
    def template(self) -> str:
        """The path with `{name}` for each parameter, as documents have it."""
        return _PARAMETER.sub(r"{\1}", self.path)

    @property
    def is_public(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def is_internal(self) -> bool:
        return self.path.startswith("/internal/")

    @property
    def takes_form(self) -> bool:
        return self.contract is not None and self.contract.body_type == FORM


class Edge:
    """Takes each request past credentials, body and headers to its handler, and every error to its answer."""

    def __init__(self, server: ServerSettings, identification: Identification, audit: AuditLog | None = None) -> None:
        self._server = server
        self._audit = audit or AuditLog()
        self._identification = identification
        self._largest_body = server.max_payload
        self._header_rules = incoming.HeaderRules(server.xsrf_allowed_schemes, server.restrict_internal_apis)

    def application(self, routes: Sequence[Route]) -> web.Application:
        app = web.Application(client_max_size=self._server.max_payload, middlewares=[self._in_our_words])
        app[SERVER_NAME] = self._server.name
        self._largest_body = max(self._server.max_payload, *(route.largest_body or 0 for route in routes))
        serving = [(route, self._serving(route)) for route in sorted(routes, key=_fixed_paths_first)]
        # All bare paths first: the router keeps the methods of one path together only if they are added in a row.
        for prefix in ("", _SPACE_PREFIX):
            for route, serve in serving:
                if route.spaced or not prefix:
                    self._add(app, route.method, prefix + route.path, serve)
        app.router.add_route("*", "/{path:(?s:.*)}", self._nowhere)
        return app

    @web.middleware
    async def _in_our_words(self, request: web.Request, handler: AnyHandler) -> web.StreamResponse:
        """What the library answers by itself, to a path without a slash for instance, has the error body too."""
        try:
            return await handler(request)
        except web.HTTPException as error:
            return self._signed(answer_problem(Problem(error.status, error.reason)))

    async def _nowhere(self, request: web.Request) -> web.Response:
        """An unknown path, or a known one with a method it does not have: no login, no other check."""
        return self._signed(answer_problem(problem_of(Rejected.not_found())))

    def _signed(self, response: web.Response) -> web.Response:
        response.headers["kbn-name"] = self._server.name
        return response

    def _add(self, app: web.Application, method: str, path: str, serve: "Serve") -> None:
        full = self._server.base_path + path
        if method == "GET":
            app.router.add_get(full, serve, expect_handler=self._expected)
        else:
            app.router.add_route(method, full, serve, expect_handler=self._expected)

    async def _expected(self, request: web.Request) -> None:
        """Ask for the body of a client that waits to be asked; one that announces too much is answered at once."""
        is_awaited = request.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
        if is_awaited and (request.content_length or 0) <= self._largest_body:
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # the answer itself has not begun

    def _serving(self, route: Route) -> "Serve":
        async def serve(request: web.Request) -> web.Response:
            response = self._signed(await self._answered(route, request))
            if route.is_public:
                response.headers["elastic-api-version"] = PUBLIC_VERSION
            compress(request, response)
            return response

        return serve

    async def _answered(self, route: Route, request: web.Request) -> web.Response:
        trail = Trail()
        response = await self._attempted(route, request, trail)
        if self._audit.tells_of(trail, response.status):
            asked = RequestLine(request.method, route.template, request.remote)
            self._audit.record(trail, response.status, asked, _named(request, trail))
        return response

    async def _attempted(self, route: Route, request: web.Request, trail: Trail) -> web.Response:
        try:
            return await self._handled(route, request, trail)
        except ConnectoryError as error:
            return answer_problem(problem_of(error), challenge=not route.is_internal)
        except Exception:
            log.exception("%s %s failed", route.method, route.path)
            return answer_problem(INTERNAL)

    async def _handled(self, route: Route, request: web.Request, trail: Trail) -> web.Response:
        principal = await self._caller(route, request)
        if route.login and principal is NOBODY:
            raise Rejected.unauthorized()
        trail.begin(principal, request.match_info.get("space_id", DEFAULT_SPACE), route.refused_as)
        call = await self._read(route, request, principal, trail)
        incoming.check_headers(request, route.path, self._pathname(request), self._header_rules)
        return await route.handler(call)

    async def _caller(self, route: Route, request: web.Request) -> Principal:
        """Without `login` a caller who cannot be checked now is nobody: a health check must not fail for it."""
        try:
            return await self._identification.caller(request.headers.get("Authorization"))
        except ConnectoryError:
            if route.login:
                raise
            return NOBODY

    async def _read(self, route: Route, request: web.Request, principal: Principal, trail: Trail) -> Call:
        limit = route.largest_body or self._server.max_payload
        if route.takes_form:
            return Call(request, principal, None, await incoming.read_form(request, limit), trail)
        return Call(request, principal, await incoming.read_body(request, limit), {}, trail)

    def _pathname(self, request: web.Request) -> str:
        """As the caller wrote it, without base path and space prefix."""
        path = request.rel_url.raw_path.removeprefix(self._server.base_path)
        space_id = request.match_info.get("space_id")
        return path if space_id is None else path.removeprefix(f"/s/{space_id}")


def _named(request: web.Request, trail: Trail) -> list[Subject]:
    """The object whose id is in the path."""
    object_type = trail.operation.object_type if trail.operation else "action"
    ids = (request.match_info.get(name) for name in ("id", "connector_id", "connectorId"))
    return [Subject(object_type, each) for each in ids if each is not None]


def _fixed_paths_first(route: Route) -> tuple[list[bool], str]:
    """A fixed path wins over one with a parameter in its place: under a prefix the first that fits is taken."""
    return ["{" in segment for segment in route.template.split("/")], route.path


Serve: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]
