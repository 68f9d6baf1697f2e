"""Every route, asked by every user in both spaces: exactly those are let in who should be."""

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial
from itertools import chain

import pytest

from connectory.domain.privileges import Privileges, added_up, granted
from connectory.gateway.routing import Edge, Route
from connectory.infra.role_levels import base_rights, feature_rights
from tests.contract.privileges_table import BLUE, HOOK, LEVELS, NEW_HOOK, RED, TABLE, WITHOUT_LOGIN, Line
from tests.http_gateway import ADMIN, XSRF, Answer, HttpGateway, Users, http_gateway, reading_replies
from tests.unit.installation import Installation

INTERNAL = {**XSRF, "x-elastic-internal-origin": "tests"}
READ_RED = granted({RED}, feature_rights("actions", "read"))
ROLES: dict[str, tuple[str, Privileges]] = {
    "editor": ("edit-red", granted({RED}, feature_rights("actions", "all"))),
    "reader": ("read-red", READ_RED),
    "manager": ("manage", granted({"*"}, base_rights("all", in_all_spaces=True))),
}


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> list[Route]:
    """Filled with the routes of the gateway when it starts: whatever it serves, not what somebody listed."""
    served: list[Route] = []
    application = Edge.application

    def noted(self: Edge, routes: list[Route]) -> object:
        served.extend(routes)
        return application(self, routes)

    monkeypatch.setattr(Edge, "application", noted)
    return served


@pytest.fixture
def users() -> Users:
    users = Users()
    for role, privileges in ROLES.values():
        users.roles[role] = privileges
    return users


@pytest.fixture
async def gateway(routes: list[Route], users: Users) -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics(), users=users) as gateway:
        await reading_replies(gateway)
        for space in (RED, BLUE):
            await gateway.call("POST", "/api/spaces/space", {"id": space, "name": space})
        for connector_id in ("c1", "c2"):
            await gateway.call("POST", f"/s/{RED}/api/actions/connector/{connector_id}", NEW_HOOK)
        yield gateway


def name_of(route: Route) -> str:
    return f"{route.method} {route.template}"


async def asked(gateway: HttpGateway, route: Route, line: Line, space: str, auth: str | None) -> Answer:
    path = re.sub(r"\{(\w+)\}", lambda found: line.path.get(found[1], "c1"), route.template)
    prefix = f"/s/{space}" if route.spaced else ""
    form = line.form() if line.form else None
    return await gateway.call(
        route.method, prefix + path + line.query, line.body, data=form, auth=auth, headers=INTERNAL
    )


def header_of(users: Users, user: str) -> str:
    if user == "superuser":
        return ADMIN
    return users.add(user, *([ROLES[user][0]] if user in ROLES else []))


def expected(line: Line, user: str, space: str) -> tuple[int, str | None]:
    """The status, and the text of a denial."""
    if line.lets_in(user, space):
        return line.status_in(space), None
    return 403, line.denial_in(space)


def told(answer: Answer) -> tuple[int, str | None]:
    if answer.status != 403:
        return answer.status, None
    assert answer.body == {"statusCode": 403, "error": "Forbidden", "message": answer.message}
    return 403, answer.message


async def test_every_route_has_a_line_and_every_line_a_route(gateway: HttpGateway, routes: list[Route]) -> None:
    assert {name_of(route) for route in routes} == TABLE.keys() | WITHOUT_LOGIN
    assert {name_of(route) for route in routes if not route.login} == WITHOUT_LOGIN


async def test_who_is_let_in_where_and_what_the_others_are_told(
    gateway: HttpGateway, routes: list[Route], users: Users
) -> None:
    async def wrong(route: Route, user: str, space: str) -> list[object]:
        line, auth = TABLE[name_of(route)], header_of(users, user)
        was, should = told(await asked(gateway, route, line, space, auth)), expected(line, user, space)
        return [] if was == should else [(name_of(route), user, space, was, should)]

    found: list[object] = []
    for route in [route for route in routes if name_of(route) in TABLE]:
        calls = [partial(wrong, route, user, space) for user in LEVELS for space in (RED, BLUE)]
        if TABLE[name_of(route)].is_slow:
            found.extend(chain.from_iterable(await asyncio.gather(*(call() for call in calls))))
        else:
            found.extend(chain.from_iterable([await call() for call in calls]))
    assert found == []


async def test_without_a_login_every_route_is_401_but_those_for_everybody(
    gateway: HttpGateway, routes: list[Route]
) -> None:
    statuses = {
        name_of(route): (await asked(gateway, route, TABLE[name_of(route)], RED, None)).status
        for route in routes
        if name_of(route) in TABLE
    }
    assert [name for name, status in statuses.items() if status != 401] == []


async def test_a_caller_without_privileges_gets_400_for_a_malformed_request(gateway: HttpGateway, users: Users) -> None:
    answer = await gateway.call("POST", "/api/actions/connector", {"name": ""}, auth=header_of(users, "nobody"))

    assert (answer.status, answer.message) == (400, "[request body.name]: value '' is not valid")


async def test_the_text_of_a_denial_to_create_names_a_type_that_nobody_has_registered(
    gateway: HttpGateway, users: Users
) -> None:
    body = {**HOOK, "connector_type_id": ".none"}
    answer = await gateway.call("POST", "/api/actions/connector", body, auth=header_of(users, "reader"))

    assert (answer.status, answer.message) == (403, 'Unauthorized to create a ".none" action')


def test_the_levels_of_the_table_are_those_of_the_roles() -> None:
    assert added_up([READ_RED]).at(BLUE) == frozenset()
    assert LEVELS.keys() - {"superuser", "nobody"} == ROLES.keys()
