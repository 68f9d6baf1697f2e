"""Drops the days that have expired."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import NoReturn

from connectory.domain.errors import Unavailable
from connectory.projector.ports import RowStore
from connectory_projections.model import AnyProjection

EVERY_SECONDS = 3600.0
AFTER_FAILURE_SECONDS = 60.0

log = logging.getLogger(__name__)


async def keep_dropping_expired(store: RowStore, projections: Iterable[AnyProjection]) -> NoReturn:
    """Drop every hour, until cancelled, the days that have expired."""
    expiring = [each for each in projections if any(table.expiry for table in each.tables)]
    while True:
        wait = await _drop_expired(store, expiring)
        await asyncio.sleep(wait)


async def _drop_expired(store: RowStore, projections: Sequence[AnyProjection]) -> float:
    """Return the seconds until the next time. One that fails keeps no other from it."""
    wait = EVERY_SECONDS
    for projection in projections:
        try:
            for name in await store.drop_expired(projection):
                log.info("dropped %s: it is past its retention", name)
        except Unavailable as error:
            log.warning("expired days of %s stay for now: %s", projection.name, error)
            wait = AFTER_FAILURE_SECONDS
    return wait
