"""An external schema registry (Confluent's HTTP API) in the place of the ids that come with Connectory."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from connectory.domain.errors import ConnectoryError, SettingsInvalid, Unavailable
from connectory.infra.settings import SchemaRegistrySettings
from connectory_schemas.registry import RegisteredSchema, SchemaRegistry, bundled_schemas

REFRESH_SECONDS: Final = 30.0
"""How long a version that others register meanwhile may stay unknown here."""

_CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"
log = logging.getLogger(__name__)


@asynccontextmanager
async def open_schemas(
    settings: SchemaRegistrySettings, refresh_seconds: float = REFRESH_SECONDS
) -> AsyncIterator[SchemaRegistry]:
    """The schemas of the registry that is set, kept up to date; without one those that come with Connectory.

    Raises as `ExternalRegistry.register`.
    """
    if settings.url is None:
        yield bundled_schemas()
        return
    password = settings.password.get_secret_value() if settings.password else None
    async with open_external_registry(settings.url, user=settings.user, password=password) as registry:
        refreshing = asyncio.create_task(_keep_refreshing(registry, refresh_seconds))
        try:
            yield registry.schemas
        finally:
            refreshing.cancel()
            await asyncio.wait([refreshing])


async def _keep_refreshing(registry: "ExternalRegistry", seconds: float) -> None:
    """What is known stays good while the registry is away."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await registry.refresh()
        except ConnectoryError as error:
            log.warning("new schemas are not known yet: %s", error)


class ExternalRegistry:
    """Our schemas under the ids that the external registry gave them, and whatever else it has for our subjects.

    `schemas` is what `Messages` takes; `refresh` adds to it in place, so that records of a newer Connectory, whose
    schema ids were not known at start, become readable.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.schemas = SchemaRegistry()
        self._session = session
        self._url = url.rstrip("/")
        self._ours: dict[int, RegisteredSchema] = {}
        self._seen: set[tuple[str, int]] = set()

    async def register(self) -> None:
        """Register every version of our schemas, oldest first, and learn the ids. Harmless to repeat.

        Raises `Unavailable` when the registry cannot be reached or fails, `SettingsInvalid` when it refuses.
        """
        for ours in bundled_schemas():
            answer = await self._call("POST", f"/subjects/{ours.subject}/versions", {"schema": ours.text})
            self._ours[int(answer["id"])] = ours
        await self.refresh()

    async def refresh(self) -> None:
        """Fetch the versions of our subjects that are not known yet. Raises as `register` does."""
        for subject in bundled_schemas().subjects():
            await self._refresh_subject(subject)

    async def _refresh_subject(self, subject: str) -> None:
        for version in await self._call("GET", f"/subjects/{subject}/versions"):
            if (subject, version) not in self._seen:
                found = await self._call("GET", f"/subjects/{subject}/versions/{version}")
                self._add(subject, version, int(found["id"]), str(found["schema"]))

    def _add(self, subject: str, version: int, schema_id: int, text: str) -> None:
        """A registry may reformat what it was given: for ids that it gave to ours, our own text counts."""
        ours = self._ours.get(schema_id)
        self.schemas.add(RegisteredSchema(schema_id, subject, version, ours.text if ours else text))
        self._seen.add((subject, version))

    async def _call(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        try:
            async with self._session.request(method, self._url + path, json=body) as response:
                if response.status >= HTTPStatus.BAD_REQUEST:
                    raise _refusal(method, path, response.status, await response.text())
                return await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise Unavailable(f"The schema registry does not answer {method} {path}: {reason}") from error


def _refusal(method: str, path: str, status: int, detail: str) -> SettingsInvalid | Unavailable:
    text = f"The schema registry answered {method} {path} with {status}: {detail[:200]}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unavailable(text)
    return SettingsInvalid(f"{text}; check its address, its credentials and its compatibility settings")


@asynccontextmanager
async def open_external_registry(
    url: str, *, user: str | None = None, password: str | None = None, timeout_seconds: float = 10.0
) -> AsyncIterator[ExternalRegistry]:
    """Connect and register our schemas; `timeout_seconds` bounds each call. Raises as `ExternalRegistry.register`."""
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    headers = {"Content-Type": _CONTENT_TYPE, "Accept": _CONTENT_TYPE}
    if user is not None:
        headers["Authorization"] = "Basic " + b64encode(f"{user}:{password or ''}".encode()).decode()
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
        registry = ExternalRegistry(session, url)
        await registry.register()
        yield registry
