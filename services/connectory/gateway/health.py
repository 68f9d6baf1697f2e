"""Whether the servers behind the gateway can be reached."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connectory.domain.errors import ConnectoryError

PROBE_SECONDS = 2.0

Level: TypeAlias = Literal["available", "degraded", "unavailable"]
Probe: TypeAlias = Callable[[], Awaitable[object]]
"""Asks a server something cheap. Raises `ConnectoryError` when it does not answer."""


@dataclass(frozen=True, slots=True)
class Health:
    """`degraded`: some of what the gateway does is not possible now; `unavailable`: nothing is."""

    level: Level
    summary: str


async def check_health(probes: Mapping[str, Probe]) -> Health:
    """Ask all servers at once; the keys of `probes` are their names for the summary."""
    answers = await asyncio.gather(*(_answers(probe) for probe in probes.values()))
    silent = [name for name, answered in zip(probes, answers, strict=True) if not answered]
    if not silent:
        return Health("available", "All services and plugins are available")
    level: Level = "unavailable" if len(silent) == len(probes) else "degraded"
    return Health(level, f"Cannot be reached: {', '.join(silent)}")


async def _answers(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except (ConnectoryError, TimeoutError):
        return False
    return True
