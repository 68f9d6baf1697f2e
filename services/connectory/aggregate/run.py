"""The aggregate's role: every aggregate in a loop of its own, with its own group and transactional ids."""

import asyncio

from connectory.aggregate.aggregate import connector_aggregate, space_aggregate
from connectory.aggregate.partition import run_aggregate
from connectory.domain.connector import TypeRules
from connectory.infra.log import Log
from connectory.infra.messages import Messages


async def run_aggregates(log: Log, messages: Messages, rules: TypeRules) -> None:
    """Be one instance of each aggregate until cancelled; when one fails, all end, to be started again together."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_aggregate(log, messages, connector_aggregate(rules)))
        tasks.create_task(run_aggregate(log, messages, space_aggregate()))
