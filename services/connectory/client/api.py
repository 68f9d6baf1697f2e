"""A small client of the HTTP API: connectors and their delivery, direct runs, requests over HTTP, the event log."""

from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from io import BytesIO
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, FormData
from pydantic import TypeAdapter

from connectory.client.models import (
    ApiError,
    Cancellation,
    ConnectorDelivery,
    ConnectorInfo,
    ConnectorReference,
    ConnectorSwitch,
    EventLogItem,
    EventLogPage,
    ExecutionResult,
    ImportResult,
    QueueFull,
    ReferencePage,
)
from connectory.client.requests import NewActionRequest
from connectory.domain.delivery import DeliveryPolicy
from connectory.domain.errors import Unavailable
from connectory.domain.spaces import DEFAULT_SPACE

COMMAND_ID: Final = "x-connectory-command-id"
REPETITIONS: Final = 2
"""Of a change whose outcome is not known. The server itself waits some seconds each time."""

_CUT_OFF: Final = "queuedActionsLimitError"
_POLICY: TypeAdapter[DeliveryPolicy] = TypeAdapter(DeliveryPolicy)


class ConnectoryClient:
    """One space of one installation. An async context manager; every call raises `ApiError` or `Unavailable`.

    async with ConnectoryClient("http://127.0.0.1:5601", "admin", password) as client:
        connector = await client.create_connector("ops", ".server-log")
    """

    def __init__(
        self,
        url: str,
        user: str = "",
        password: str = "",
        *,
        api_key: str | None = None,
        space: str = DEFAULT_SPACE,
        timeout_seconds: float = 90.0,
    ) -> None:
        """`api_key` is the `encoded` of a key, in the place of user and password."""
        authorization = basic_authorization(user, password) if api_key is None else f"ApiKey {api_key}"
        prefix = "" if space == DEFAULT_SPACE else f"/s/{space}"
        self._base = url.rstrip("/") + prefix
        self._session = ClientSession(
            headers={"kbn-xsrf": "connectory-client", "Authorization": authorization},
            timeout=ClientTimeout(total=timeout_seconds),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def create_connector(
        self,
        name: str,
        connector_type_id: str,
        config: Mapping[str, Any] | None = None,
        secrets: Mapping[str, Any] | None = None,
        *,
        connector_id: str | None = None,
    ) -> ConnectorInfo:
        """Create a connector; without an id the server makes one."""
        path = "/api/actions/connector" + (f"/{_segment(connector_id)}" if connector_id else "")
        body = {"connector_type_id": connector_type_id, **_details(name, config, secrets)}
        return ConnectorInfo.model_validate(await self._call("POST", path, body))

    async def connector(self, connector_id: str) -> ConnectorInfo:
        return ConnectorInfo.model_validate(await self._call("GET", _connector(connector_id)))

    async def connectors(self) -> list[ConnectorInfo]:
        """All connectors of the space, sorted by name."""
        return [ConnectorInfo.model_validate(item) for item in await self._call("GET", "/api/actions/connectors")]

    async def update_connector(
        self,
        connector_id: str,
        name: str,
        config: Mapping[str, Any] | None = None,
        secrets: Mapping[str, Any] | None = None,
    ) -> ConnectorInfo:
        """Replace name, config and secrets. Secrets are never kept from before: send them again."""
        answer = await self._call("PUT", _connector(connector_id), _details(name, config, secrets))
        return ConnectorInfo.model_validate(answer)

    async def delete_connector(self, connector_id: str) -> None:
        await self._call("DELETE", _connector(connector_id))

    async def connector_delivery(self, connector_id: str) -> ConnectorDelivery:
        """Whether and how requests through the connector run, and the version that they may be pinned to."""
        return ConnectorDelivery.model_validate(await self._call("GET", _delivery(connector_id)))

    async def enable_connector(self, connector_id: str) -> ConnectorSwitch:
        return ConnectorSwitch.model_validate(await self._call("POST", f"{_delivery(connector_id)}/_enable"))

    async def disable_connector(self, connector_id: str) -> ConnectorSwitch:
        """Run nothing through the connector until it is enabled again; requests that wait end."""
        return ConnectorSwitch.model_validate(await self._call("POST", f"{_delivery(connector_id)}/_disable"))

    async def set_delivery_policy(self, connector_id: str, policy: DeliveryPolicy) -> DeliveryPolicy:
        """Replace all of the policy; what is None is as the settings say."""
        path = f"{_delivery(connector_id)}/delivery_policy"
        return _POLICY.validate_python(await self._call("PUT", path, asdict(policy)))

    async def declare_reference(self, connector_id: str, type_: str, id_: str) -> ConnectorReference:
        """Say that something of yours uses the connector. It may be deleted all the same: its users are warned."""
        path = _reference(connector_id, type_, id_)
        return ConnectorReference.model_validate(await self._call("PUT", path))

    async def withdraw_reference(self, connector_id: str, type_: str, id_: str) -> None:
        """Say that it does not use the connector any more; it need not have been declared."""
        await self._call("DELETE", _reference(connector_id, type_, id_))

    async def references(self, connector_id: str) -> AsyncIterator[ConnectorReference]:
        """Go through what uses the connector, newest first, page by page."""
        query: dict[str, str] = {}
        while True:
            path = f"/api/connectory/references/{_segment(connector_id)}"
            page = ReferencePage.model_validate(await self._call("GET", path, query=query))
            for item in page.items:
                yield item
            if page.next_cursor is None:
                return
            query = {"cursor": page.next_cursor}

    async def cancel(self, request_id: str, connector_id: str | None = None) -> Cancellation:
        """Have a request that waits not run. One that has ended raises `ApiError` (409), saying how.

        `connector_id` spares the search for whoever holds it.
        """
        query = None if connector_id is None else {"connector_id": connector_id}
        path = f"/api/connectory/action_requests/{_segment(request_id)}"
        return Cancellation.model_validate(await self._call("DELETE", path, query=query))

    async def execute(self, connector_id: str, params: Mapping[str, Any]) -> ExecutionResult:
        """Run an action now, once, and wait for its result."""
        answer = await self._call("POST", f"{_connector(connector_id)}/_execute", {"params": dict(params)})
        return ExecutionResult.model_validate(answer)

    async def submit(self, requests: Iterable[NewActionRequest]) -> list[str]:
        """Hand in up to 1,000 requests to be run later and return their ids; the space is that of this client.

        Raises `QueueFull` when some were not taken, the last ones.
        """
        bodies = [request.model_dump(mode="json", exclude_none=True, exclude={"space_id"}) for request in requests]
        answer = await self._call("POST", "/api/connectory/action_requests", {"requests": bodies})
        refused = [item["request_id"] for item in answer["items"] if item.get("status") == _CUT_OFF]
        accepted = [item["request_id"] for item in answer["items"][: len(answer["items"]) - len(refused)]]
        if refused:
            raise QueueFull(accepted, refused)
        return accepted

    async def export_connectors(self) -> bytes:
        """All connectors of the space as a file of JSON lines, without their secrets."""
        async with self._request("POST", "/api/saved_objects/_export", json={"type": "action"}) as response:
            if not response.ok:
                await _answer(response)
            return await response.read()

    async def import_connectors(
        self, content: bytes, *, overwrite: bool = False, new_copies: bool = False
    ) -> ImportResult:
        """Bring in what was exported. While a conflict is left nothing is written: `overwrite` replaces what is there,
        and `new_copies` gives every connector a new id.
        """
        form = FormData()
        form.add_field("file", BytesIO(content), filename="connectors.ndjson", content_type="application/ndjson")
        query = {"overwrite": _flag(overwrite), "createNewCopies": _flag(new_copies)}
        async with self._request("POST", "/api/saved_objects/_import", data=form, params=query) as response:
            return ImportResult.model_validate(await _answer(response))

    async def event_log(self, **filters: str) -> AsyncIterator[EventLogItem]:
        """Go through the event log, newest first, page by page.

        Filters are those of the API: `connector_id`, `connector_type_id`, `action`, `outcome`, `request_id`,
        `execution_id`, `q`, `from` and `to` (pass the latter as `**{"from": …}`).
        """
        cursor: str | None = None
        while True:
            page = await self._page(filters, cursor)
            for item in page.items:
                yield item
            if (cursor := page.next_cursor) is None:
                return

    async def _page(self, filters: Mapping[str, str], cursor: str | None) -> EventLogPage:
        query = dict(filters) if cursor is None else {**filters, "cursor": cursor}
        return EventLogPage.model_validate(await self._call("GET", "/api/connectory/event_log", query=query))

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Mapping[str, str] | None = None
    ) -> Any:
        """A change whose outcome is not known in time is asked for again by the id of its command."""
        headers: dict[str, str] = {}
        repetitions = 0
        while True:
            try:
                async with self._request(method, path, json=body, params=query, headers=headers) as response:
                    return await _answer(response)
            except ApiError as error:
                command_id = error.attributes.get("command_id")
                if not isinstance(command_id, str) or repetitions == REPETITIONS:
                    raise
            headers, repetitions = {COMMAND_ID: command_id}, repetitions + 1

    @asynccontextmanager
    async def _request(self, method: str, path: str, **options: Any) -> AsyncIterator[ClientResponse]:
        try:
            async with self._session.request(method, self._base + path, **options) as response:
                yield response
        except (ClientError, TimeoutError) as error:
            text = str(error) or "no answer in time"
            raise Unavailable(f"cannot reach Connectory at {self._base}: {text}") from error


def basic_authorization(user: str, password: str) -> str:
    """The header `Authorization` of RFC 7617, in UTF-8."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


async def status(url: str) -> str:
    """The level that the system itself reports, `available` when all is well. Needs no login; raises `Unavailable`."""
    try:
        async with ClientSession() as session, session.get(f"{url}/api/status") as response:
            body: Any = await response.json(content_type=None)
            return str(body["status"]["overall"]["level"])
    except (ClientError, TimeoutError, KeyError, TypeError, ValueError) as error:
        raise Unavailable(f"{url} does not answer as Connectory does: {error}") from error


async def _answer(response: ClientResponse) -> Any:
    if response.status == 204:
        return None
    body: Any = await response.json(content_type=None)
    if response.ok:
        return body
    raise ApiError(response.status, _message(body) or response.reason or "no message", _attributes(body))


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _attributes(body: object) -> Mapping[str, Any]:
    match body:
        case {"attributes": dict(attributes)}:
            return attributes
        case _:
            return {}


def _message(body: object) -> str | None:
    match body:
        case {"message": str(message)}:
            return message
        case _:
            return None


def _connector(connector_id: str) -> str:
    return f"/api/actions/connector/{_segment(connector_id)}"


def _delivery(connector_id: str) -> str:
    return f"/api/connectory/connector/{_segment(connector_id)}"


def _reference(connector_id: str, type_: str, id_: str) -> str:
    return "/".join(("/api/connectory/references", *map(_segment, (connector_id, type_, id_))))


def _segment(text: str) -> str:
    return quote(text, safe="")


def _details(name: str, config: Mapping[str, Any] | None, secrets: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"name": name, "config": dict(config or {}), "secrets": dict(secrets or {})}
