"""Take connectors out as lines of JSON, bring them in, and copy them to other spaces."""

import asyncio
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import hdrs, web

from connectory.domain.json_types import Json
from connectory.gateway import authorization, json_bodies
from connectory.gateway.contracts import saved_objects as contracts
from connectory.gateway.errors import Rejected
from connectory.gateway.incoming import Form
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory.gateway.saved_objects import export_lines, texts
from connectory.gateway.saved_objects.bodies import (
    CopyBody,
    ExportBody,
    ImportQuery,
    ResolveCopyBody,
    ResolveQuery,
    RetriesForm,
)
from connectory.gateway.saved_objects.copying import Copies
from connectory.gateway.saved_objects.exporting import Exports, ObjectsMissing
from connectory.gateway.saved_objects.import_results import ImportOutcome
from connectory.gateway.saved_objects.importing import Imports
from connectory.gateway.saved_objects.ndjson import MEDIA_TYPE, read_objects, write_lines
from connectory.gateway.saved_objects.objects import SavedObject
from connectory.gateway.validation import check, violation
from connectory.infra.settings import SavedObjectsSettings

FILE: Final = "file"
RETRIES: Final = "retries"
EXTENSION: Final = ".ndjson"


@dataclass(frozen=True, slots=True)
class SavedObjectRoutes:
    exports: Exports
    imports: Imports
    limits: SavedObjectsSettings

    def table(self) -> tuple[Route, ...]:
        objects, spaces = "/api/saved_objects", "/api/spaces"
        largest = self.limits.max_import_payload_bytes
        return (
            Route("POST", objects + "/_export", self.export, contract=contracts.EXPORT),
            Route("POST", objects + "/_import", self.import_, contract=contracts.IMPORT, largest_body=largest),
            Route(
                "POST",
                objects + "/_resolve_import_errors",
                self.resolve,
                contract=contracts.RESOLVE,
                largest_body=largest,
            ),
            Route("POST", spaces + "/_copy_saved_objects", self.copy, contract=contracts.COPY),
            Route(
                "POST",
                spaces + "/_resolve_copy_saved_objects_errors",
                self.resolve_copy,
                contract=contracts.RESOLVE_COPY,
            ),
        )

    async def export(self, call: Call) -> web.Response:
        body = check(ExportBody, call.body, "body")
        body.check_together()
        self.exports.check_number(len(body.keys))
        call.require(authorization.EXPORT_ACTIONS)
        lines = await self._lines(call, body)
        if not body.exclude_export_details:
            lines = [*lines, export_lines.details(len(lines))]
        headers = {
            hdrs.CONTENT_TYPE: MEDIA_TYPE,
            hdrs.CONTENT_DISPOSITION: 'attachment; filename="export.ndjson"',
        }
        return web.Response(body=await asyncio.to_thread(write_lines, lines), headers=headers)

    async def _lines(self, call: Call, body: ExportBody) -> list[Json]:
        """Connectors refer to nothing: of those that refer to something there are none."""
        if body.has_reference:
            return []
        if not body.objects:
            return [*await self.exports.of_space(call.space_id, body.search)]
        try:
            return [*await self.exports.of_objects(call.space_id, body.keys)]
        except ObjectsMissing as missing:
            raise Rejected(400, texts.FETCHING, missing.attributes) from missing

    async def import_(self, call: Call) -> web.Response:
        wishes = check(ImportQuery, call.query, "query").wishes()
        objects = await self._objects(call.form, {FILE})
        call.require(authorization.IMPORT_ACTIONS)
        return _told(call, await self.imports.import_(objects, wishes, call.origin))

    async def resolve(self, call: Call) -> web.Response:
        query = check(ResolveQuery, call.query, "query")
        query.check_together()
        _check_file(call.form, {FILE, RETRIES})
        copies = query.create_new_copies
        retries = check(RetriesForm, _retries(call.form), "body").checked(create_new_copies=copies)
        objects = await self._objects(call.form, {FILE, RETRIES})
        call.require(authorization.IMPORT_ACTIONS)
        result = await self.imports.resolve(objects, retries, call.origin, create_new_copies=copies)
        return _told(call, result)

    async def copy(self, call: Call) -> web.Response:
        body = check(CopyBody, call.body, "body")
        wishes, targets = body.wishes(), body.targets()
        self.exports.check_number(len(body.keys))
        _require_copying(call, targets)
        try:
            result = await self._copies.copy(body.keys, targets, wishes, call.origin)
        except ObjectsMissing as missing:
            raise Rejected(404, texts.NOT_FOUND, missing.attributes) from missing
        return _told_by_space(call, result)

    async def resolve_copy(self, call: Call) -> web.Response:
        body = check(ResolveCopyBody, call.body, "body")
        wishes, retries = body.wishes(), body.checked()
        self.exports.check_number(len(body.keys))
        _require_copying(call, retries)
        try:
            result = await self._copies.resolve(
                body.keys, retries, call.origin, create_new_copies=wishes.create_new_copies
            )
        except ObjectsMissing as missing:
            raise Rejected(404, texts.NOT_FOUND, missing.attributes) from missing
        return _told_by_space(call, result)

    @property
    def _copies(self) -> Copies:
        return Copies(self.exports, self.imports)

    async def _objects(self, form: Form, parts: set[str]) -> list[SavedObject]:
        """In a thread: a file of the largest size takes a while to read."""
        _check_file(form, parts)
        return await asyncio.to_thread(read_objects, form[FILE].content, self.limits.max_import_export_size)


def _told(call: Call, outcome: ImportOutcome) -> web.Response:
    call.concerns(*outcome.written)
    return answer(outcome.shown)


def _told_by_space(call: Call, outcomes: Mapping[str, ImportOutcome]) -> web.Response:
    call.concerns(*(connector_id for outcome in outcomes.values() for connector_id in outcome.written))
    return answer({space_id: outcome.shown for space_id, outcome in outcomes.items()})


def _check_file(form: Form, parts: set[str]) -> None:
    """Raises `Rejected` (400) when there is no file of lines, or a part that nobody knows."""
    if FILE not in form:
        raise violation("body", (FILE,), "expected value of type [Stream] but got [undefined]")
    filename = form[FILE].filename
    if filename is None:
        raise violation("body", (FILE,), "expected value of type [Stream] but got [string]")
    for name in form:
        if name not in parts:
            raise violation("body", (name,), "definition for this key is missing")
    extension = posixpath.splitext(filename)[1].lower()
    if extension != EXTENSION:
        raise Rejected.bad_request(texts.bad_extension(extension))


def _retries(form: Form) -> dict[str, Json]:
    if RETRIES not in form:
        return {}
    try:
        return {RETRIES: json_bodies.parse(form[RETRIES].content)}
    except json_bodies.InvalidJson:
        raise violation("body", (RETRIES,), "could not parse array value from json input") from None


def _require_copying(call: Call, targets: Iterable[str]) -> None:
    """A copy is an export here and an import there: whoever may do neither cannot do both. One denial is for all."""
    needed = (authorization.EXPORT_ACTIONS, *(authorization.IMPORT_ACTIONS.in_space(target) for target in targets))
    call.require(authorization.COPY_TO_SPACES)
    for operation in needed:
        call.require(replace(operation, denial=authorization.COPY_TO_SPACES.denial))
