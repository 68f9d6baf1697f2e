"""The executor role: carries out action requests and records what became of each.

`partition` owns a partition and holds the flow together; `intake` reads records, `ledger` knows what happened to them
before, `dispatch` chooses what runs next, `attempts` runs it, `journal` writes the outcomes, `progress` knows how far
the group has come, `connectors` what there is to run through.
"""

import asyncio

from connectory.executor.attempts import World
from connectory.executor.journal import OutcomeJournal
from connectory.executor.partition import Executor, Limits, execute_partition
from connectory.executor.slots import Slots
from connectory.infra.log import Log, Share
from connectory.infra.topics import ACTION_REQUESTS, REPLIES

__all__ = ["Limits", "World", "run_executor"]

GROUP = "executor"


async def run_executor(log: Log, world: World, limits: Limits) -> None:
    """Be one executor until cancelled."""
    partitions = await log.partition_count(ACTION_REQUESTS)
    reply_partitions = await log.partition_count(REPLIES)
    async with log.writer() as writer, asyncio.TaskGroup() as tasks:
        journal = OutcomeJournal(writer, world.messages)
        executor = Executor(log, journal, world, limits, Slots(limits.in_flight), partitions, reply_partitions)

        async def serve(share: Share) -> None:
            await execute_partition(executor, share)

        tasks.create_task(journal.run())
        await log.join(GROUP, [ACTION_REQUESTS], serve)
