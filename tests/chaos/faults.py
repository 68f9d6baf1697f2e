"""How each kind of fault is brought about, and undone."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from connectory.roles import Role
from tests.chaos.cluster import Cluster, RoleProcess
from tests.chaos.installation import Installation
from tests.chaos.plan import Fault, Kind
from tests.chaos.sink import Mood, Sink

MOODS = {
    Kind.HANGING: Mood.HANGING,
    Kind.RESETTING: Mood.RESETTING,
    Kind.SLOW: Mood.SLOW,
    Kind.FAILING: Mood.FAILING,
    Kind.BUSY: Mood.BUSY,
}
ROLES = {
    Kind.KILL_AGGREGATE: Role.AGGREGATE,
    Kind.KILL_GATEWAY: Role.GATEWAY,
    Kind.KILL_PROJECTOR: Role.PROJECTOR,
}
SETTLE_SECONDS = 3.0
"""Between two changes in the number of executors: so that the one before has taken effect, or is just about to."""


class Faults(Protocol):
    """Those that one sort of installation can be given."""

    async def inject(self, fault: Fault) -> None:
        """Return when it is over, and what was taken away is given back."""
        ...


class UpFaults:
    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    async def inject(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL_UP | Kind.KILL_UP_AND_SERVERS:
                await self._installation.kill(with_servers=fault.kind is Kind.KILL_UP_AND_SERVERS)
            case Kind.TERMINATE_UP:
                await self._installation.terminate()
            case _:
                raise ValueError(f"not for `connectory up`: {fault}")


class ClusterFaults:
    def __init__(self, cluster: Cluster, sink: Sink, connector_ids: Sequence[str]) -> None:
        self._cluster = cluster
        self._sink = sink
        self._connector_ids = connector_ids

    async def inject(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL_EXECUTOR | Kind.FREEZE_EXECUTOR | Kind.REBALANCE:
                await self._with_executors(fault)
            case Kind.KILL_AGGREGATE | Kind.KILL_GATEWAY | Kind.KILL_PROJECTOR:
                await self._kill(self._cluster.roles[ROLES[fault.kind]], fault.seconds)
            case Kind.KILL_BROKER:
                server = self._cluster.kafka.process
                await _away(server.kill, server.start, fault.seconds)
            case Kind.RESTART_POSTGRES:
                server = self._cluster.postgres.process
                await _away(server.stop if fault.which % 2 else server.kill, server.start, fault.seconds)
            case _:
                await self._sink.bad_time(MOODS[fault.kind], self._some_connectors(fault.which), fault.seconds)

    def _some_connectors(self, which: int) -> list[str]:
        """About half of them."""
        return [each for number, each in enumerate(self._connector_ids) if (which >> number) % 2]

    async def _with_executors(self, fault: Fault) -> None:
        running = [each for each in self._cluster.executors() if each.runs]
        victim = running[fault.which % len(running)]
        match fault.kind:
            case Kind.FREEZE_EXECUTOR:
                await self._freeze(victim, fault.seconds)
            case Kind.REBALANCE:
                await self._rebalance()
            case _:
                await self._kill(victim, fault.seconds)

    async def _kill(self, victim: RoleProcess, seconds: float) -> None:
        victim.kill()
        await asyncio.sleep(seconds)
        victim.start()
        await victim.has_begun()

    async def _freeze(self, victim: RoleProcess, seconds: float) -> None:
        victim.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        victim.signal(signal.SIGCONT)

    async def _rebalance(self) -> None:
        """From two to one, to three, to one, and back."""
        first, second, third = self._cluster.executors()
        await self._cluster.end(second)
        await asyncio.sleep(SETTLE_SECONDS)
        second.start()
        third.start()
        await asyncio.gather(second.has_begun(), third.has_begun())
        await asyncio.sleep(SETTLE_SECONDS)
        await asyncio.gather(self._cluster.end(first), self._cluster.end(third))
        await asyncio.sleep(SETTLE_SECONDS)
        first.start()
        await first.has_begun()


async def _away(take: Callable[[], Awaitable[None]], give: Callable[[], Awaitable[None]], seconds: float) -> None:
    await take()
    await asyncio.sleep(seconds)
    await give()
