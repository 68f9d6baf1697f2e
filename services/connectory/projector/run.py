"""The projector's role: every projection followed on its own, so that one in trouble does not hold up another."""

import asyncio
from collections.abc import Sequence

from connectory.infra.log import Log
from connectory.infra.supervision import keep_running
from connectory.projector.following import follow
from connectory.projector.ports import Decoder, RowStore
from connectory.projector.retention import keep_dropping_expired
from connectory_projections import ALL
from connectory_projections.model import AnyProjection


async def run_projector(
    log: Log,
    messages: Decoder,
    store: RowStore,
    projections: Sequence[AnyProjection] = ALL,
) -> None:
    """Keep the projections up to date until cancelled.

    The tables must be there (`migrate`). A server that is away is waited for; a projection that is taken over by
    another instance joins anew.
    """

    async def drop_expired() -> None:
        await keep_dropping_expired(store, projections)

    async with asyncio.TaskGroup() as tasks:
        for projection in projections:
            tasks.create_task(_keep_following(log, messages, store, projection))
        tasks.create_task(keep_running("dropping expired days", drop_expired))


async def _keep_following(log: Log, messages: Decoder, store: RowStore, projection: AnyProjection) -> None:
    async def body() -> None:
        await follow(log, messages, store, projection)

    await keep_running(f"projection {projection.name}", body)
