"""A gateway on a real socket, with the other roles on the log in memory behind it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientResponse, ClientSession
from multidict import CIMultiDict

from connectory.domain.principal import Owner, Principal
from connectory.domain.privileges import NO_PRIVILEGES, Privileges, added_up
from connectory.gateway import GatewayDependencies, run_gateway
from connectory.gateway.authentication import Credentials
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory.infra.role_levels import BUILT_IN_ROLES
from connectory.infra.settings import Settings
from connectory.projector import run_projector
from tests.documented import Documented
from tests.read_models import InMemoryReadModels
from tests.unit.installation import Installation, owned
from tests.waiting import until, until_answer


def basic(user: str, password: str) -> str:
    """The `Authorization` header of a user."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


ADMIN = basic("admin", "pässword")
VIEWER = basic("viewer", "looking")
XSRF = {"kbn-xsrf": "true"}
CONNECTOR = "/api/actions/connector"
HOOK: dict[str, Any] = {
    "name": "hook",
    "connector_type_id": ".webhook",
    "config": {"url": "http://target/a", "hasAuth": False},
    "secrets": {},
}


class Users:
    """`admin` may do everything, `viewer` nothing. Roles and users can be added and changed at any time."""

    def __init__(self) -> None:
        self.roles = dict(BUILT_IN_ROLES)
        self.users = {"admin": ("pässword", ("superuser",)), "viewer": ("looking", ())}

    def add(self, name: str, *roles: str, password: str = "secret") -> str:
        """Returns the `Authorization` header of the new user."""
        self.users[name] = (password, roles)
        return basic(name, password)

    async def basic(self, user: str, password: str) -> Principal | None:
        expected, roles = self.users.get(user, (None, ()))
        return Principal(user, frozenset(roles), self._adding_up(roles)) if password == expected else None

    async def bearer(self, token: str) -> Principal | None:
        """A token is a name and roles, as in `carl:viewer,ops`."""
        name, colon, roles = token.partition(":")
        held = tuple(roles.split(","))
        return Principal(name, frozenset(held), self._adding_up(held), "bearer", "oidc") if colon else None

    def privileges_now(self, owner: Owner, last_roles: tuple[str, ...]) -> Privileges | None:
        if owner.realm == "oidc":
            return self._adding_up(last_roles)
        return self._adding_up(self.users[owner.name][1]) if owner.name in self.users else None

    def privileges_of(self, role: str) -> Privileges | None:
        return self.roles.get(role)

    def _adding_up(self, roles: Iterable[str]) -> Privileges:
        return added_up(self.roles.get(role, NO_PRIVILEGES) for role in roles)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def message(self) -> str:
        text: str = self.body["message"]
        return text


@dataclass
class HttpCaller:
    """A client of a gateway. Calls are the admin's and carry `kbn-xsrf`, unless said otherwise."""

    url: str
    session: ClientSession

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        auth: str | None = ADMIN,
        headers: Mapping[str, str] = XSRF,
        data: Any = None,
    ) -> Answer:
        sent = CIMultiDict(headers)
        if auth is not None:
            sent["Authorization"] = auth
        async with self.session.request(method, self.url + path, json=body, data=data, headers=sent) as response:
            return await _answer(response)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def create(self, connector_id: str = "", space: str = "", **changes: Any) -> Answer:
        path = f"{space}{CONNECTOR}/{connector_id}" if connector_id else space + CONNECTOR
        return await self.call("POST", path, {**HOOK, **changes})


@dataclass
class HttpGateway(HttpCaller):
    """The gateway under test, its task, and what is behind it. Its answers are held to its document."""

    installation: Installation
    read_models: InMemoryReadModels
    role: asyncio.Task[None]
    documented: Documented

    async def call(self, method: str, path: str, *arguments: Any, **options: Any) -> Answer:
        answer = await super().call(method, path, *arguments, **options)
        self.documented.hold(method, path, answer.status, answer.headers.get("Content-Type", ""), answer.raw)
        return answer


async def _answer(response: ClientResponse) -> Answer:
    return Answer(response.status, response.headers, await response.read())


@asynccontextmanager
async def http_gateway(
    installation: Installation,
    *,
    settings: Settings | None = None,
    secure: bool = True,
    roles: bool = True,
    users: Credentials | None = None,
) -> AsyncIterator[HttpGateway]:
    """Run the gateway; without `roles` nobody answers it."""
    store = InMemoryRowStore()
    read_models = InMemoryReadModels(store)
    settings = on_a_free_port(settings or Settings())
    dependencies = dependencies_of(installation, settings, read_models, (users or Users()) if secure else None)
    async with AsyncExitStack() as stack:
        if roles:
            await stack.enter_async_context(installation.aggregate())
            await stack.enter_async_context(installation.executor())
            projecting = run_projector(installation.log, installation.messages, store)
            await stack.enter_async_context(owned(projecting))
        url, role = await stack.enter_async_context(running(dependencies))
        session = await stack.enter_async_context(ClientSession())
        documented = await _documented(HttpCaller(url, session))
        yield HttpGateway(url, session, installation, read_models, role, documented)


_DOCUMENTS: dict[str, Documented] = {}
"""By base path, on which alone they depend: one for all gateways of a run."""


async def _documented(caller: HttpCaller) -> Documented:
    base_path = urlsplit(caller.url).path
    if base_path not in _DOCUMENTS:
        _DOCUMENTS[base_path] = Documented((await caller.get("/api/connectory/openapi.json")).body)
    return _DOCUMENTS[base_path]


def dependencies_of(
    installation: Installation,
    settings: Settings,
    read_models: InMemoryReadModels | None = None,
    users: Credentials | None = None,
) -> GatewayDependencies:
    return GatewayDependencies(
        settings=settings,
        log=installation.log,
        messages=installation.messages,
        types=installation.registry,
        vault=installation.vault,
        read_models=(read_models or InMemoryReadModels(InMemoryRowStore())).for_gateway,
        credentials=users,
        egress=installation.target,
        in_memory=installation.in_memory,
        clock=installation.clock,
    )


@asynccontextmanager
async def running(dependencies: GatewayDependencies) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """A gateway that runs beside the test: its URL and its task."""
    bound: list[str] = []
    async with owned(run_gateway(dependencies, bound.append)) as task:
        await until(lambda: bound or task.done())
        if task.done():
            await task
        yield bound[0], task


def on_a_free_port(settings: Settings) -> Settings:
    http = settings.http.model_copy(update={"port": 0})
    return settings.model_copy(update={"http": http})


async def reading_replies(gateway: HttpCaller) -> None:
    """Wait until the gateway accepts changes: it refuses them until it reads its replies."""
    await until_answer(
        lambda: gateway.call("DELETE", f"{CONNECTOR}/nothing"), lambda answer: answer.status != 503, 60.0
    )
