"""Exports: which connectors of a space are asked for, and whether they may leave together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connectory.connector_types.registry import TypeRegistry
from connectory.domain.errors import ConnectoryError, Refused
from connectory.domain.json_types import JsonObject
from connectory.gateway.errors import Rejected, problem_of
from connectory.gateway.read_models import ConnectorViews
from connectory.gateway.saved_objects import export_lines, texts
from connectory.gateway.saved_objects.objects import CONNECTOR, ObjectKey
from connectory_projections.connectors_by_space import ConnectorView

PAGE: Final = 1000


class ObjectsMissing(ConnectoryError):
    """Objects that were asked for and are not there; `attributes` names them for the caller."""

    code = "objects-missing"

    def __init__(self, keys: Sequence[ObjectKey]) -> None:
        super().__init__(f"not in the space: {', '.join(map(str, keys))}")
        self.attributes: JsonObject = {"objects": [_missing(key) for key in keys]}


@dataclass(frozen=True, slots=True)
class Exports:
    """`limit`: most objects of one export."""

    views: ConnectorViews
    types: TypeRegistry
    limit: int

    async def of_space(self, space_id: str, search: str | None) -> list[JsonObject]:
        """The lines of the space's connectors by id. Raises `Rejected` (400) when they are too many."""
        found: list[ConnectorView] = []
        after = ""
        while page := await self.views.by_id(space_id, after, PAGE):
            after = page[-1].connector_id
            found += [view for view in page if search is None or export_lines.matches(view.name, search)]
            self.check_number(len(found))
        return await self._lines(found)

    async def of_objects(self, space_id: str, keys: Sequence[ObjectKey]) -> list[JsonObject]:
        """The lines of these, in their order. Raises `ObjectsMissing` when one is not in the space."""
        wanted = [*dict.fromkeys(keys)]
        views = await self.views.with_ids({key.id for key in wanted}) if wanted else ()
        found = {view.connector_id: view for view in views if view.space_id == space_id}
        missing = [key for key in wanted if key.id not in found]
        if missing:
            raise ObjectsMissing(missing)
        return await self._lines([found[key.id] for key in wanted])

    def check_number(self, number: int) -> None:
        """Raises `Rejected` (400)."""
        if number > self.limit:
            raise Rejected.bad_request(texts.too_many_exported(self.limit))

    async def _lines(self, views: Sequence[ConnectorView]) -> list[JsonObject]:
        """In a thread: thousands of schema checks would hold up every other request."""
        return await asyncio.to_thread(lambda: [export_lines.exported(view, self.types) for view in views])


def check_types(types: Sequence[str]) -> None:
    """Raises `Rejected` (400) for a type that has no exports; `*` is all that have."""
    others = dict.fromkeys(each for each in types if each not in (CONNECTOR, "*"))
    if others:
        raise Rejected.bad_request(texts.not_exportable(", ".join(others)))


def _missing(key: ObjectKey) -> JsonObject:
    problem = problem_of(Refused.not_found(key.id))
    return {"id": key.id, "type": key.type, "error": problem.body()}
