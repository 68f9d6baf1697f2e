"""Drops the days that have expired."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import NoReturn

from connectory.domain.errors import Unavailable
from connectory.infra.clock import Clock
from connectory.projector.ports import RowStore
from connectory_projections.model import AnyProjection

EVERY_SECONDS = 3600.0
AFTER_FAILURE_SECONDS = 60.0

log = logging.getLogger(__name__)


async def keep_dropping_expired(
    store: RowStore, projections: Iterable[AnyProjection], *, retention: timedelta, now: Clock
) -> NoReturn:
    """Drop every hour, until cancelled, the days that ended longer ago than `retention`."""
    with_days = [p for p in projections if any(table.partitioned_by_day for table in p.tables)]
    while True:
        wait = await _drop_expired(store, with_days, retention, now)
        await asyncio.sleep(wait)


async def _drop_expired(
    store: RowStore, projections: Iterable[AnyProjection], retention: timedelta, now: Clock
) -> float:
    """Return the seconds until the next time."""
    try:
        for projection in projections:
            for name in await store.drop_expired(projection, now() - retention):
                log.info("dropped %s: it is older than %s", name, retention)
    except Unavailable as error:
        log.warning("expired days stay for now: %s", error)
        return AFTER_FAILURE_SECONDS
    return EVERY_SECONDS
