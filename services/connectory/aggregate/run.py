"""The aggregate's role: every aggregate in a loop of its own, so that one in trouble does not hold up another."""

import asyncio

from connectory.aggregate.aggregate import Aggregate, C, E, S, connector_aggregate, space_aggregate
from connectory.aggregate.partition import run_aggregate
from connectory.domain.connector import TypeRules
from connectory.infra.log import Log
from connectory.infra.messages import Messages
from connectory.infra.supervision import keep_running


async def run_aggregates(log: Log, messages: Messages, rules: TypeRules) -> None:
    """Be one instance of each aggregate until cancelled; one that fails is started again."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_keep_deciding(log, messages, connector_aggregate(rules)))
        tasks.create_task(_keep_deciding(log, messages, space_aggregate()))


async def _keep_deciding(log: Log, messages: Messages, aggregate: Aggregate[C, S, E]) -> None:
    async def body() -> None:
        await run_aggregate(log, messages, aggregate)

    await keep_running(f"the {aggregate.name} aggregate", body)
