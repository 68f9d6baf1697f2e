"""Saved connectors whose ids the settings have taken since: named once, when the gateway starts."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from connectory.domain.errors import Unavailable
from connectory.domain.in_memory_connectors import InMemoryConnectors
from connectory.gateway.read_models import ConnectorViews
from connectory_projections.connectors_by_space import ConnectorView

RETRY_SECONDS: Final = 5.0

log = logging.getLogger(__name__)


async def warn_of_shadowed(in_memory: InMemoryConnectors, views: ConnectorViews) -> None:
    """Return when it is said, which may take until the database can be reached."""
    ids = [each.connector_id for each in in_memory]
    shadowed = sorted(view.connector_id for view in await _with_ids(views, ids)) if ids else []
    if shadowed:
        log.warning(
            "saved connectors have the same ids as preconfigured ones, which win: %s. Of the saved ones, only their "
            "deletion is possible",
            ", ".join(shadowed),
        )


async def _with_ids(views: ConnectorViews, ids: list[str]) -> Sequence[ConnectorView]:
    while True:
        try:
            return await views.with_ids(ids)
        except Unavailable:
            await asyncio.sleep(RETRY_SECONDS)
