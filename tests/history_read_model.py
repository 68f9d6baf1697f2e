"""History of and references to connectors over rows in memory: what the SQL of their queries says, in Python."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectory.domain.references import ConnectorReference
from connectory.infra.in_memory_rows import InMemoryRowStore
from connectory_projections import connector_history, connector_references
from connectory_projections.connector_history import EarlierDetails, HistoryPage
from connectory_projections.connector_references import ReferencePage
from connectory_projections.connectors_by_space import ConnectorView
from connectory_projections.paging import read_cursor

Rows = list[Mapping[str, Any]]
DETAILS = ("name", "connector_type_id", "config", "is_missing_secrets")


class InMemoryHistory:
    def __init__(self, store: InMemoryRowStore, reach: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._reach = reach

    async def page(self, space_id: str, connector_id: str, limit: int, cursor: str | None) -> HistoryPage:
        query = connector_history.newest(space_id, connector_id, limit=limit, cursor=cursor)
        end = read_cursor(cursor, int)[1] if cursor else None
        rows = await self._rows(space_id, connector_id)
        listed = [
            query.read(_with_before(rows, row)) for row in reversed(rows) if end is None or row["log_offset"] < end
        ]
        return connector_history.page_of(listed[: limit + 1], limit)

    async def as_of(self, space_id: str, connector_id: str, at: datetime) -> ConnectorView | None:
        return next((view for view in await self.all_as_of(space_id, at) if view.connector_id == connector_id), None)

    async def all_as_of(self, space_id: str, at: datetime) -> Sequence[ConnectorView]:
        lives: dict[str, Rows] = {}
        for row in await self._rows(space_id):
            if row["at"] <= at:
                life = lives.setdefault(row["connector_id"], [])
                life.append(row)
                if row["change"] == "deleted":
                    life.clear()
        read = connector_history.all_as_of(space_id, at).read
        views = [read(_as_it_was(life)) for life in lives.values() if any(row["name"] is not None for row in life)]
        return sorted(views, key=lambda view: (view.name_sort_key, view.created_at, view.connector_id))

    async def at_version(self, space_id: str, connector_id: str, version: int) -> EarlierDetails | None:
        rows = await self._rows(space_id, connector_id)
        wanted = [row for row in rows if row["version"] == version and row["change"] != "deleted"]
        if not wanted:
            return None
        detailed = [row for row in rows if row["name"] is not None and row["log_offset"] <= wanted[-1]["log_offset"]]
        return connector_history.at_version(space_id, connector_id, version).read(detailed[-1]) if detailed else None

    async def _rows(self, space_id: str, connector_id: str | None = None) -> Rows:
        """Oldest first."""
        await self._reach()
        rows = [row for row in self._store.rows(connector_history.TABLE.name) if row["space_id"] == space_id]
        rows = [row for row in rows if connector_id in (None, row["connector_id"])]
        return sorted(rows, key=lambda row: int(str(row["log_offset"])))


class InMemoryReferences:
    def __init__(self, store: InMemoryRowStore, reach: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._reach = reach

    async def page(self, space_id: str, connector_id: str | None, limit: int, cursor: str | None) -> ReferencePage:
        connector_references.newest(space_id, connector_id, limit=limit, cursor=cursor)  # refuses a cursor of no page
        found = [each for each in await self._all(space_id) if connector_id in (None, each.connector_id)]
        found.sort(key=lambda each: (each.at, each.key), reverse=True)
        after = next((n for n, each in enumerate(found, 1) if connector_references.cursor_after(each) == cursor), 0)
        return connector_references.page_of(found[after : after + limit + 1], limit)

    async def counts(self, space_id: str) -> Mapping[str, int]:
        return Counter(each.connector_id for each in await self._all(space_id))

    async def _all(self, space_id: str) -> list[ConnectorReference]:
        await self._reach()
        read = connector_references.newest(space_id, limit=1).read
        rows = self._store.rows(connector_references.TABLE.name)
        return [read(row) for row in rows if row["space_id"] == space_id]


def _with_before(rows: Rows, row: Mapping[str, Any]) -> Mapping[str, Any]:
    earlier = [each for each in rows if each["log_offset"] < row["log_offset"]]
    begins = [each["log_offset"] for each in [*earlier, row] if each["version"] == 1]
    life = [each for each in earlier if each["log_offset"] >= (begins[-1] if begins else 0)]
    policies = [each for each in life if each["delivery_policy"] is not None and row["delivery_policy"] is not None]
    details = [each for each in life if each["name"] is not None and row["name"] is not None]
    before = {f"{name}_before": details[-1][name] if details else None for name in DETAILS}
    return {**row, **before, "delivery_policy_before": policies[-1]["delivery_policy"] if policies else None}


def _as_it_was(life: Rows) -> Mapping[str, Any]:
    first, last = life[0], life[-1]
    details = [row for row in life if row["name"] is not None][-1]
    origins = [row["origin_id"] for row in life if row["change"] == "imported"]
    policies = [row["delivery_policy"] for row in life if row["delivery_policy"] is not None]
    switches = [row["enabled"] for row in life if row["enabled"] is not None]
    return {
        **details,
        "version": last["version"],
        "origin_id": origins[-1] if origins else None,
        "enabled": switches[-1] if switches else None,
        "delivery_policy": policies[-1] if policies else None,
        "created_at": first["at"],
        "created_by": first["by"],
        "updated_at": last["at"],
        "updated_by": last["by"],
    }
