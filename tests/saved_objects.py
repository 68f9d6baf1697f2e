"""Files of saved objects, and the calls that take them."""

import io
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import FormData

from tests.http_gateway import Answer, HttpCaller

EXPORT = "/api/saved_objects/_export"
IMPORT = "/api/saved_objects/_import"
RESOLVE = "/api/saved_objects/_resolve_import_errors"
COPY = "/api/spaces/_copy_saved_objects"
RESOLVE_COPY = "/api/spaces/_resolve_copy_saved_objects_errors"

Line = Mapping[str, Any]


def line(connector_id: str = "c1", name: str = "hook", **changes: Any) -> dict[str, Any]:
    """A connector as an export has it; what is given for `attributes` comes on top of them."""
    attributes = {
        "actionTypeId": ".webhook",
        "config": {"url": "http://target/a", "hasAuth": True},
        "isMissingSecrets": True,
        "name": name,
        "secrets": {},
        **changes.pop("attributes", {}),
    }
    return {"type": "action", "id": connector_id, "attributes": attributes, "references": [], **changes}


def log(connector_id: str = "c1", name: str = "hook", **changes: Any) -> dict[str, Any]:
    """A connector that needs no secrets."""
    attributes = {"actionTypeId": ".server-log", "config": {}, "isMissingSecrets": False}
    return line(connector_id, name, attributes=attributes, **changes)


def ndjson(*lines: Line) -> bytes:
    return "\n".join(json.dumps(each) for each in lines).encode()


def form(content: bytes, filename: str = "export.ndjson", retries: Any = None) -> FormData:
    data = FormData()
    data.add_field("file", io.BytesIO(content), filename=filename)
    if retries is not None:
        data.add_field("retries", json.dumps(retries))
    return data


def fields(**given: str) -> FormData:
    """A form of texts, which are no files."""
    data = FormData(default_to_multipart=True)
    for name, text in given.items():
        data.add_field(name, text)
    return data


async def import_(gateway: HttpCaller, *lines: Line, space: str = "", query: str = "", **options: Any) -> Answer:
    return await gateway.call("POST", f"{space}{IMPORT}{query}", data=form(ndjson(*lines)), **options)


async def resolve(
    gateway: HttpCaller, retries: Any, *lines: Line, space: str = "", query: str = "", **options: Any
) -> Answer:
    return await gateway.call("POST", f"{space}{RESOLVE}{query}", data=form(ndjson(*lines), retries=retries), **options)


def success(connector_id: str = "c1", name: str = "hook", **more: Any) -> dict[str, Any]:
    """An object that was imported, as the answer has it."""
    return {"type": "action", "id": connector_id, "meta": {"title": f"Connector: [{name}]"}, "managed": False, **more}


def failure(error: Mapping[str, Any], connector_id: str = "c1", **more: Any) -> dict[str, Any]:
    return {"type": "action", "id": connector_id, "meta": {}, "error": error, **more}


def result(*successes: Any, errors: Any = (), warnings: Any = ()) -> dict[str, Any]:
    """The answer to an import: lists of nothing are left out, but for the warnings."""
    shown: dict[str, Any] = {"success": not errors, "successCount": len(successes), "warnings": [*warnings]}
    if successes:
        shown["successResults"] = [*successes]
    if errors:
        shown["errors"] = [*errors]
    return shown


def warning(message: str) -> dict[str, Any]:
    return {
        "type": "action_required",
        "message": message,
        "actionPath": "/app/management/insightsAndAlerting/triggersActionsConnectors",
        "buttonLabel": "Go to connectors",
    }


ONE_ASKS = warning("1 connector has sensitive information that require updates.")
