"""The executor role: carries out action requests and records what became of each.

`partition` owns a partition and holds the flow together; before that, `takeover` finds out what is known. On its way a
request (`jobs`) passes `intake`, which reads records, and `ledger`, which knows what happened before. `lanes` choose
what runs next, by `ordering`, `dispatch` and `throttle`; `attempts` run it through one of the `connectors`;
`settlement` decides what follows, and `postponement` keeps what waits. The `journal` writes it all down, `progress`
knows how far the group has come, and `sweep` ends what nobody wants any more. `statistics` are counted on the way, for
`reporting` to tell of.
"""

import asyncio

from connectory.executor.attempts import World
from connectory.executor.environment import Executor, Limits
from connectory.executor.journal import OutcomeJournal
from connectory.executor.partition import execute_partition
from connectory.executor.policies import LimitRule, RunPolicies, RunSettings
from connectory.executor.reporting import Reporting, ReportSettings
from connectory.executor.slots import Slots
from connectory.executor.statistics import Statistics
from connectory.infra.log import Log, Share
from connectory.infra.topics import ACTION_REQUESTS, EXECUTORS, REPLIES, RETRY_TOPICS

__all__ = ["LimitRule", "Limits", "ReportSettings", "RunSettings", "World", "run_executor"]


async def run_executor(
    log: Log, world: World, limits: Limits, *, samples: int = 50, reports: ReportSettings | None = None
) -> None:
    """Be one executor until cancelled. `samples` are kept of each kind, and told of as `reports` says."""
    partitions = await log.partition_count(ACTION_REQUESTS)
    reply_partitions = await log.partition_count(REPLIES)
    async with log.writer() as writer, asyncio.TaskGroup() as tasks:
        journal = OutcomeJournal(writer, world.messages)
        executor = Executor(
            log=log,
            journal=journal,
            world=world,
            limits=limits,
            policies=RunPolicies(limits.runs, world.registry),
            slots=Slots(limits.in_flight),
            statistics=Statistics(world.clock, samples),
            partitions=partitions,
            reply_partitions=reply_partitions,
        )

        async def serve(share: Share) -> None:
            await execute_partition(executor, share)

        tasks.create_task(journal.run())
        if reports is not None:
            tasks.create_task(Reporting(executor, writer, reports).run())
        await log.join(EXECUTORS, [ACTION_REQUESTS, *RETRY_TOPICS], serve)
