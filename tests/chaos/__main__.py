"""The long run: `python -m tests.chaos --seed N --requests N`. Ends with 1 when a promise was broken.

Three chapters, each on an installation of its own: roles as processes of their own under every kind of fault,
`connectory up` that is killed as a whole, and a large backlog for one executor.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console

from tests.chaos.backlog import backlog
from tests.chaos.campaign import Campaign, Findings, on_cluster, on_up
from tests.chaos.plan import OF_CLUSTER, OF_UP, Kind, Round, draw
from tests.chaos.report import Chapter, table

PASSES = 3
"""How often every kind of fault is injected."""

ON_UP = 0.2
"""The share of the requests that goes to `connectory up`."""

ORDERED = 0.3
CHAPTERS = ("cluster", "up", "backlog")

console = Console()


def main() -> int:
    arguments = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it says of every broker that we take away that it is
    console.print(f"seed {arguments.seed}, {arguments.requests:,} requests, then a backlog of {arguments.backlog:,}")
    chapters = asyncio.run(_run(arguments))
    console.print(table(arguments.seed, chapters))
    broken = [f"{each.name}: {name}" for each in chapters for name in each.problems]
    if broken:
        console.print(f"[bold red]broken[/bold red] (again: make chaos SEED={arguments.seed}): {', '.join(broken)}")
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="what decides about all faults")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--ordered", type=float, default=ORDERED, help="share of requests with an ordering key")
    parser.add_argument("--only", choices=CHAPTERS, action="append", help="leave out the other chapters")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> list[Chapter]:
    wanted = arguments.only or CHAPTERS
    on_up_requests = int(arguments.requests * ON_UP)
    found = []
    if "cluster" in wanted:
        found.append(Chapter("cluster", await _campaign(arguments, arguments.requests, OF_CLUSTER, on_cluster)))
    if "up" in wanted:
        found.append(Chapter("up", await _campaign(arguments, on_up_requests, OF_UP, on_up)))
    if "backlog" in wanted:
        with _directory() as directory:
            found.append(Chapter("backlog", *await backlog(arguments.seed, arguments.backlog, Path(directory), _say())))
    return found


async def _campaign(
    arguments: argparse.Namespace,
    requests: int,
    kinds: tuple[Kind, ...],
    run: Callable[[Campaign, Path, Callable[[str], None]], Awaitable[Findings]],
) -> Findings:
    chance = random.Random(arguments.seed)
    rounds: list[Round] = [each for _ in range(PASSES) for each in draw(kinds, chance)]
    campaign = Campaign(seed=arguments.seed, requests=requests, rounds=rounds, ordered=arguments.ordered)
    with _directory() as directory:
        return await run(campaign, Path(directory), _say())


def _directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="connectory-chaos-", ignore_cleanup_errors=True)


def _say() -> Callable[[str], None]:
    began = time.monotonic()
    return lambda text: console.print(f"{time.monotonic() - began:6.1f} s  {text}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
