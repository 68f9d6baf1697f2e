"""Who may do what, for every route: a new route needs a line here, whatever its own tests say.

The levels are written down once more on purpose: nothing here is taken from the code that decides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import FormData

RED, BLUE = "red", "blue"
LEVELS: Final[Mapping[str, Mapping[str, str]]] = {
    "superuser": {RED: "superuser", BLUE: "superuser"},
    "manager": {RED: "base", BLUE: "base"},
    "editor": {RED: "all", BLUE: "none"},
    "reader": {RED: "read", BLUE: "none"},
    "nobody": {RED: "none", BLUE: "none"},
}
"""What each user holds in each of the two spaces; `base` is `base: [all]`, in all spaces."""

SUPERUSER: Final = frozenset({"superuser"})
BASE: Final = SUPERUSER | {"base"}
ALL: Final = BASE | {"all"}
READ: Final = ALL | {"read"}
LOGIN: Final = READ | {"none"}
ANYWHERE: Final = "anywhere"

GET, UPDATE, DELETE = (f"Unauthorized to {word} actions" for word in ("get", "update", "delete"))
EXECUTE: Final = "Unauthorized to execute actions"
EXECUTE_HOOK: Final = 'Unauthorized to execute a ".webhook" action'
CREATE_HOOK: Final = 'Unauthorized to create a ".webhook" action'
COPY: Final = "Unauthorized to copy saved objects to spaces"
IMPORT: Final = "Unable to bulk_create action"

HOOK: Final = {"name": "hook", "config": {"url": "http://target/a", "hasAuth": False}}
NEW_HOOK: Final = {**HOOK, "connector_type_id": ".webhook"}
SPACE: Final = {"id": "none", "name": "None"}
SINCE: Final = {"date_start": "2026-01-01T00:00:00.000Z"}
TOKEN_TEST: Final = {
    "type": "client",
    "options": {"tokenUrl": "ftp://a", "scope": "s", "config": {"clientId": "c"}, "secrets": {"clientSecret": "s"}},
}
COPIED: Final = {"type": "action", "id": "none"}


def file(**parts: str) -> FormData:
    form = FormData()
    form.add_field("file", "", filename="a.ndjson")
    for name, text in parts.items():
        form.add_field(name, text)
    return form


@dataclass(frozen=True, kw_only=True)
class Line:
    """Who is let in, by levels, and what the others are told.

    `status` is what those get who are let in, in the red space, which has the connector `c1`; `elsewhere` in the blue
    one, which is empty. `elsewhere_denial` is for texts that depend on whether the connector is found. `counts_in` is
    the space whose level counts where that is not the one of the URL. `path` fills in the parameters of the route.
    What `is_slow` changes nothing that others see, and is asked by all users at the same time.
    """

    who: frozenset[str]
    denial: str = ""
    status: int = 200
    elsewhere: int | None = None
    elsewhere_denial: str | None = None
    counts_in: str | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: Any = None
    form: Callable[[], FormData] | None = None
    is_slow: bool = False

    def lets_in(self, user: str, space: str) -> bool:
        levels = LEVELS[user]
        if self.counts_in == ANYWHERE:
            return any(level in self.who for level in levels.values())
        return levels[self.counts_in or space] in self.who

    def status_in(self, space: str) -> int:
        return self.elsewhere if space == BLUE and self.elsewhere is not None else self.status

    def denial_in(self, space: str) -> str:
        return self.elsewhere_denial if space == BLUE and self.elsewhere_denial is not None else self.denial


def get(**changes: Any) -> Line:
    return Line(who=READ, denial=GET, **changes)


def update(**changes: Any) -> Line:
    return Line(who=ALL, denial=UPDATE, **{"elsewhere": 404, **changes})


def execute(**changes: Any) -> Line:
    return Line(who=READ, denial=EXECUTE, **changes)


def run(**changes: Any) -> Line:
    """Through a connector that is found in one of the spaces."""
    return Line(who=READ, denial=EXECUTE_HOOK, elsewhere=404, elsewhere_denial=EXECUTE, **changes)


def manage_spaces(word: str, **changes: Any) -> Line:
    return Line(who=BASE, denial=f"Unauthorized to {word} spaces", **changes)


_CONNECTOR: Final = "/api/actions/connector"
_MANY: Final = "/api/connectory/connectors/{id}"
_INTERNAL: Final = "/internal/actions/connector"
_OWN: Final = "/api/connectory/connector/{id}"
_REFERENCES: Final = "/api/connectory/references/{connector_id}"
_TABLE: Final[dict[str, Line]] = {
    f"POST {_CONNECTOR}": Line(who=ALL, denial=CREATE_HOOK, body=NEW_HOOK),
    f"POST {_CONNECTOR}/": Line(who=ALL, denial=CREATE_HOOK, body=NEW_HOOK),
    f"POST {_CONNECTOR}/{{id}}": Line(who=ALL, denial=CREATE_HOOK, status=409, body=NEW_HOOK),
    f"GET {_CONNECTOR}/{{id}}": get(elsewhere=404),
    f"PUT {_CONNECTOR}/{{id}}": update(body=HOOK),
    f"DELETE {_CONNECTOR}/{{id}}": Line(who=ALL, denial=DELETE, status=404, path={"id": "none"}),
    f"POST {_CONNECTOR}/{{id}}/_execute": run(body={"params": {"body": "x"}}),
    "GET /api/actions/connectors": get(),
    "GET /internal/actions/connectors": get(),
    "GET /api/actions/connector_types": Line(who=LOGIN),
    "GET /internal/actions/connector_types": Line(who=LOGIN),
    "GET /internal/actions/connector_types/{id}/spec": Line(who=LOGIN, status=404, path={"id": ".none"}),
    f"GET {_OWN}": get(elsewhere=404),
    f"POST {_OWN}/_enable": update(),
    f"POST {_OWN}/_disable": update(path={"id": "c2"}),
    f"GET {_OWN}/delivery_policy": get(elsewhere=404),
    f"PUT {_OWN}/delivery_policy": update(body={}),
    f"GET {_MANY}/history": get(elsewhere=404),
    f"POST {_MANY}/restore": update(body={"version": 1}),
    f"POST {_MANY}/_dry_run": run(body={"params": {"body": "x"}}),
    "POST /api/connectory/action_requests": execute(status=202, body={"connector_id": "c2", "params": {}}),
    "DELETE /api/connectory/action_requests/{request_id}": execute(
        status=202, query="?connector_id=none", is_slow=True
    ),
    "GET /api/connectory/event_log": get(),
    "POST /internal/actions/_global_connector_execution_logs": get(body=SINCE),
    "POST /internal/actions/_global_connector_execution_kpi": get(body=SINCE),
    "GET /internal/event_log/{type}/{id}/_find": get(elsewhere=404, path={"type": "action"}),
    "POST /internal/event_log/{type}/_find": get(elsewhere=404, path={"type": "action"}, body={"ids": ["c1"]}),
    "GET /{index}/_search": Line(who=BASE, denial=GET, path={"index": ".kibana-event-log*"}),
    "POST /{index}/_search": Line(who=BASE, denial=GET, path={"index": ".kibana-event-log*"}, body={}),
    f"PUT {_REFERENCES}/{{type}}/{{id}}": run(path={"type": "rule"}),
    f"DELETE {_REFERENCES}/{{type}}/{{id}}": run(status=204, path={"type": "rule"}),
    f"GET {_REFERENCES}": get(elsewhere=404),
    f"POST {_INTERNAL}/_oauth_access_token": update(status=400, elsewhere=400, body=TOKEN_TEST),
    f"POST {_INTERNAL}/{{connectorId}}/_start_oauth_flow": execute(status=400),
    f"POST {_INTERNAL}/{{connectorId}}/_oauth_disconnect": execute(status=204, elsewhere=404),
    f"POST {_INTERNAL}/{{connectorId}}/_oauth_cancel": execute(status=204, body={"state": "s"}),
    "POST /internal/actions/connectors/_me/auth_status": execute(),
    f"GET {_CONNECTOR}/_oauth_callback": Line(who=LOGIN),
    "POST /api/encrypted_saved_objects/_rotate_key": Line(who=SUPERUSER, denial="Forbidden", status=400),
    "GET /api/connectory/dead_letters": get(),
    "GET /api/connectory/dead_letters/{id}": get(status=404),
    "POST /api/connectory/dead_letters/_redrive": execute(body={"filter": {}}),
    "POST /api/connectory/dead_letters/_drop": Line(who=ALL, denial=DELETE, body={"filter": {}}),
    "GET /api/spaces/space": Line(who=READ, denial="Unauthorized to get spaces", counts_in=ANYWHERE),
    "GET /api/spaces/space/{id}": Line(
        who=READ, denial="Unauthorized to get red space", counts_in=RED, path={"id": RED}
    ),
    "POST /api/spaces/space": manage_spaces("create", status=409, body={"id": RED, "name": "Red"}),
    "PUT /api/spaces/space/{id}": manage_spaces("update", status=404, path={"id": "none"}, body=SPACE),
    "DELETE /api/spaces/space/{id}": manage_spaces("delete", status=404, path={"id": "none"}),
    "POST /api/connectory/api_keys": Line(who=LOGIN, body={"name": "key"}),
    "GET /api/connectory/api_keys": Line(who=LOGIN),
    "DELETE /api/connectory/api_keys/{id}": Line(who=LOGIN, status=404, path={"id": "none"}),
    "POST /api/saved_objects/_export": Line(who=READ, denial="Unable to bulk_get action", body={"type": ["action"]}),
    "POST /api/saved_objects/_import": Line(who=ALL, denial=IMPORT, form=file),
    "POST /api/saved_objects/_resolve_import_errors": Line(who=ALL, denial=IMPORT, form=lambda: file(retries="[]")),
    "POST /api/spaces/_copy_saved_objects": Line(
        who=BASE, denial=COPY, status=404, body={"spaces": [BLUE], "objects": [COPIED]}
    ),
    "POST /api/spaces/_resolve_copy_saved_objects_errors": Line(
        who=BASE, denial=COPY, status=404, body={"objects": [COPIED], "retries": {BLUE: []}}
    ),
    "GET /schemas/ids/{id}": Line(who=LOGIN, path={"id": "1"}),
    "GET /subjects": Line(who=LOGIN),
    "GET /subjects/{subject}/versions": Line(who=LOGIN, path={"subject": "connectory.ApiKey"}),
    "GET /subjects/{subject}/versions/{version}": Line(
        who=LOGIN, path={"subject": "connectory.ApiKey", "version": "1"}
    ),
    "GET /api/task_manager/_health": Line(who=LOGIN),
    "GET /api/connectory/openapi.json": Line(who=LOGIN),
}
TABLE: Final[Mapping[str, Line]] = _TABLE
"""By method and path, without base path and space."""

WITHOUT_LOGIN: Final = frozenset({"GET /api/status", "GET /"})
